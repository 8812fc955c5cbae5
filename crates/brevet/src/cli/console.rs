//! What a person or a script gets to see.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use super::exit::Failure;
use super::moment::Clock;
use super::settings::{self, Environment, Terminal};
use super::table::{Row, table};
use crate::plain;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For scripts: one object or one array, fields as in the API
    Json,
    /// The same as YAML
    Yaml,
}

/// How people see it.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// Tells local times.
    pub(crate) clock: Clock,
    /// Whether colours are understood.
    pub(crate) colour: bool,
    /// Columns; unlimited when `None`.
    pub(crate) width: Option<u16>,
}

/// Something that people see on lines of its own.
pub(crate) trait Show {
    /// Several lines, or one, without a newline at the end.
    fn show(&self, view: &View) -> String;
}

/// Standard output and standard error, and how to write to them.
pub(crate) struct Console {
    /// How results are written.
    pub(crate) format: Format,
    /// How people see it.
    pub(crate) view: View,
    /// Where a terminal is.
    pub(crate) terminal: Terminal,
    out: Box<dyn Write>,
    error: Box<dyn Write>,
}

impl Format {
    /// Data as text, its last line ended; as JSON where people read it.
    pub(crate) fn written(self, data: &Value) -> String {
        match self {
            Self::Yaml => plain::yaml(data),
            Self::Json | Self::Table => plain::json_lines(data),
        }
    }
}

impl Console {
    /// The console of this process.
    pub(crate) fn of_process(format: Format, environment: &Environment) -> Self {
        let terminal = Terminal::look();
        let view = View {
            clock: Clock { now: settings::now(), zone: None },
            colour: terminal.output && !environment.plain,
            width: terminal.width,
        };
        Self { format, view, terminal, out: Box::new(std::io::stdout()), error: Box::new(std::io::stderr()) }
    }

    /// Whether people read the result.
    pub(crate) fn for_people(&self) -> bool {
        self.format == Format::Table
    }

    /// Writes one result: what people see, or what the server answered.
    pub(crate) fn one(&mut self, shown: &impl Show, answered: &Value) -> Result<(), Failure> {
        match self.for_people() {
            true => self.say(&shown.show(&self.view)),
            false => self.data(answered),
        }
    }

    /// Writes a list: a table, or a sentence where there is nothing.
    pub(crate) fn list<T: Row>(
        &mut self,
        items: &[T],
        answered: &[Value],
        none: &str,
    ) -> Result<(), Failure> {
        match (self.for_people(), items.is_empty()) {
            (true, true) => self.say(none),
            (true, false) => self.say(&table(items, &self.view)),
            (false, _) => self.data(&answered),
        }
    }

    /// Writes what has no lines of its own: a sentence for people, or what the server answered.
    pub(crate) fn done(&mut self, sentence: &str, answered: &Value) -> Result<(), Failure> {
        match self.for_people() {
            true => self.say(sentence),
            false => self.data(answered),
        }
    }

    /// Writes data for scripts.
    pub(crate) fn data(&mut self, data: &impl Serialize) -> Result<(), Failure> {
        let data = serde_json::to_value(data)
            .map_err(|error| Failure::Failed(format!("this cannot be written: {error}")))?;
        self.say(&self.format.written(&data))
    }

    /// Writes a line, or several, to standard output.
    pub(crate) fn say(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(format!("{}\n", text.trim_end_matches('\n')).as_bytes())
    }

    /// Writes bytes as they are to standard output.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.out.write_all(bytes).and_then(|()| self.out.flush());
        written.map_err(Failure::io("standard output cannot be written"))
    }

    /// Writes bytes as they are to standard error. Where that fails, nobody is left to be told.
    pub(crate) fn error_bytes(&mut self, bytes: &[u8]) {
        let _ = self.error.write_all(bytes).and_then(|()| self.error.flush());
    }

    /// Tells a person something beside the result.
    pub(crate) fn note(&mut self, text: &str) {
        self.error_bytes(format!("{text}\n").as_bytes());
    }

    /// Shows what goes on in a line that the next one replaces; nothing where there is no terminal.
    pub(crate) fn status(&mut self, text: &str) {
        if self.terminal.error {
            let width = usize::from(self.view.width.unwrap_or(80)).saturating_sub(1);
            let text: String = text.chars().take(width).collect();
            self.error_bytes(format!("\r\x1b[K{text}").as_bytes());
        }
    }

    /// Says why a command did not do what it was told to.
    pub(crate) fn complain(&mut self, failure: &Failure) {
        if failure.is_broken_pipe() {
            return;
        }
        let text = match (self.for_people(), failure.problem()) {
            (false, Some(problem)) => self.format.written(&serde_json::to_value(problem).unwrap_or_default()),
            _ => format!("brevet: {}", safe_lines(&failure.to_string())),
        };
        self.note(text.trim_end());
    }
}

/// A text from elsewhere in one line, with nothing in it that could mislead a reader.
pub(crate) fn safe(text: &str) -> String {
    brevet_core::escape_for_display(text)
}

/// The same for a text of several lines.
pub(crate) fn safe_lines(text: &str) -> String {
    text.lines().map(safe).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
impl Console {
    /// A console that keeps what is written to it.
    pub(crate) fn kept(format: Format) -> (Self, Kept, Kept) {
        let (out, error) = (Kept::default(), Kept::default());
        let console = Self {
            format,
            view: View::for_tests(),
            terminal: Terminal::default(),
            out: Box::new(out.clone()),
            error: Box::new(error.clone()),
        };
        (console, out, error)
    }
}

#[cfg(test)]
impl View {
    /// Half past five on a winter afternoon in Berlin.
    pub(crate) fn for_tests() -> Self {
        let now = "2026-11-23T16:30:00Z".parse().unwrap();
        let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        Self { clock: Clock { now, zone: Some(zone) }, colour: false, width: None }
    }
}

/// What was written.
#[cfg(test)]
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);

#[cfg(test)]
impl Kept {
    /// As text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

#[cfg(test)]
impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
