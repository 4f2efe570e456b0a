//! Kills the broker under load, again and again, and checks after each start that nothing that was acknowledged is lost,
//! changed or there twice: `scripts/torture --cycles N --seed S`. The broker is the real binary; the clients are
//! librdkafka's producers, consumer groups and admin client, and connections that ask what such a library hides.
//! A seed repeats the choices of a run, not its timing.
#![expect(clippy::disallowed_methods, reason = "who drives a process from outside needs the system's clocks")]

mod admin;
mod anomaly;
mod broker;
mod checker;
#[allow(unreachable_pub, reason = "tests use it, too")]
#[path = "../../tests/support/dice.rs"]
mod dice;
mod era;
mod members;
mod producers;
mod proxy;
mod reader;
mod record;
mod run;
mod sabotage;
#[cfg(test)]
mod tests;
mod topics;
mod verify;
mod wire;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;

use run::Plan;
use sabotage::Sabotage;

/// Kills a broker under load and checks that it keeps what it acknowledged. Prints one line of counts, with the anomalies
/// by kind. The exit code is 0 when there are none; else it is 1, and data and output of the broker are kept.
#[derive(Parser)]
#[command(name = "torture")]
struct Arguments {
    /// How often the broker dies under load; some deaths are followed by others while it starts.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    cycles: u32,
    /// Repeats the choices of a run; without it, every run has its own.
    #[arg(long)]
    seed: Option<u64>,
    /// The broker's binary.
    #[arg(long, value_name = "PATH", default_value = "target/release/milena")]
    broker: PathBuf,
    /// Where data and output lie, a directory that is not there yet; without it, one for temporary files.
    #[arg(long, value_name = "PATH")]
    directory: Option<PathBuf>,
    /// A start may take so many seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    start_limit_s: u64,
    /// Damages the data in the second cycle, which the checker has to find.
    #[arg(long, value_enum)]
    sabotage: Option<Sabotage>,
}

fn main() -> ExitCode {
    match torture(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("torture: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn torture(arguments: Arguments) -> Result<ExitCode> {
    if !arguments.broker.is_file() {
        bail!("there is no binary {}: `cargo build --release` makes it", arguments.broker.display());
    }
    let seed = arguments.seed.unwrap_or_else(|| world::now_ms() as u64 % 1_000_000);
    let directory = arguments
        .directory
        .unwrap_or_else(|| std::env::temp_dir().join(format!("torture-{}-{seed}", std::process::id())));
    if directory.exists() {
        bail!("{} is there already", directory.display());
    }
    println!("torture: {} cycles, seed {seed}, in {}", arguments.cycles, directory.display());
    let plan = Plan {
        binary: arguments.broker,
        directory,
        cycles: arguments.cycles,
        seed,
        start_limit: Duration::from_secs(arguments.start_limit_s),
        sabotage: arguments.sabotage,
    };
    let outcome = run::run(&plan)?;
    let lines = outcome.findings.lines();
    for line in &lines {
        println!("{line}");
    }
    if lines.is_empty() {
        std::fs::remove_dir_all(&plan.directory)?;
    } else {
        println!("data and output of the broker are in {}", plan.directory.display());
    }
    println!("torture: seed {seed}: {outcome}");
    Ok(if lines.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
