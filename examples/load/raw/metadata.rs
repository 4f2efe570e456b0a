//! The full Metadata answer: all topics, one request after the other.

use std::time::Instant;

use anyhow::Result;
use clap::Args;
use kafka_protocol::messages::{ApiKey, MetadataRequest, MetadataResponse};

use super::connection::Connection;
use super::frames::{Request, decode};
use crate::measure::Stopwatch;
use crate::report::{Latencies, Report};

const VERSION: i16 = 12;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The broker, as host:port.
    #[arg(long, default_value = "127.0.0.1:9092")]
    broker: String,
    #[arg(long)]
    count: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let mut connection = Connection::open(&arguments.broker)?;
    let mut request = all_topics()?;
    let first = connection.ask(&mut request)?;
    let answer_bytes = first.len();
    let (topics, partitions) = sizes(first)?;
    let mut latencies = Latencies::new();
    let watch = Stopwatch::start();
    for _ in 0..arguments.count {
        let begin = Instant::now();
        connection.ask(&mut request)?;
        latencies.record(begin.elapsed());
    }
    let elapsed = watch.stop();
    Ok(Report::new()
        .count("answer_bytes", answer_bytes as u64)
        .count("topics", topics)
        .count("partitions", partitions)
        .seconds("seconds", elapsed.wall)
        .seconds("cpu_seconds", elapsed.cpu)
        .latencies("metadata", &latencies))
}

/// The request for all topics.
pub(super) fn all_topics() -> Result<Request> {
    Request::encode(ApiKey::Metadata, VERSION, &MetadataRequest::default().with_topics(None))
}

pub(super) fn parse(answer: &[u8]) -> Result<MetadataResponse> {
    decode(answer, VERSION)
}

/// Topics and partitions in an answer.
fn sizes(answer: &[u8]) -> Result<(u64, u64)> {
    let topics = parse(answer)?.topics;
    let partitions: usize = topics.iter().map(|topic| topic.partitions.len()).sum();
    Ok((topics.len() as u64, partitions as u64))
}
