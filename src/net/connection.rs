//! One connection: the half that reads requests, hands them to `api` and queues their answers, and the half that
//! writes. Both run in one task; when one ends, the connection does. Effects of requests stand, answers that still
//! wait are dropped.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
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

/// How often a connection that is not read looks whether its client is gone, or it has to end.
const CHECK_MS: u64 = 100;

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
    /// `connections.max.idle.ms`; `None` is never. Connections look when [`super::places::call_idle`] calls them.
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
#[expect(clippy::manual_async_fn, reason = "an async function keeps its arguments twice")]
pub fn serve(
    mut stream: TcpStream,
    connection: Arc<Connection>,
    shared: Arc<Shared>,
    place: Place,
) -> impl Future<Output = ()> + Send {
    async move {
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
        let reading = pin!(reader.run());
        // One future to the end: it holds the answer that is waited for and the bytes that are half written.
        let wrote = || place.used(shared.broker.clock.now().mono_ms);
        let mut writing = pin!(queue.write_all(&write_half, wrote));
        let drain_ms_max = match queue.both(reading, writing.as_mut()).await {
            Ok(end) => {
                queue.close();
                log_read_end(&end, connection.peer);
                drain_ms_max(&end)
            }
            Err(end) => {
                log_write_end(&end, connection.peer);
                None
            }
        };
        if let Some(ms_max) = drain_ms_max {
            // Boxed, so that a connection has no room for it while it lives.
            Box::pin(drain(ms_max, writing)).await;
        }
    }
}

/// Milliseconds that the answers that are there have to leave; `None` when they cannot.
fn drain_ms_max(end: &ReadEnd) -> Option<u64> {
    match end {
        ReadEnd::Io(_) => None,
        ReadEnd::Stopping => Some(SHUTDOWN_DRAIN_MS_MAX),
        _ => Some(DRAIN_MS_MAX),
    }
}

/// Lets the answers leave that are there.
async fn drain(ms_max: u64, writing: impl Future<Output = Result<(), WriteEnd>>) {
    let drained = tokio::time::timeout(Duration::from_millis(ms_max), writing).await;
    if drained.is_err() {
        tracing::debug!("answers were still outstanding after {ms_max} ms");
    }
}

fn log_write_end(end: &Result<(), WriteEnd>, peer: std::net::SocketAddr) {
    match end {
        Err(WriteEnd::Refused(error)) => tracing::warn!("closing the connection of {peer}: {error}"),
        end => tracing::debug!("connection of {peer}: {end:?}"),
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
    /// Reads and handles until the connection ends.
    async fn run(&mut self) -> ReadEnd {
        loop {
            if let Err(end) = self.handle_arrived().await {
                return end;
            }
            if let Err(end) = self.read_more().await {
                return end;
            }
        }
    }

    /// Handles every whole request that has arrived; lets others have their turn now and then.
    async fn handle_arrived(&mut self) -> Result<(), ReadEnd> {
        let (mut requests, mut bytes) = (0_usize, 0_usize);
        loop {
            // What `while let` matches would have its room in every connection.
            let Some((mut answer, request_bytes)) = self.handle_next()? else { break };
            requests += 1;
            bytes = bytes.saturating_add(request_bytes);
            while let Answer::Then(future) = answer {
                answer = future.await?;
            }
            self.permit.release();
            if !self.push(answer) {
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

    /// Handles the next request if all of it has arrived; what becomes of it, and its bytes. Not async: the frame would
    /// have its room in every connection.
    fn handle_next(&mut self) -> Result<Option<(Answer, usize)>, ReadEnd> {
        let Some(frame) = self.inbound.next_frame(self.shared.request_bytes_max)? else { return Ok(None) };
        let now = self.shared.broker.clock.now();
        self.place.used(now.mono_ms);
        let answer = api::dispatch(&self.shared.broker, self.connection, &frame, now)?;
        Ok(Some((answer, frame.len())))
    }

    /// Queues an answer. `false` when the next request has to wait until there is room.
    fn push(&self, answer: Answer) -> bool {
        match answer {
            Answer::Now(frame) => self.queue.push(Slot::Ready(frame)),
            Answer::Later(future) => self.queue.push(Slot::Waiting(future)),
            Answer::Silent | Answer::Then(_) => true,
        }
    }

    /// While the queue is full nothing is read, but a client that has gone is noticed, and when the broker stops a
    /// client that does not read its answers is given up.
    async fn wait_for_room(&self) -> Result<(), ReadEnd> {
        let mut stopping = self.shared.stopping.clone();
        let overdue = async {
            let _ = stopping.wait_for(|stopping| *stopping).await;
            tokio::time::sleep(Duration::from_millis(SHUTDOWN_DRAIN_MS_MAX)).await;
        };
        let mut overdue = pin!(overdue);
        loop {
            let pause = tokio::time::sleep(Duration::from_millis(CHECK_MS));
            tokio::select! {
                biased;
                // Looked at here, too: a client that takes its answers slowly makes room before each pause is over.
                () = self.queue.room() => return self.has_to_end().map_or(Ok(()), Err),
                () = &mut overdue => return Err(ReadEnd::Stopping),
                () = pause => {}
            }
            if let Some(end) = self.has_to_end().filter(|end| !matches!(end, ReadEnd::Stopping)) {
                return Err(end);
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
        if self.permit.is_held() {
            // What holds memory that others wait for has to get on.
            let limit = Duration::from_millis(STALLED_REQUEST_MS_MAX);
            let read = Box::pin(tokio::time::timeout(limit, self.read()));
            read.await.map_err(|_| ReadEnd::Stalled)??;
        } else {
            self.read().await?;
        }
        if !self.permit.covers(self.inbound.len()) {
            Box::pin(self.cover()).await?;
        }
        Ok(())
    }

    /// Waits for bytes and takes them in. There is no buffer until there are bytes, and after a read that did not fill
    /// it the socket is known to be empty: nothing is asked of it until it is readable again.
    fn read(&mut self) -> impl Future<Output = Result<(), ReadEnd>> {
        poll_fn(|context| {
            // Before each read: a client that never pauses must not keep the broker from stopping, nor its place.
            while self.place.poll_called(context).is_ready() {
                if let Some(end) = self.has_to_end() {
                    return Poll::Ready(Err(end));
                }
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
    }

    /// Why the connection has to end that would be read otherwise. Whoever makes one of these true calls the place
    /// afterwards.
    fn has_to_end(&self) -> Option<ReadEnd> {
        if *self.shared.stopping.borrow() {
            Some(ReadEnd::Stopping)
        } else if self.place.is_given_up() {
            Some(ReadEnd::GivenUp)
        } else if self.is_idle() {
            Some(ReadEnd::Idle)
        } else {
            None
        }
    }

    /// Whether for `connections.max.idle.ms` nothing arrived and nothing was sent, and what is outstanding is nothing but
    /// the client's taking of an answer.
    fn is_idle(&self) -> bool {
        let Some(ms_max) = self.shared.idle_ms_max else { return false };
        self.place.unused_ms(self.shared.broker.clock.now().mono_ms) >= ms_max
            && self.queue.waits_for_client()
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
        // With the 104 bytes that the runtime adds, a task has 768: it is allocated in steps of 128.
        assert!(bytes <= 664, "{bytes}");
    }
}
