//! Connections that do next to nothing: open, and with `--fetch-wait-ms` each with a Fetch that waits for news of an
//! empty partition.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{ApiKey, BrokerId, FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::task::JoinSet;

use super::channel::{Channel, on_one_thread};
use super::frames::{Request, i16_at, i32_at};
use crate::client::Target;
use crate::measure::Stopwatch;
use crate::report::Report;
use crate::serve::echo::until_stdin_closes;

/// The last version of Fetch that names topics.
const FETCH_VERSION: i16 = 12;
/// Where error code and session stand in an answer: behind correlation id, tagged fields and throttle time.
const ERROR_AT: usize = 4 + 1 + 4;
const SESSION_AT: usize = ERROR_AT + 2;
/// Kafka's error codes for a session that is gone or at another round: the next Fetch asks for a new one.
const SESSION_ERRORS: [i16; 2] = [70, 71];
/// Connections that are being opened at the same time, below every broker's backlog.
const OPENING_MAX: usize = 32;
/// Files that the process needs besides its connections.
const OTHER_FILES: u64 = 100;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[arg(long)]
    connections: u32,
    /// Keeps one Fetch waiting so long on each connection, again and again.
    #[arg(long)]
    fetch_wait_ms: Option<i32>,
    /// Whether each connection asks for the served versions first, as clients do.
    #[arg(long, default_value_t = true, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    api_versions: bool,
}

#[derive(Default)]
struct Counts {
    /// Connections whose first Fetch is waiting, or that need none.
    standing: AtomicU64,
    fetches: AtomicU64,
    sessions_lost: AtomicU64,
}

/// Gives up when not all connections stand after `limit`.
pub(crate) fn run(arguments: &Arguments, limit: Duration) -> Result<Report> {
    raise_file_limit(u64::from(arguments.connections) + OTHER_FILES)?;
    on_one_thread(async {
        let counts = Arc::new(Counts::default());
        let opened = tokio::time::timeout(limit, open(arguments, &counts)).await;
        let standing = opened.context("the connections do not stand in time")??;
        println!("{}", Report::new().count("ready", u64::from(arguments.connections)));
        hold(arguments, standing, &counts).await
    })
}

/// Connections that stand, and the tasks of those that fetch.
struct Standing {
    _channels: Vec<Channel>,
    fetching: JoinSet<Result<()>>,
}

async fn open(arguments: &Arguments, counts: &Arc<Counts>) -> Result<Standing> {
    let mut channels = open_all(arguments).await?;
    let mut fetching = JoinSet::new();
    if let Some(wait_ms) = arguments.fetch_wait_ms {
        for channel in channels.drain(..) {
            let fetch = Fetch::new(&arguments.target.topic, wait_ms)?;
            fetching.spawn(fetch.keep_waiting(channel, Arc::clone(counts)));
        }
        while counts.standing.load(Ordering::Relaxed) < u64::from(arguments.connections) {
            if let Some(ended) = fetching.try_join_next() {
                ended??;
            }
            tokio::task::yield_now().await;
        }
    }
    Ok(Standing { _channels: channels, fetching })
}

/// Keeps the connections until the standard input ends.
async fn hold(arguments: &Arguments, mut standing: Standing, counts: &Counts) -> Result<Report> {
    let watch = Stopwatch::start();
    let before = counts.fetches.load(Ordering::Relaxed);
    tokio::select! {
        () = stdin_closes() => {}
        Some(ended) = standing.fetching.join_next() => bail!("a connection ended: {:?}", ended?),
    }
    let elapsed = watch.stop();
    Ok(Report::new()
        .count("connections", u64::from(arguments.connections))
        .count("fetches", counts.fetches.load(Ordering::Relaxed) - before)
        .count("sessions_lost", counts.sessions_lost.load(Ordering::Relaxed))
        .seconds("seconds", elapsed.wall)
        .seconds("cpu_seconds", elapsed.cpu))
}

/// Reads in a thread of its own: one that the runtime owned would be waited for when something fails.
async fn stdin_closes() {
    let (closed, wait) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        let _ = until_stdin_closes();
        let _ = closed.send(());
    });
    let _ = wait.await;
}

/// Opens all connections, a bounded number at a time.
async fn open_all(arguments: &Arguments) -> Result<Vec<Channel>> {
    let mut channels = Vec::with_capacity(arguments.connections as usize);
    let mut opening = JoinSet::new();
    for _ in 0..arguments.connections {
        let (broker, handshake) = (arguments.target.broker.clone(), arguments.api_versions);
        opening.spawn(async move {
            let mut channel = Channel::open(&broker).await?;
            if handshake {
                channel.handshake().await?;
            }
            anyhow::Ok(channel)
        });
        if opening.len() == OPENING_MAX
            && let Some(opened) = opening.join_next().await
        {
            channels.push(opened??);
        }
    }
    while let Some(opened) = opening.join_next().await {
        channels.push(opened??);
    }
    Ok(channels)
}

/// The requests of one fetch session (KIP-227).
struct Fetch {
    /// Names the partition and asks for a session.
    full: Request,
    wait_ms: i32,
}

impl Fetch {
    fn new(topic: &str, wait_ms: i32) -> Result<Self> {
        let partition = FetchPartition::default()
            .with_partition(0)
            .with_fetch_offset(0)
            .with_partition_max_bytes(1 << 20);
        let topic = FetchTopic::default()
            .with_topic(TopicName(StrBytes::from_string(topic.to_owned())))
            .with_partitions(vec![partition]);
        let full = request(wait_ms, 0, 0, vec![topic])?;
        Ok(Self { full, wait_ms })
    }

    async fn keep_waiting(mut self, mut channel: Channel, counts: Arc<Counts>) -> Result<()> {
        let (mut session, mut epoch) = (0, 0);
        channel.send(&mut self.full).await?;
        counts.standing.fetch_add(1, Ordering::Relaxed);
        loop {
            let answer = channel.answer().await?;
            counts.fetches.fetch_add(1, Ordering::Relaxed);
            let error = i16_at(&answer, ERROR_AT)?;
            let given = i32_at(&answer, SESSION_AT)?;
            if SESSION_ERRORS.contains(&error) {
                counts.sessions_lost.fetch_add(1, Ordering::Relaxed);
                session = 0;
            } else if error != 0 {
                bail!("Fetch was answered with error {error}");
            } else if given == 0 {
                // No place for a session: each Fetch names its partition.
                session = 0;
            } else if session == 0 {
                (session, epoch) = (given, 1);
            } else {
                epoch += 1;
            }
            if session == 0 {
                channel.send(&mut self.full).await?;
            } else {
                channel.send(&mut request(self.wait_ms, session, epoch, Vec::new())?).await?;
            }
        }
    }
}

fn request(wait_ms: i32, session: i32, epoch: i32, topics: Vec<FetchTopic>) -> Result<Request> {
    let body = FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_session_id(session)
        .with_session_epoch(epoch)
        .with_topics(topics);
    Request::encode(ApiKey::Fetch, FETCH_VERSION, &body)
}

pub(crate) fn raise_file_limit(files: u64) -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= files) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < files) {
        limit.maximum = Some(files);
    }
    limit.current = Some(files);
    setrlimit(Resource::Nofile, limit).with_context(|| format!("allowing {files} open files"))
}
