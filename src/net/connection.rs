//! One connection: the half that reads requests, hands them to `api` and queues their answers, and the half that
//! writes. Both run in one task; when one ends, the connection does. Effects of requests stand, answers that still
//! wait are dropped.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::watch;

use super::admission::{Admission, Exhausted, Permit};
use super::places::{Place, Places};
use super::reply::{Slot, Slots, WriteEnd, queue};
use crate::api::{self, Answer, Connection, Refused};
use crate::broker::Broker;
use crate::limits::{
    DRAIN_MS_MAX, REQUEST_BYTES_PER_TURN_MAX, REQUESTS_PER_TURN_MAX, SHUTDOWN_DRAIN_MS_MAX,
    STALLED_REQUEST_MS_MAX,
};
use crate::wire::frame::{FrameError, Inbound};

/// How often a connection that is not read looks whether its client is gone.
const GONE_CHECK_MS: u64 = 100;

/// A day: how long to sleep where no limit is set.
const NEVER_MS: u64 = 24 * 60 * 60 * 1000;

/// What all connections of a listener share; cheap to clone for another one.
#[derive(Clone)]
pub struct Shared {
    /// The broker's parts.
    pub broker: Arc<Broker>,
    /// Memory for requests that are still arriving.
    pub admission: Admission,
    /// How many connections there may be.
    pub places: Arc<Places>,
    /// `socket.request.max.bytes`.
    pub request_bytes_max: i32,
    /// `connections.max.idle.ms`; `None` is never.
    pub idle_ms_max: Option<u64>,
    /// Turns true when the listener closes or the broker stops.
    pub stopping: watch::Receiver<bool>,
}

/// Why reading ended.
#[derive(Debug, thiserror::Error)]
enum ReadEnd {
    #[error("the client closed the connection")]
    Eof,
    #[error("the broker stops")]
    Stopping,
    #[error("max.connections is reached, and others were used later")]
    GivenUp,
    #[error("nothing arrived within connections.max.idle.ms")]
    Idle,
    #[error("a large request stopped arriving for {STALLED_REQUEST_MS_MAX} ms")]
    Stalled,
    #[error("cannot read: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Memory(#[from] Exhausted),
}

/// Serves a connection until it ends, or its place is wanted back.
pub async fn serve(stream: TcpStream, connection: Arc<Connection>, shared: Arc<Shared>, place: Place) {
    let peer = connection.peer;
    let (read_half, write_half) = stream.into_split();
    let (slots, mut answers) = queue();
    let mut reader = Reader {
        permit: shared.admission.permit(),
        stopping: shared.stopping.clone(),
        shared,
        connection,
        socket: read_half,
        slots,
        inbound: Inbound::default(),
        place,
    };
    // One future to the end: it holds the answer that is waited for and the bytes that are half written.
    let writing = answers.write_all(&write_half);
    tokio::pin!(writing);
    let ended = tokio::select! {
        ended = reader.run() => Ok(ended),
        ended = &mut writing => Err(ended),
    };
    match ended {
        Ok(end) => {
            drop(reader.slots);
            log_read_end(&end, peer);
            drain(&end, writing).await;
        }
        Err(Err(WriteEnd::Refused(error))) => tracing::warn!("closing the connection of {peer}: {error}"),
        Err(end) => tracing::debug!("connection of {peer}: {end:?}"),
    }
}

/// Lets the answers leave that are there.
async fn drain(end: &ReadEnd, writing: impl Future<Output = Result<(), WriteEnd>>) {
    let limit_ms = match end {
        ReadEnd::Io(_) => return,
        ReadEnd::Stopping => SHUTDOWN_DRAIN_MS_MAX,
        _ => DRAIN_MS_MAX,
    };
    let drained = tokio::time::timeout(Duration::from_millis(limit_ms), writing).await;
    if drained.is_err() {
        tracing::debug!("answers were still outstanding after {limit_ms} ms");
    }
}

fn log_read_end(end: &ReadEnd, peer: std::net::SocketAddr) {
    match end {
        ReadEnd::Eof | ReadEnd::Io(_) | ReadEnd::Stopping | ReadEnd::Idle | ReadEnd::GivenUp => {
            tracing::debug!("connection of {peer}: {end}");
        }
        ReadEnd::Stalled | ReadEnd::Frame(_) | ReadEnd::Refused(_) | ReadEnd::Memory(_) => {
            tracing::warn!("closing the connection of {peer}: {end}");
        }
    }
}

struct Reader {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    socket: OwnedReadHalf,
    slots: Slots,
    inbound: Inbound,
    place: Place,
    permit: Permit,
    stopping: watch::Receiver<bool>,
}

impl Reader {
    async fn run(&mut self) -> ReadEnd {
        loop {
            if let Err(end) = self.handle_arrived().await {
                return end;
            }
            // A client that never pauses must not keep the broker from stopping, nor its place.
            if *self.stopping.borrow() {
                return ReadEnd::Stopping;
            }
            if self.place.is_given_up() {
                return ReadEnd::GivenUp;
            }
            if let Err(end) = self.read_more().await {
                return end;
            }
        }
    }

    /// Handles every whole request that has arrived; lets others have their turn now and then.
    async fn handle_arrived(&mut self) -> Result<(), ReadEnd> {
        let (mut requests, mut bytes) = (0_usize, 0_usize);
        while let Some(frame) = self.inbound.next_frame(self.shared.request_bytes_max)? {
            requests += 1;
            bytes = bytes.saturating_add(frame.len());
            let now = self.shared.broker.clock.now();
            self.place.used(now.mono_ms);
            let mut answer = api::dispatch(&self.shared.broker, &self.connection, &frame, now)?;
            while let Answer::Then(future) = answer {
                answer = future.await?;
            }
            self.permit.release();
            match answer {
                Answer::Now(frame) => self.push(Slot::Ready(frame)).await?,
                Answer::Later(future) => self.push(Slot::Waiting(future)).await?,
                Answer::Silent | Answer::Then(_) => {}
            }
            if requests >= REQUESTS_PER_TURN_MAX || bytes >= REQUEST_BYTES_PER_TURN_MAX {
                (requests, bytes) = (0, 0);
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Queues an answer. While the queue is full nothing is read, but a client that has gone is noticed, and when the
    /// broker stops a client that does not read its answers is given up.
    async fn push(&self, slot: Slot) -> Result<(), ReadEnd> {
        let pushing = self.slots.push(slot);
        let overdue = async {
            let _ = self.stopping.clone().wait_for(|stopping| *stopping).await;
            tokio::time::sleep(Duration::from_millis(SHUTDOWN_DRAIN_MS_MAX)).await;
        };
        tokio::pin!(pushing, overdue);
        loop {
            let pause = tokio::time::sleep(Duration::from_millis(GONE_CHECK_MS));
            tokio::select! {
                biased;
                open = &mut pushing => return if open { Ok(()) } else { Err(ReadEnd::Eof) },
                () = &mut overdue => return Err(ReadEnd::Stopping),
                () = self.place.given_up() => return Err(ReadEnd::GivenUp),
                () = pause => {}
            }
            // Bytes that wait unread keep the socket readable, so readiness is looked at, not waited for.
            let ready = self.socket.ready(tokio::io::Interest::READABLE);
            if let Ok(Ok(ready)) = tokio::time::timeout(Duration::ZERO, ready).await
                && ready.is_read_closed()
            {
                return Err(ReadEnd::Eof);
            }
        }
    }

    async fn read_more(&mut self) -> Result<(), ReadEnd> {
        loop {
            let read = self.socket.try_read_buf(self.inbound.space());
            match read {
                Ok(0) => return Err(ReadEnd::Eof),
                Ok(bytes) => {
                    self.inbound.arrived(bytes);
                    tokio::select! {
                        covered = self.permit.cover(self.inbound.len()) => covered?,
                        _ = self.stopping.wait_for(|stopping| *stopping) => return Err(ReadEnd::Stopping),
                    }
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_readable().await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn wait_readable(&mut self) -> Result<(), ReadEnd> {
        self.inbound.release();
        loop {
            // What holds memory that others wait for has to get on.
            let stalls = self.permit.is_held();
            let limit_ms =
                if stalls { STALLED_REQUEST_MS_MAX } else { self.shared.idle_ms_max.unwrap_or(NEVER_MS) };
            let idle = tokio::time::sleep(Duration::from_millis(limit_ms));
            tokio::select! {
                readable = self.socket.readable() => return Ok(readable?),
                _ = self.stopping.wait_for(|stopping| *stopping) => return Err(ReadEnd::Stopping),
                () = self.place.given_up() => return Err(ReadEnd::GivenUp),
                () = idle => {
                    if stalls {
                        return Err(ReadEnd::Stalled);
                    }
                    if self.shared.idle_ms_max.is_some() && self.slots.is_idle() {
                        return Err(ReadEnd::Idle);
                    }
                }
            }
        }
    }
}
