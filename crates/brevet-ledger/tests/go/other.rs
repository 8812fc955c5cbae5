//! The other implementation, as a process that answers questions.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/go/compare.go");
/// A folder for the files of tests, below the target folder.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");
/// Where Debian puts the sources of Go packages.
const SOURCES: &str = "/usr/share/gocode";

/// Go, running. Ends when it is dropped.
pub(crate) struct Other {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Other {
    /// Builds and starts it; `None` when the developer asked to do without.
    pub(crate) fn start() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "the switch of this test; no part of the product")]
        let without = std::env::var_os("BREVET_WITHOUT_GO");
        if without.is_some_and(|value| value == "1") {
            return None;
        }
        let folder = Path::new(SCRATCH).join(format!("go-{}", std::process::id()));
        let program = folder.join(format!("compare-{:?}", std::thread::current().id()));
        std::fs::create_dir_all(&folder).unwrap();
        let built = Command::new("go")
            .args(["build", "-o", program.to_str().unwrap(), PROGRAM])
            .envs([("GO111MODULE", "off"), ("GOPATH", SOURCES), ("CGO_ENABLED", "0")])
            .env("GOCACHE", Path::new(SCRATCH).join("go-cache"))
            .output();
        let built = built.expect(
            "cannot run go: install golang-go and golang-golang-x-mod-dev, or set BREVET_WITHOUT_GO=1 to leave the \
             comparison out",
        );
        assert!(built.status.success(), "go build: {}", String::from_utf8_lossy(&built.stderr));
        let mut process = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was just built");
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Some(Self { process, questions, answers, folder })
    }

    /// Asks, and gives the words of the answer, or why there is none.
    pub(crate) fn ask(&mut self, question: &str) -> Result<Vec<String>, String> {
        writeln!(self.questions.as_ref().unwrap(), "{question}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        let answer = answer.trim_end_matches('\n');
        match answer.split_once(' ').unwrap_or((answer, "")) {
            ("ok", "") => Ok(Vec::new()),
            ("ok", words) => Ok(words.split(' ').map(str::to_owned).collect()),
            ("no", why) => Err(why.to_owned()),
            _ => panic!("go ended at the question {question:.200}: {answer:?}"),
        }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // The end of its questions is the end of it.
        drop(self.questions.take());
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
