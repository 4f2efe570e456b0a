//! How librdkafka's clients are configured. Everything is librdkafka's default but what is said here, and it is the same
//! for every broker; `--producer-config` and `--consumer-config` come last and win.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::message::BorrowedMessage;
use rdkafka::metadata::MetadataPartition;
use rdkafka::{Offset, TopicPartitionList};

/// How long one request of a set-up may take.
pub(crate) const SETUP_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the load goes.
#[derive(Args, Clone)]
pub(crate) struct Target {
    /// The broker, as host:port.
    #[arg(long, default_value = "127.0.0.1:9092")]
    pub(crate) broker: String,
    /// The topic; it has to exist.
    #[arg(long, default_value = "load")]
    pub(crate) topic: String,
}

/// Reads `key=value`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not key=value"))?;
    Ok((key.to_owned(), value.to_owned()))
}

/// A client of this broker, with librdkafka's defaults.
pub(crate) fn base(broker: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker);
    config
}

/// Applies settings in their order.
pub(crate) fn apply(config: &mut ClientConfig, settings: &[(String, String)]) {
    for (key, value) in settings {
        config.set(key, value);
    }
}

/// A consumer that reads by assignment: it has a group's name, because the crate wants one, and commits nothing.
pub(crate) fn reader(broker: &str, settings: &[(String, String)]) -> Result<BaseConsumer> {
    let mut config = base(broker);
    config
        .set("group.id", format!("load-{}", std::process::id()))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false");
    apply(&mut config, settings);
    config.create().context("a consumer")
}

/// The partitions of a topic that exists.
pub(crate) fn partitions<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &str) -> Result<Vec<i32>> {
    let metadata = consumer.fetch_metadata(Some(topic), SETUP_TIMEOUT)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
    let partitions = found.map_or(&[][..], |topic| topic.partitions());
    let partitions: Vec<i32> = partitions.iter().map(MetadataPartition::id).collect();
    if partitions.is_empty() {
        bail!("there is no topic {topic}");
    }
    Ok(partitions)
}

/// Where to begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Beginning,
    Tail,
}

/// The partitions with the offsets where they begin or end now: asked for beforehand, so that reading starts with a
/// Fetch on a connection that stands.
pub(crate) fn positions(consumer: &BaseConsumer, topic: &str, from: From) -> Result<TopicPartitionList> {
    let mut positions = TopicPartitionList::new();
    for partition in partitions(consumer, topic)? {
        let (low, high) = consumer.fetch_watermarks(topic, partition, SETUP_TIMEOUT)?;
        let offset = if from == From::Beginning { low } else { high };
        positions.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    }
    Ok(positions)
}

/// The next record, or nothing within `wait`. What librdkafka reports of a connection and tries again is not an error.
pub(crate) fn next<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    wait: Duration,
) -> Result<Option<BorrowedMessage<'_>>> {
    match consumer.poll(wait) {
        None => Ok(None),
        Some(Ok(message)) => Ok(Some(message)),
        Some(Err(error)) if transient(&error) => Ok(None),
        Some(Err(error)) => Err(error).context("while reading"),
    }
}

fn transient(error: &rdkafka::error::KafkaError) -> bool {
    use rdkafka::error::RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(Code::BrokerTransportFailure | Code::AllBrokersDown | Code::OperationTimedOut)
    )
}
