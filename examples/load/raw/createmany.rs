//! Creates very many topics or partitions, and waits until all have a leader.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::{ApiKey, CreateTopicsRequest, CreateTopicsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::connection::Connection;
use super::frames::{Request, decode};
use super::metadata;
use crate::client::Target;
use crate::report::Report;

const VERSION: i16 = 7;
/// Partitions in one request, unless one topic alone has more: brokers bound what one request may create.
const PARTITIONS_PER_REQUEST: i32 = 1_000;
const CREATE_TIMEOUT_MS: i32 = 60_000;
/// The least time between two looks at the metadata.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// A look is followed by a pause that is so many times as long, so that looking takes little of the broker's time.
const PAUSE_PER_LOOK: u32 = 10;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// How many topics, named by --topic with -0, -1 … behind it.
    #[arg(long)]
    topics: u32,
    /// Partitions of each.
    #[arg(long, default_value_t = 1)]
    partitions: i32,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    if arguments.partitions < 1 {
        bail!("a topic has a partition");
    }
    let mut connection = Connection::open(&arguments.target.broker)?;
    let mut requests = requests(arguments)?;
    let begin = Instant::now();
    for request in &mut requests {
        refuse_errors(connection.ask(request)?)?;
    }
    let created = begin.elapsed();
    let looks = await_leaders(arguments, &mut connection)?;
    let all = begin.elapsed();
    Ok(Report::new()
        .count("topics", u64::from(arguments.topics))
        .count("partitions", u64::from(arguments.topics) * arguments.partitions as u64)
        .count("requests", requests.len() as u64)
        .seconds("seconds", all)
        .seconds("create_seconds", created)
        .seconds("leader_seconds", all.saturating_sub(created))
        .count("metadata_requests", looks))
}

fn requests(arguments: &Arguments) -> Result<Vec<Request>> {
    let per_request = (PARTITIONS_PER_REQUEST / arguments.partitions).max(1) as u32;
    let begins = (0..arguments.topics).step_by(per_request as usize);
    let request = |begin: u32| {
        let topics = (begin..arguments.topics.min(begin + per_request)).map(|index| {
            let name = format!("{}-{index}", arguments.target.topic);
            CreatableTopic::default()
                .with_name(TopicName(StrBytes::from_string(name)))
                .with_num_partitions(arguments.partitions)
                .with_replication_factor(1)
        });
        let body =
            CreateTopicsRequest::default().with_topics(topics.collect()).with_timeout_ms(CREATE_TIMEOUT_MS);
        Request::encode(ApiKey::CreateTopics, VERSION, &body)
    };
    begins.map(request).collect()
}

fn refuse_errors(answer: &[u8]) -> Result<()> {
    let answer: CreateTopicsResponse = decode(answer, VERSION)?;
    for topic in answer.topics {
        if topic.error_code != 0 {
            let message = topic.error_message.unwrap_or_default();
            bail!("topic {} was answered with error {}: {message}", topic.name.as_str(), topic.error_code);
        }
    }
    Ok(())
}

/// Looks at the metadata until every partition has a leader; gives the number of looks.
fn await_leaders(arguments: &Arguments, connection: &mut Connection) -> Result<u64> {
    let wanted = arguments.topics as usize * arguments.partitions as usize;
    let prefix = format!("{}-", arguments.target.topic);
    let mut request = metadata::all_topics()?;
    for looks in 1.. {
        let begin = Instant::now();
        let answer = metadata::parse(connection.ask(&mut request)?)?;
        let ours = answer
            .topics
            .iter()
            .filter(|topic| topic.name.as_ref().is_some_and(|name| name.starts_with(&prefix)));
        let led = ours.flat_map(|topic| &topic.partitions).filter(|partition| partition.leader_id.0 >= 0);
        if led.count() >= wanted {
            return Ok(looks);
        }
        thread::sleep(LOOK_AGAIN.max(begin.elapsed() * PAUSE_PER_LOOK));
    }
    bail!("not reached");
}
