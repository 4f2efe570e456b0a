//! Acknowledgements of small Produce requests: many connections, one request outstanding on each.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::channel::{Channel, on_one_thread};
use super::frames::Produce;
use super::roundtrip::now_ms;
use crate::client::Target;
use crate::measure::Stopwatch;
use crate::report::{Latencies, Report};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[arg(long, default_value_t = 1)]
    connections: u32,
    /// The connections take the partitions from 0 on in turns.
    #[arg(long, default_value_t = 1)]
    partitions: i32,
    /// How many acknowledgements all connections wait for together.
    #[arg(long)]
    count: u32,
    /// Bytes of each request's one value.
    #[arg(long, default_value_t = 100)]
    size: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    if arguments.connections == 0 || arguments.partitions < 1 {
        bail!("a load needs a connection and a partition");
    }
    on_one_thread(measure(arguments))
}

async fn measure(arguments: &Arguments) -> Result<Report> {
    let left = Arc::new(AtomicI64::new(i64::from(arguments.count)));
    let start = Arc::new(Barrier::new(arguments.connections as usize + 1));
    let mut connections = JoinSet::new();
    for index in 0..arguments.connections as i32 {
        let partition = index % arguments.partitions;
        let produce = Produce::new(&arguments.target.topic, partition, arguments.size, now_ms())?;
        let channel = Channel::open(&arguments.target.broker).await?;
        connections.spawn(drive(channel, produce, Arc::clone(&left), Arc::clone(&start)));
    }
    start.wait().await;
    let watch = Stopwatch::start();
    let mut latencies = Latencies::new();
    while let Some(ended) = connections.join_next().await {
        latencies.add(&ended??);
    }
    let elapsed = watch.stop();
    Ok(Report::new()
        .count("acknowledgements", latencies.count())
        .seconds("seconds", elapsed.wall)
        .seconds("cpu_seconds", elapsed.cpu)
        .latencies("ack", &latencies))
}

async fn drive(
    mut channel: Channel,
    mut produce: Produce,
    left: Arc<AtomicI64>,
    start: Arc<Barrier>,
) -> Result<Latencies> {
    let mut latencies = Latencies::new();
    start.wait().await;
    while left.fetch_sub(1, Ordering::Relaxed) > 0 {
        let begin = Instant::now();
        let answer = channel.ask(&mut produce.request).await?;
        latencies.record(begin.elapsed());
        produce.check(&answer)?;
    }
    Ok(latencies)
}
