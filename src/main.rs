//! The program `milena`.

use std::process::ExitCode;

/// Gives memory back to the system when there was need of much; see ARCHITECTURE.md.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    milena::cli::main()
}
