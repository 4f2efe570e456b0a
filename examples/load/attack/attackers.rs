//! What attackers do: each attack opens its connections, goes on until it is told to end, and then all of them are gone.
//! Whatever happens to a connection of an attacker is no error: the broker may well have closed it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{ApiKey, BrokerId, FetchRequest, MetadataRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::raw::frames::Request;

/// Addresses of this machine that connections come from: each has 28,000 ports.
const SOURCES: u32 = 40;
/// Connections that are being opened at the same time, below the broker's backlog.
const OPENING_MAX: usize = 64;
/// A header of Produce 9 without a client id, as a frame of 1 MB begins.
const LARGE_PRODUCE: [u8; 15] = [0, 15, 0x42, 0x40, 0, 0, 0, 9, 0, 0, 0, 1, 255, 255, 0];
const LARGE_BYTES: usize = 1_000_000;
/// Bytes that a slow sender of such a frame sends each second: it takes 40.
const SLOW_BYTES: usize = 25_000;

/// An attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attack {
    /// Connections that do nothing.
    Idle,
    /// Connections that are opened and dropped, so many each second, half of them in the middle of a request.
    Churn,
    /// A byte each second on every connection.
    Loris,
    /// Connections that ask for a record that never comes and close their sending half, and others that do at once.
    HalfClosed,
    /// Random bytes, then the end.
    Random,
    /// HTTP requests and TLS handshakes.
    Foreign,
    /// Requests for much, whose answers nobody reads.
    Unread,
    /// Requests of 1 MB that arrive slowly.
    Slow,
}

pub(crate) const ALL: [Attack; 8] = [
    Attack::Idle,
    Attack::Churn,
    Attack::Loris,
    Attack::HalfClosed,
    Attack::Random,
    Attack::Foreign,
    Attack::Unread,
    Attack::Slow,
];

impl Attack {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Churn => "churn",
            Self::Loris => "loris",
            Self::HalfClosed => "half-closed",
            Self::Random => "random",
            Self::Foreign => "foreign",
            Self::Unread => "unread",
            Self::Slow => "slow",
        }
    }

    /// What it does, with this many connections, or so many a second.
    pub(crate) fn words(self, size: Size) -> String {
        let Size { connections, per_second } = size;
        match self {
            Self::Idle => format!("{connections} idle connections"),
            Self::Churn => format!("{per_second} connections a second, opened and dropped"),
            Self::Loris => format!("{connections} connections, a byte a second on each"),
            Self::HalfClosed => format!("{connections} half-closed connections"),
            Self::Random => format!("random bytes on {per_second} connections a second"),
            Self::Foreign => format!("HTTP and TLS on {per_second} connections a second"),
            Self::Unread => format!("{connections} clients that never read their answers"),
            Self::Slow => format!("{connections} connections that each send 1 MB in 40 s"),
        }
    }
}

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) connections: usize,
    pub(crate) per_second: usize,
}

/// Where to.
#[derive(Clone)]
pub(crate) struct Attacker {
    to: SocketAddr,
    topic: &'static str,
    next_source: Arc<AtomicU32>,
    opening: Arc<Semaphore>,
    /// Connections that were opened.
    pub(crate) opened: Arc<AtomicU64>,
}

impl Attacker {
    pub(crate) fn new(to: SocketAddr, topic: &'static str) -> Self {
        Self {
            to,
            topic,
            next_source: Arc::default(),
            opening: Arc::new(Semaphore::new(OPENING_MAX)),
            opened: Arc::default(),
        }
    }

    async fn connect(&self) -> Result<TcpStream> {
        let _turn = self.opening.acquire().await?;
        let source = self.next_source.fetch_add(1, Ordering::Relaxed) % SOURCES;
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 0, 0, 2)) + source), 0).into())?;
        let stream = socket.connect(self.to).await?;
        self.opened.fetch_add(1, Ordering::Relaxed);
        Ok(stream)
    }

    /// Attacks until it is dropped.
    pub(crate) async fn run(self, attack: Attack, size: Size) {
        match attack {
            Attack::Churn | Attack::Random | Attack::Foreign => self.pass(attack, size.per_second).await,
            _ => self.stand(attack, size.connections).await,
        }
    }

    /// Connections that come and go, so many each second.
    async fn pass(&self, attack: Attack, per_second: usize) {
        let mut tasks = JoinSet::new();
        // A hundredth of a second's at once.
        let mut ticks = interval(Duration::from_millis(10));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut number = 0_u64;
        loop {
            ticks.tick().await;
            for _ in 0..per_second.div_ceil(100) {
                number += 1;
                let (attacker, number) = (self.clone(), number);
                tasks.spawn(async move { attacker.visit(attack, number).await });
            }
            while tasks.try_join_next().is_some() {}
        }
    }

    async fn visit(self, attack: Attack, number: u64) -> Result<()> {
        let mut stream = self.connect().await?;
        match attack {
            Attack::Random => {
                // Any that differ from each other will do; a stream cipher would be no more random to the broker.
                let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
                let mut bytes = vec![0; 1_000];
                for byte in &mut bytes {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    *byte = state.to_be_bytes()[3];
                }
                stream.write_all(&bytes).await?;
                let _ = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 64])).await;
            }
            Attack::Foreign if number.is_multiple_of(2) => {
                stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n").await?;
                let _ = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 64])).await;
            }
            Attack::Foreign => {
                stream
                    .write_all(&[&[0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3][..], &[7; 194]].concat())
                    .await?;
                let _ = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 64])).await;
            }
            _ if number.is_multiple_of(2) => stream.write_all(&LARGE_PRODUCE).await?,
            _ => {}
        }
        Ok(())
    }

    /// Connections that stay.
    async fn stand(&self, attack: Attack, connections: usize) {
        let mut tasks = JoinSet::new();
        let all_open = Arc::new(Barrier::new(connections));
        for _ in 0..connections {
            let (attacker, all_open) = (self.clone(), all_open.clone());
            tasks.spawn(async move {
                let mut together = (attack == Attack::Unread).then_some(all_open);
                // One that is closed is opened again, like an attacker would.
                loop {
                    let _ = attacker.stay(attack, together.take()).await;
                    sleep(Duration::from_secs(1)).await;
                }
            });
        }
        while tasks.join_next().await.is_some() {}
    }

    /// One connection until the broker closes it; it begins `together` with others when all are open, or the broker would
    /// have closed the first ones by the time the last ones come.
    async fn stay(&self, attack: Attack, together: Option<Arc<Barrier>>) -> Result<()> {
        let connected = self.connect().await;
        if let Some(together) = together {
            together.wait().await;
        }
        let mut stream = connected?;
        match attack {
            Attack::Loris => return drip(stream, &LARGE_PRODUCE, &[0]).await,
            Attack::Slow => return drip(stream, &LARGE_PRODUCE, &vec![0; SLOW_BYTES]).await,
            Attack::HalfClosed => {
                stream.write_all(self.wait_for_news()?.with_correlation(1)).await?;
                stream.shutdown().await?;
            }
            Attack::Unread => {
                let mut metadata = self.ask_for_much()?;
                // Until the broker takes no more.
                for correlation in 0..2_000 {
                    stream.write_all(metadata.with_correlation(correlation)).await?;
                }
                std::future::pending::<()>().await;
            }
            _ => {}
        }
        let mut ended = [0; 256];
        while stream.read(&mut ended).await? > 0 {}
        if attack == Attack::HalfClosed {
            // The broker is done with it, the attacker keeps its half.
            sleep(Duration::from_secs(5)).await;
        }
        Ok(())
    }

    /// A Fetch that waits for a minute for a record at the end of an empty partition.
    fn wait_for_news(&self) -> Result<Request> {
        let topic = FetchTopic::default()
            .with_topic(self.topic_name())
            .with_partitions(vec![FetchPartition::default().with_partition(1)]);
        let fetch = FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(60_000)
            .with_min_bytes(1)
            .with_session_epoch(-1)
            .with_topics(vec![topic]);
        Request::encode(ApiKey::Fetch, 12, &fetch)
    }

    /// A few bytes whose answer is large: all partitions of the topic.
    fn ask_for_much(&self) -> Result<Request> {
        let topic = MetadataRequestTopic::default().with_name(Some(self.topic_name()));
        let metadata = MetadataRequest::default().with_topics(Some(vec![topic]));
        Request::encode(ApiKey::Metadata, 9, &metadata)
    }

    fn topic_name(&self) -> TopicName {
        TopicName(StrBytes::from_static_str(self.topic))
    }
}

/// Sends the beginning of a large frame, then a part each second until it is whole, or the broker has closed.
async fn drip(mut stream: TcpStream, begin: &[u8], part: &[u8]) -> Result<()> {
    stream.write_all(begin).await?;
    let mut sent = begin.len();
    let mut ended = [0; 64];
    while sent < LARGE_BYTES {
        tokio::select! {
            () = sleep(Duration::from_secs(1)) => {}
            read = stream.read(&mut ended) => if read? == 0 { return Ok(()) },
        }
        stream.write_all(part).await?;
        sent += part.len();
    }
    while stream.read(&mut ended).await? > 0 {}
    Ok(())
}
