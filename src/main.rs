//! The program `milena`.

use std::process::ExitCode;

fn main() -> ExitCode {
    milena::cli::main()
}
