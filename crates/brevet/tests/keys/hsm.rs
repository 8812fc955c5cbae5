//! SoftHSM in a folder of its own: a token, keys on it, and a server that is configured for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::place::{Place, write_private};
use crate::support::server;

pub(crate) const PIN: &str = "482915";
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];
/// PKCS#8 of an Ed25519 key, up to its seed (RFC 8410 section 7).
const PKCS8_BEGINS: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// A place with a token labelled `brevet`.
pub(crate) struct Hsm {
    pub(crate) place: Place,
    keys: u8,
}

impl Hsm {
    /// `None` only where the tests are told to do without.
    #[expect(clippy::print_stdout, reason = "a test that is left out says so")]
    pub(crate) fn new() -> Option<Self> {
        if is_left_out() {
            println!("left out: BREVET_WITHOUT_SOFTHSM=1");
            return None;
        }
        let hsm = Self { place: Place::new(), keys: 0 };
        let tokens = hsm.tokens();
        std::fs::create_dir(&tokens).unwrap();
        let config = format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display());
        std::fs::write(hsm.config(), config).unwrap();
        hsm.util(&["--init-token", "--free", "--label", "brevet", "--so-pin", "73920164", "--pin", PIN]);
        write_private(&hsm.pin_file(), format!("{PIN}\n").as_bytes());
        Some(hsm)
    }

    /// Where SoftHSM keeps its tokens: the token is away when this is.
    pub(crate) fn tokens(&self) -> PathBuf {
        self.place.path().join("tokens")
    }

    pub(crate) fn pin_file(&self) -> PathBuf {
        self.place.path().join("pin")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.place.path().join("softhsm2.conf")
    }

    /// Puts a key pair with this label on the token.
    pub(crate) fn add_key(&mut self, label: &str) {
        self.keys += 1;
        let key = [&PKCS8_BEGINS[..], &[self.keys; 32]].concat();
        let path = self.place.path().join("import.pem");
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(key));
        write_private(&path, pem.as_bytes());
        let (path, id) = (path.display().to_string(), format!("{:02x}", self.keys));
        self.util(&["--import", &path, "--token", "brevet", "--label", label, "--id", &id, "--pin", PIN]);
        std::fs::remove_file(path).unwrap();
    }

    /// The command of a server with the key of this label.
    pub(crate) fn serve(&self, label: &str) -> Command {
        self.serve_with(module(), "brevet", label)
    }

    pub(crate) fn serve_with(&self, module: &Path, token: &str, label: &str) -> Command {
        let settings = format!(
            "[ledger.pkcs11]\nmodule = {module:?}\ntoken = \"{token}\"\nkey = \"{label}\"\npin_file = {:?}\n",
            self.pin_file()
        );
        self.place.settings(&settings);
        let mut command = server::command(&self.place, "warn");
        command.env("SOFTHSM2_CONF", self.config());
        command
    }

    fn util(&self, arguments: &[&str]) {
        let output =
            Command::new("softhsm2-util").args(arguments).env("SOFTHSM2_CONF", self.config()).output();
        let output = output.expect("softhsm2-util is not installed: apt-get install softhsm2");
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
}

/// Where the module is on this machine.
pub(crate) fn module() -> &'static Path {
    let found = MODULES.iter().map(Path::new).find(|path| path.exists());
    found.expect("libsofthsm2.so is not installed: apt-get install softhsm2")
}

#[expect(clippy::disallowed_methods, reason = "whether there can be a token, is told by the environment")]
fn is_left_out() -> bool {
    std::env::var("BREVET_WITHOUT_SOFTHSM").is_ok_and(|value| value == "1")
}
