//! The bare round trip of a Produce request, and its floor against an echo server.

use std::time::{Instant, SystemTime};

use anyhow::Result;
use clap::Args;

use super::connection::Connection;
use super::frames::Produce;
use crate::client::Target;
use crate::measure::Stopwatch;
use crate::report::{Latencies, Report};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// Bytes of the one record's value.
    #[arg(long, default_value_t = 1024)]
    size: usize,
    #[arg(long)]
    count: u64,
    /// Round trips before those that are measured.
    #[arg(long, default_value_t = 0)]
    warmup: u64,
    /// The other side is `echo`: its answers are not looked at.
    #[arg(long)]
    echo: bool,
    /// The partition of the topic.
    #[arg(long, default_value_t = 0)]
    partition: i32,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let mut produce = Produce::new(&arguments.target.topic, arguments.partition, arguments.size, now_ms())?;
    let mut connection = Connection::open(&arguments.target.broker)?;
    let mut once = || -> Result<()> {
        if arguments.echo {
            connection.exchange(produce.request.with_correlation(0))?;
        } else {
            let answer = connection.ask(&mut produce.request)?;
            produce.check(answer)?;
        }
        Ok(())
    };
    for _ in 0..arguments.warmup {
        once()?;
    }
    let mut latencies = Latencies::new();
    let watch = Stopwatch::start();
    for _ in 0..arguments.count {
        let begin = Instant::now();
        once()?;
        latencies.record(begin.elapsed());
    }
    let elapsed = watch.stop();
    Ok(Report::new()
        .seconds("seconds", elapsed.wall)
        .seconds("cpu_seconds", elapsed.cpu)
        .latencies("roundtrip", &latencies))
}

/// The time of day, as records carry it.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}
