//! A member of a group that commits offsets one after the other, each when the one before is acknowledged.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use crate::client::{self, Target};
use crate::measure::Stopwatch;
use crate::report::{Latencies, Report};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[arg(long)]
    count: u64,
    /// The group's name; the default is one that nobody used.
    #[arg(long)]
    group: Option<String>,
    /// A setting of librdkafka, as key=value; may be given several times.
    #[arg(long, value_parser = client::pair)]
    consumer_config: Vec<(String, String)>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let topic = &arguments.target.topic;
    let consumer = member(arguments)?;
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(topic, 0, Offset::Offset(0))?;
    consumer.commit(&offsets, CommitMode::Sync)?;
    let mut latencies = Latencies::new();
    let watch = Stopwatch::start();
    for offset in 1..=arguments.count {
        offsets.set_partition_offset(topic, 0, Offset::Offset(offset as i64))?;
        let begin = Instant::now();
        consumer.commit(&offsets, CommitMode::Sync)?;
        latencies.record(begin.elapsed());
    }
    let elapsed = watch.stop();
    Ok(Report::new()
        .count("commits", arguments.count)
        .seconds("seconds", elapsed.wall)
        .seconds("cpu_seconds", elapsed.cpu)
        .latencies("commit", &latencies))
}

/// A consumer that has joined its group and owns the topic.
fn member(arguments: &Arguments) -> Result<BaseConsumer> {
    let group = arguments.group.clone().unwrap_or_else(|| format!("load-commits-{}", std::process::id()));
    let mut config = client::base(&arguments.target.broker);
    config.set("group.id", group).set("enable.auto.commit", "false").set("auto.offset.reset", "latest");
    client::apply(&mut config, &arguments.consumer_config);
    let consumer: BaseConsumer = config.create().context("a consumer")?;
    let partitions = client::partitions(&consumer, &arguments.target.topic)?;
    consumer.subscribe(&[&arguments.target.topic])?;
    while consumer.assignment()?.count() < partitions.len() {
        client::next(&consumer, Duration::from_millis(20))?;
    }
    consumer.pause(&consumer.assignment()?)?;
    Ok(consumer)
}
