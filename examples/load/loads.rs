//! The loads that are a flow from a producer to consumers at the tail: a fixed rate, light load, fan-out.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::client::{self, Target};
use crate::flow::{Flow, Pace};
use crate::report::Report;

/// What every flow has.
#[derive(Args)]
struct Common {
    #[command(flatten)]
    target: Target,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds before them that are not; 2, but 0 for a fan-out without a rate.
    #[arg(long)]
    warmup_s: Option<f64>,
    /// A setting of librdkafka's producer, as key=value; may be given several times.
    #[arg(long, value_parser = client::pair)]
    producer_config: Vec<(String, String)>,
    /// A setting of librdkafka's consumers, as key=value; may be given several times.
    #[arg(long, value_parser = client::pair)]
    consumer_config: Vec<(String, String)>,
}

#[derive(Args)]
pub(crate) struct RateArguments {
    #[command(flatten)]
    common: Common,
    /// Bytes of values each second.
    #[arg(long)]
    bytes_per_s: f64,
    /// Bytes of each value, at least 8.
    #[arg(long, default_value_t = 1024)]
    size: usize,
    #[arg(long, default_value_t = 1)]
    consumers: u32,
}

#[derive(Args)]
pub(crate) struct LatencyArguments {
    #[command(flatten)]
    common: Common,
    /// Records each second; each is sent at once (`linger.ms` 0).
    #[arg(long, default_value_t = 1000.0)]
    rate: f64,
    /// Bytes of each value, at least 8.
    #[arg(long, default_value_t = 100)]
    size: usize,
}

#[derive(Args)]
pub(crate) struct FanoutArguments {
    #[command(flatten)]
    common: Common,
    #[arg(long)]
    consumers: u32,
    /// Bytes of values each second; 0 for as fast as the broker takes them.
    #[arg(long, default_value_t = 0.0)]
    rate: f64,
    /// Bytes of each value, at least 8.
    #[arg(long, default_value_t = 1024)]
    size: usize,
    /// Ends a run with rate 0 after so many records.
    #[arg(long, default_value_t = u64::MAX)]
    records: u64,
}

impl Common {
    fn flow(&self, pace: Pace, size: usize, consumers: u32) -> Flow {
        Flow {
            target: self.target.clone(),
            pace,
            size,
            warmup: Duration::from_secs_f64(self.warmup_s.unwrap_or(match pace {
                Pace::PerSecond(_) => 2.0,
                Pace::Unpaced { .. } => 0.0,
            })),
            measured: Duration::from_secs_f64(self.seconds),
            consumers,
            producer_config: self.producer_config.clone(),
            consumer_config: self.consumer_config.clone(),
        }
    }
}

/// The report that a fixed rate and light load share.
fn paced(flow: &Flow) -> Result<Report> {
    let outcome = flow.run()?;
    Ok(Report::new()
        .count("records", outcome.records)
        .count("bytes", outcome.records * flow.size as u64)
        .count("errors", outcome.errors)
        .seconds("seconds", outcome.elapsed.wall)
        .seconds("cpu_seconds", outcome.elapsed.cpu)
        .latencies("send", &outcome.send)
        .latencies("ack", &outcome.ack)
        .latencies("delivery", &outcome.delivery))
}

pub(crate) fn rate(arguments: &RateArguments) -> Result<Report> {
    let pace = Pace::PerSecond(arguments.bytes_per_s / arguments.size as f64);
    paced(&arguments.common.flow(pace, arguments.size, arguments.consumers))
}

pub(crate) fn latency(arguments: &LatencyArguments) -> Result<Report> {
    let mut flow = arguments.common.flow(Pace::PerSecond(arguments.rate), arguments.size, 1);
    flow.producer_config.insert(0, ("linger.ms".to_owned(), "0".to_owned()));
    paced(&flow)
}

pub(crate) fn fanout(arguments: &FanoutArguments) -> Result<Report> {
    let pace = if arguments.rate > 0.0 {
        Pace::PerSecond(arguments.rate / arguments.size as f64)
    } else {
        Pace::Unpaced { records_max: arguments.records }
    };
    let flow = arguments.common.flow(pace, arguments.size, arguments.consumers);
    let outcome = flow.run()?;
    Ok(Report::new()
        .count("produced_bytes", outcome.records * flow.size as u64)
        .count("delivered_bytes", outcome.delivered * flow.size as u64)
        .count("errors", outcome.errors)
        .seconds("seconds", outcome.elapsed.wall)
        .seconds("cpu_seconds", outcome.elapsed.cpu)
        .latencies("delivery", &outcome.delivery))
}
