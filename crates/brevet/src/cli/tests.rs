//! The command line as people and scripts meet it: words in, text and exit code out.

mod help;
mod look;
mod story;
