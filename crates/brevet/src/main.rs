//! Hands over to the library: every module (`wire`, `cli`, `http`, `app`, …) is declared in `lib.rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::SUCCESS
}
