//! One line for each number: ours, the limit, how they compare, and the bar that the comparison must meet.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table is printed; nothing else here prints"
)]

/// What a ratio of ours to the limit must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    AtMost(f64),
    AtLeast(f64),
    /// Only to be seen.
    None,
}

/// How a number is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    Nanoseconds,
    Microseconds,
    Seconds,
    PerSecond,
    MegabytesPerSecond,
    Bytes,
    Mebibytes,
    Times,
}

/// One line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) what: String,
    pub(crate) limit_is: &'static str,
    pub(crate) unit: Unit,
    pub(crate) ours: f64,
    pub(crate) limit: f64,
    pub(crate) bar: Bar,
}

pub(crate) fn head(topic: &str) {
    println!("\n{topic}\n{:<58} {:>12} {:>12} {:>7} {:>8}  met", "", "ours", "limit", "ratio", "bar");
}

impl Line {
    pub(crate) fn print(self) {
        let Self { what, limit_is, unit, ours, limit, bar } = self;
        let ratio = ours / limit;
        let (bar, met) = match bar {
            Bar::AtMost(most) => (format!("<= {most}"), if ratio <= most { "yes" } else { "NO" }),
            Bar::AtLeast(least) => (format!(">= {least}"), if ratio >= least { "yes" } else { "NO" }),
            Bar::None => (String::new(), "-"),
        };
        let (ours, limit) = (unit.show(ours), unit.show(limit));
        println!("{what:<58} {ours:>12} {limit:>12} {ratio:>7.2} {bar:>8}  {met:<3}  limit: {limit_is}");
    }
}

impl Unit {
    fn show(self, number: f64) -> String {
        match self {
            Self::Nanoseconds => format!("{number:.0} ns"),
            Self::Microseconds => format!("{number:.1} us"),
            Self::Seconds => format!("{number:.2} s"),
            Self::PerSecond => format!("{number:.0} /s"),
            Self::MegabytesPerSecond => format!("{number:.0} MB/s"),
            Self::Bytes => format!("{number:.0} B"),
            Self::Mebibytes => format!("{number:.1} MiB"),
            Self::Times => format!("{number:.2} x"),
        }
    }
}

/// Something that the reader should know and that is no comparison.
pub(crate) fn note(text: &str) {
    println!("    {text}");
}

pub(crate) fn complain(error: &dyn std::error::Error) {
    eprintln!("{error}");
}
