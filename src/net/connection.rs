//! One connection: the half that reads requests, hands them to `api` and queues their answers, and the half that
//! writes. Both run in one task; when one ends, the connection does. Effects of requests stand, answers that still
//! wait are dropped.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;
use tokio::sync::watch;

use super::admission::{Admission, Exhausted, Permit};
use super::places::{Place, Places};
use super::reply::{Queue, Slot, WriteEnd};
use crate::api::{self, Answer, Connection, Refused};
use crate::broker::Broker;
use crate::limits::{
    DRAIN_MS_MAX, REQUEST_BYTES_PER_TURN_MAX, REQUESTS_PER_TURN_MAX, SHUTDOWN_DRAIN_MS_MAX,
    STALLED_REQUEST_MS_MAX,
};
use crate::wire::frame::{FrameError, Inbound};

/// How often a connection that is not read looks whether its client is gone.
const GONE_CHECK_MS: u64 = 100;

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
pub async fn serve(mut stream: TcpStream, connection: Arc<Connection>, shared: Arc<Shared>, place: Place) {
    let peer = connection.peer;
    let queue = Queue::default();
    let (read_half, write_half) = stream.split();
    let mut reader = Reader {
        permit: shared.admission.permit(),
        shared: &shared,
        connection: &connection,
        socket: read_half,
        queue: &queue,
        inbound: Inbound::default(),
        place: &place,
    };
    let ending = pin!(told_to_end(&shared, &place, &queue));
    let reading = pin!(reader.run(ending));
    // One future to the end: it holds the answer that is waited for and the bytes that are half written.
    let wrote = || place.used(shared.broker.clock.now().mono_ms);
    let mut writing = pin!(queue.write_all(&write_half, wrote));
    match queue.both(reading, writing.as_mut()).await {
        Ok(end) => {
            queue.close();
            log_read_end(&end, peer);
            // Boxed, so that a connection has no room for it while it lives.
            Box::pin(drain(&end, writing)).await;
        }
        Err(Err(WriteEnd::Refused(error))) => tracing::warn!("closing the connection of {peer}: {error}"),
        Err(end) => tracing::debug!("connection of {peer}: {end:?}"),
    }
}

/// Why a connection has to end that would be read otherwise. One future for its whole life: to wait anew with each read
/// costs more than the read.
async fn told_to_end(shared: &Shared, place: &Place, queue: &Queue) -> ReadEnd {
    let mut stopping = shared.stopping.clone();
    tokio::select! {
        biased;
        _ = stopping.wait_for(|stopping| *stopping) => ReadEnd::Stopping,
        () = place.given_up() => ReadEnd::GivenUp,
        () = idle_too_long(shared, place, queue) => ReadEnd::Idle,
    }
}

/// Waits until for `connections.max.idle.ms` nothing arrived, nothing was sent, and what was outstanding was nothing but
/// the client's taking of an answer.
async fn idle_too_long(shared: &Shared, place: &Place, queue: &Queue) {
    let Some(ms_max) = shared.idle_ms_max else { return std::future::pending().await };
    let mut wait_ms = ms_max;
    loop {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        let unused_ms = shared.broker.clock.now().mono_ms.saturating_sub(place.used_mono_ms());
        wait_ms = match ms_max.checked_sub(unused_ms.max(0).unsigned_abs()) {
            _ if !queue.waits_for_client() => ms_max,
            None | Some(0) => return,
            Some(left_ms) => left_ms,
        };
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

struct Reader<'a> {
    shared: &'a Shared,
    connection: &'a Arc<Connection>,
    socket: ReadHalf<'a>,
    queue: &'a Queue,
    inbound: Inbound,
    place: &'a Place,
    permit: Permit,
}

impl Reader<'_> {
    /// Reads and handles until the connection ends, or `ending` says that it has to, which is asked before each read: a
    /// client that never pauses must not keep the broker from stopping, nor its place.
    async fn run(&mut self, mut ending: Pin<&mut impl Future<Output = ReadEnd>>) -> ReadEnd {
        loop {
            if let Err(end) = self.handle_arrived().await {
                return end;
            }
            if let Err(end) = self.read_more(ending.as_mut()).await {
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
            let mut answer = api::dispatch(&self.shared.broker, self.connection, &frame, now)?;
            while let Answer::Then(future) = answer {
                answer = future.await?;
            }
            self.permit.release();
            let has_room = match answer {
                Answer::Now(frame) => self.queue.push(Slot::Ready(frame)),
                Answer::Later(future) => self.queue.push(Slot::Waiting(future)),
                Answer::Silent | Answer::Then(_) => true,
            };
            if !has_room {
                Box::pin(self.wait_for_room()).await?;
            }
            if requests >= REQUESTS_PER_TURN_MAX || bytes >= REQUEST_BYTES_PER_TURN_MAX {
                (requests, bytes) = (0, 0);
                tokio::task::yield_now().await;
            }
        }
        if !self.inbound.is_empty() {
            // A part of a request is use, too.
            self.place.used(self.shared.broker.clock.now().mono_ms);
        }
        Ok(())
    }

    /// While the queue is full nothing is read, but a client that has gone is noticed, and when the broker stops a
    /// client that does not read its answers is given up.
    async fn wait_for_room(&self) -> Result<(), ReadEnd> {
        let mut stopping = self.shared.stopping.clone();
        let overdue = async {
            let _ = stopping.wait_for(|stopping| *stopping).await;
            tokio::time::sleep(Duration::from_millis(SHUTDOWN_DRAIN_MS_MAX)).await;
        };
        let (mut overdue, mut given_up) = (pin!(overdue), pin!(self.place.given_up()));
        let mut idle = pin!(idle_too_long(self.shared, self.place, self.queue));
        loop {
            let pause = tokio::time::sleep(Duration::from_millis(GONE_CHECK_MS));
            tokio::select! {
                biased;
                () = self.queue.room() => return Ok(()),
                () = &mut overdue => return Err(ReadEnd::Stopping),
                () = &mut given_up => return Err(ReadEnd::GivenUp),
                () = &mut idle => return Err(ReadEnd::Idle),
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

    async fn read_more(&mut self, ending: Pin<&mut impl Future<Output = ReadEnd>>) -> Result<(), ReadEnd> {
        if self.permit.is_held() {
            // What holds memory that others wait for has to get on.
            let limit = Duration::from_millis(STALLED_REQUEST_MS_MAX);
            let read = Box::pin(tokio::time::timeout(limit, self.read(ending)));
            read.await.map_err(|_| ReadEnd::Stalled)??;
        } else {
            self.read(ending).await?;
        }
        if !self.permit.covers(self.inbound.len()) {
            Box::pin(self.cover()).await?;
        }
        Ok(())
    }

    /// Waits for bytes and takes them in. There is no buffer until there are bytes, and after a read that did not fill
    /// it the socket is known to be empty: nothing is asked of it until it is readable again.
    async fn read(&mut self, mut ending: Pin<&mut impl Future<Output = ReadEnd>>) -> Result<(), ReadEnd> {
        poll_fn(|context| {
            if let Poll::Ready(end) = ending.as_mut().poll(context) {
                return Poll::Ready(Err(end));
            }
            let mut polled = self.socket.as_ref().poll_read_ready(context).map_ok(|()| 0);
            if let Poll::Ready(Ok(_)) = polled {
                polled = pin!(self.socket.read_buf(self.inbound.space())).poll(context);
            }
            match polled {
                Poll::Pending => {
                    self.inbound.release();
                    Poll::Pending
                }
                Poll::Ready(Ok(0)) => Poll::Ready(Err(ReadEnd::Eof)),
                Poll::Ready(Ok(bytes)) => {
                    self.inbound.arrived(bytes);
                    Poll::Ready(Ok(()))
                }
                Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            }
        })
        .await
    }

    /// Waits for the memory that a large request needs.
    async fn cover(&mut self) -> Result<(), ReadEnd> {
        let mut stopping = self.shared.stopping.clone();
        tokio::select! {
            covered = self.permit.cover(self.inbound.len()) => Ok(covered?),
            _ = stopping.wait_for(|stopping| *stopping) => Err(ReadEnd::Stopping),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a future, without a value of it.
    fn size_of_output<A, B, C, D, F>(_: fn(A, B, C, D) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_connection_that_waits_takes_little_memory() {
        let bytes = size_of_output(serve);
        assert!(bytes <= 2048, "{bytes}");
    }
}
