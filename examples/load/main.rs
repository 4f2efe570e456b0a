//! A load program for comparing brokers: `cargo run --release --example load -- COMMAND --help`. Each command runs one
//! load and prints one JSON object as the last line of its standard output; it ends with 0 when the load did what it
//! should, else with a message and 1. Set-up is outside of what `seconds` and `cpu_seconds` count.
//! It knows nothing of the broker behind the address: whatever speaks Kafka's protocol is loaded in the same way.
#![expect(clippy::disallowed_methods, reason = "a measurement needs the system's clocks")]

mod attack;
mod client;
mod commits;
mod consume;
mod flow;
mod group;
mod loads;
mod measure;
mod payload;
mod produce;
mod raw;
mod report;
mod serve;
#[cfg(test)]
mod tests;
mod topic;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

use report::Report;

/// Loads a broker and prints what it measured as JSON.
#[derive(Parser)]
struct Arguments {
    /// Gives up after so many seconds (not while `echo`, `sink` and `idle` serve, nor `attack`).
    #[arg(long, global = true, default_value_t = 120)]
    timeout_s: u64,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Creates or deletes topics.
    Topic(topic::Arguments),
    /// Sends records as fast as the broker takes them (librdkafka).
    Produce(produce::Arguments),
    /// Reads a topic from its beginning (librdkafka).
    Consume(consume::Arguments),
    /// Sends at a fixed rate in an open loop and reads at the tail (librdkafka).
    Rate(loads::RateArguments),
    /// Sends single records at a light rate and reads them at the tail (librdkafka).
    Latency(loads::LatencyArguments),
    /// Many consumers at the tail of one topic (librdkafka).
    Fanout(loads::FanoutArguments),
    /// How long until a group of consumers has shared out a topic (librdkafka).
    Group(group::Arguments),
    /// Offset commits one after the other (librdkafka).
    Commits(commits::Arguments),
    /// One Produce request at a time on one connection (raw socket).
    Roundtrip(raw::roundtrip::Arguments),
    /// Small Produce requests, one outstanding on each of many connections (raw socket).
    Acks(raw::acks::Arguments),
    /// The metadata of all topics, again and again (raw socket).
    Metadata(raw::metadata::Arguments),
    /// Creates very many topics and waits for their leaders (raw socket).
    Createmany(raw::createmany::Arguments),
    /// Heartbeats of the members of one group (raw socket).
    Heartbeats(raw::heartbeats::Arguments),
    /// Connections that only wait, until the standard input ends (raw socket).
    Idle(raw::idle::Arguments),
    /// Hostile clients against a broker of its own, and what a good client sees of them (raw socket).
    Attack(attack::Arguments),
    /// A server that answers each frame at once, for the floor of `roundtrip --echo`.
    Echo(serve::echo::Arguments),
    /// A broker that stores nothing, for the ceiling of a client.
    Sink(serve::sink::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let limit = Duration::from_secs(arguments.timeout_s);
    if !matches!(
        arguments.command,
        Command::Echo(_) | Command::Sink(_) | Command::Idle(_) | Command::Attack(_)
    ) {
        give_up_after(limit);
    }
    match run(arguments.command, limit) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, limit: Duration) -> Result<Report> {
    match command {
        Command::Topic(arguments) => topic::run(&arguments),
        Command::Produce(arguments) => produce::run(&arguments),
        Command::Consume(arguments) => consume::run(&arguments),
        Command::Rate(arguments) => loads::rate(&arguments),
        Command::Latency(arguments) => loads::latency(&arguments),
        Command::Fanout(arguments) => loads::fanout(&arguments),
        Command::Roundtrip(arguments) => raw::roundtrip::run(&arguments),
        Command::Group(arguments) => group::run(&arguments),
        Command::Commits(arguments) => commits::run(&arguments),
        Command::Acks(arguments) => raw::acks::run(&arguments),
        Command::Metadata(arguments) => raw::metadata::run(&arguments),
        Command::Createmany(arguments) => raw::createmany::run(&arguments),
        Command::Heartbeats(arguments) => raw::heartbeats::run(&arguments),
        Command::Idle(arguments) => raw::idle::run(&arguments, limit),
        Command::Attack(arguments) => attack::run(&arguments),
        Command::Echo(arguments) => serve::echo::run(&arguments),
        Command::Sink(arguments) => serve::sink::run(&arguments),
    }
}

/// Bounds every wait of a command at once: whoever still waits then has failed.
fn give_up_after(limit: Duration) {
    thread::spawn(move || {
        thread::sleep(limit);
        eprintln!("not done after {} s", limit.as_secs());
        std::process::exit(1);
    });
}
