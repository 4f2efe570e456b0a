//! The command line: arguments, the sub-commands, exit codes. Reads the environment and hands it down; prints one
//! sentence to stderr when something fails. Decides nothing about the broker.

mod check;
mod show;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{self, LoadError, Sources};
use crate::controller;
use crate::observe;
use crate::server;

/// A broker that speaks Apache Kafka's wire protocol and keeps Kafka's on-disk log format.
#[derive(Debug, Parser)]
#[command(name = "milena", version)]
#[command(
    after_help = "Values are taken from the file, then from KAFKA_… variables (KAFKA_NUM_PARTITIONS is \
    num.partitions), then from --override; the last one stands. MILENA_LOG sets the log level (error, warn, info, \
    debug, trace, or target=level,…)."
)]
struct Arguments {
    /// A Kafka properties file.
    #[arg(value_name = "SERVER.PROPERTIES")]
    file: Option<PathBuf>,
    /// Sets one configuration key; can be given several times.
    #[arg(long = "override", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Asks a broker whether it serves requests; the exit code is 0 if it does, else 1.
    Check {
        /// Where the broker listens.
        #[arg(value_name = "HOST:PORT", default_value = "localhost:9092")]
        address: String,
        /// How long to wait for all of it.
        #[arg(long, value_name = "MS", default_value_t = 3000)]
        timeout_ms: u64,
    },
    /// Prints the effective configuration as a properties file, each key with a sentence about it and its source.
    Config {
        /// A Kafka properties file.
        #[arg(value_name = "SERVER.PROPERTIES")]
        file: Option<PathBuf>,
        /// Sets one configuration key; can be given several times.
        #[arg(long = "override", value_name = "KEY=VALUE")]
        overrides: Vec<String>,
        /// Also keys that are accepted without effect.
        #[arg(long)]
        all: bool,
    },
}

/// Runs the program with the process's arguments and environment. The exit code is 0 after a clean stop, 1 after an
/// error, 2 when the arguments cannot be understood.
pub fn main() -> ExitCode {
    let mut arguments = Arguments::try_parse().unwrap_or_else(|error| with_tip(error).exit());
    let result = match arguments.command.take() {
        Some(Command::Check { address, timeout_ms }) => {
            if arguments.file.is_some() || !arguments.overrides.is_empty() {
                refuse("check takes neither a properties file nor --override, only the address of a broker");
            }
            check::run(&address, Duration::from_millis(timeout_ms)).map(|line| print(&line))
        }
        Some(Command::Config { file, overrides, all }) => {
            if arguments.file.is_some() && file.is_some() {
                refuse("config takes one properties file");
            }
            // Both may stand before the command, too.
            arguments.overrides.extend(overrides);
            show(arguments.file.or(file), arguments.overrides, all)
        }
        None => serve(arguments.file, arguments.overrides),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("milena: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Ends the process because of arguments that exclude each other.
fn refuse(why: &str) -> ! {
    Arguments::command().error(ErrorKind::ArgumentConflict, why).exit()
}

/// Where an option is not known the parser recommends to pass it as a file's name; what is looked for is mostly how to
/// give a port.
fn with_tip(mut error: clap::Error) -> clap::Error {
    // One that exists elsewhere is a better tip.
    let elsewhere = error.get(ContextKind::Suggested).is_some_and(|tip| tip.to_string().contains("exists"));
    let has_tip = elsewhere || error.get(ContextKind::SuggestedArg).is_some();
    if error.kind() == ErrorKind::UnknownArgument && !has_tip {
        let usage = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
        let tip = if usage.contains("milena check") {
            "the address is one argument, as in: milena check localhost:9092"
        } else if usage.contains("milena config") {
            "settings are given with --override, as in: milena config --override listeners=PLAINTEXT://127.0.0.1:9192"
        } else {
            "settings are given with --override, as in: milena --override listeners=PLAINTEXT://127.0.0.1:9192"
        };
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// Writes to stdout; a reader that is gone is no error.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The process's environment. A variable that is not Unicode cannot be one of ours.
fn environment() -> Vec<(String, String)> {
    let text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

fn show(file: Option<PathBuf>, overrides: Vec<String>, all: bool) -> anyhow::Result<()> {
    let loaded = config::load(&Sources { file, environment: environment(), overrides })?;
    for warning in &loaded.warnings {
        eprintln!("milena: {warning}");
    }
    let effective = match controller::stored_image(&loaded.config.storage.metadata_log_dir) {
        Ok(Some(image)) => show::with_stored(&loaded.config, &image),
        Ok(None) => loaded.config.clone(),
        Err(error) => {
            eprintln!("milena: what was set at run time is left out: {error}");
            loaded.config.clone()
        }
    };
    print(show::properties(&loaded, &effective, all).trim_end());
    Ok(())
}

fn serve(file: Option<PathBuf>, overrides: Vec<String>) -> anyhow::Result<()> {
    let environment = environment();
    let variable =
        |wanted: &str| environment.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let log_problem = observe::start(variable("MILENA_LOG").or_else(|| variable("RUST_LOG")));
    let loaded = config::load(&Sources { file, environment, overrides }).map_err(explain)?;
    for warning in log_problem.into_iter().chain(loaded.warnings) {
        tracing::warn!("{warning}");
    }
    server::run(loaded.config)
}

/// Says of a word that is neither a file nor a command what could have been meant.
fn explain(error: LoadError) -> anyhow::Error {
    match &error {
        LoadError::File { path, error: cause }
            if cause.kind() == std::io::ErrorKind::NotFound && is_word(path) =>
        {
            let arguments = Arguments::command();
            let commands: Vec<_> = arguments.get_subcommands().map(clap::Command::get_name).collect();
            anyhow::anyhow!(
                "there is no file and no command {}: allowed are a properties file, {}; without either the broker \
                starts, see milena --help",
                path.display(),
                commands.join(", ")
            )
        }
        _ => error.into(),
    }
}

/// Whether a path looks more like a command than like a file.
fn is_word(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
}
