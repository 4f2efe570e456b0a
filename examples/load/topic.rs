//! Creates topics and waits until every partition has a leader; deletes them.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use crate::client::{self, SETUP_TIMEOUT, Target};
use crate::report::Report;

/// How long between two looks at the metadata.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Creates topics; fails when one exists.
    Create {
        #[command(flatten)]
        topics: Topics,
        #[arg(long, default_value_t = 1)]
        partitions: i32,
        /// A configuration of the topics, as key=value; may be given several times.
        #[arg(long, value_parser = client::pair)]
        config: Vec<(String, String)>,
    },
    /// Deletes topics; fails when one does not exist.
    Delete {
        #[command(flatten)]
        topics: Topics,
    },
}

#[derive(Args)]
struct Topics {
    #[command(flatten)]
    target: Target,
    /// So many topics, named by --topic with -0, -1 … behind it.
    #[arg(long)]
    count: Option<u32>,
}

impl Topics {
    fn names(&self) -> Vec<String> {
        let topic = &self.target.topic;
        self.count.map_or_else(
            || vec![topic.clone()],
            |count| (0..count).map(|index| format!("{topic}-{index}")).collect(),
        )
    }
}

type Admin = AdminClient<DefaultClientContext>;

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    match &arguments.action {
        Action::Create { topics, partitions, config } => create(topics, *partitions, config),
        Action::Delete { topics } => delete(topics),
    }
}

/// Creates the topic of `target` with its defaults.
pub(crate) fn create_one(target: &Target, partitions: i32) -> Result<Report> {
    create(&Topics { target: target.clone(), count: None }, partitions, &[])
}

fn create(topics: &Topics, partitions: i32, config: &[(String, String)]) -> Result<Report> {
    let admin: Admin = client::base(&topics.target.broker).create()?;
    admin.inner().fetch_metadata(None, SETUP_TIMEOUT)?;
    let names = topics.names();
    let new = names.iter().map(|name| {
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        config.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
    });
    let new: Vec<NewTopic<'_>> = new.collect();
    let begin = Instant::now();
    let answers = wait_for(admin.create_topics(&new, &options()))??;
    let created = begin.elapsed();
    refuse_errors(answers)?;
    for name in &names {
        while !has_leaders(&admin, name, partitions)? {
            std::thread::sleep(LOOK_AGAIN);
        }
    }
    let all = begin.elapsed();
    Ok(Report::new()
        .count("topics", names.len() as u64)
        .seconds("seconds", all)
        .seconds("create_seconds", created)
        .seconds("leader_seconds", all.saturating_sub(created)))
}

fn delete(topics: &Topics) -> Result<Report> {
    let admin: Admin = client::base(&topics.target.broker).create()?;
    let names = topics.names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let begin = Instant::now();
    refuse_errors(wait_for(admin.delete_topics(&names, &options()))??)?;
    Ok(Report::new().count("topics", names.len() as u64).seconds("seconds", begin.elapsed()))
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(SETUP_TIMEOUT))
}

fn wait_for<T>(answer: impl Future<Output = T>) -> Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(answer))
}

fn refuse_errors(answers: Vec<rdkafka::admin::TopicResult>) -> Result<()> {
    for answer in answers {
        if let Err((topic, error)) = answer {
            bail!("topic {topic}: {error}");
        }
    }
    Ok(())
}

fn has_leaders(admin: &Admin, topic: &str, partitions: i32) -> Result<bool> {
    let metadata = admin.inner().fetch_metadata(Some(topic), SETUP_TIMEOUT)?;
    Ok(metadata.topics().iter().any(|found| {
        found.name() == topic
            && found.partitions().iter().filter(|partition| partition.leader() >= 0).count()
                == partitions as usize
    }))
}
