//! The `flatbed` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    flatbed::cli::main()
}
