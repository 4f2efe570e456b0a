//! One connection: the half that reads requests, hands them to `api` and queues their answers, and the half that
//! writes. Both run in one task; when one ends, the connection does. Effects of requests stand, answers that still
//! wait are dropped.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;
use tokio::sync::watch;

use super::admission::{Admission, Exhausted, Permit};
use super::arrival::{Arrival, patience_s};
use super::places::{Place, Places};
use super::reply::{Queue, Slot, WriteEnd};
use crate::api::{self, Answer, ApiKey, Connection, Refused};
use crate::broker::Broker;
use crate::limits::{
    ANSWER_BYTE_COST, DRAIN_MS_MAX, FIRST_REQUEST_BYTES_MAX, HELD_UP_SHORT_MS_MAX, REQUEST_BYTES_FREE,
    REQUEST_BYTES_PER_TURN_MAX, REQUESTS_PER_TURN_MAX, SHUTDOWN_DRAIN_MS_MAX, UNTAKEN_SHORT_MS_MAX,
};
use crate::replica::complaints::Complaints;
use crate::wire::foreign::{self, Foreign};
use crate::wire::frame::{FrameError, Inbound, LENGTH_BYTES};

/// How often a connection that is not read looks whether its client is gone, or it has to end.
const CHECK_MS: u64 = 250;

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
    /// What was logged of clients that were refused.
    pub complaints: Arc<Complaints>,
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
    #[error("a request arrives too slowly: {bytes} bytes in {seconds} s")]
    Slow { bytes: usize, seconds: u32 },
    #[error("the client takes none of its answers, and memory for answers is short")]
    Untaken,
    #[error(
        "memory is short, and requests hold some behind others that are not answered or answers not taken"
    )]
    HeldUp,
    #[error(transparent)]
    Foreign(#[from] Foreign),
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
        let queue = Queue::new(shared.admission.answers());
        let (read_half, write_half) = stream.split();
        let mut reader = Reader {
            permit: shared.admission.permit(),
            shared: &shared,
            connection: &connection,
            socket: read_half,
            queue: &queue,
            inbound: Inbound::default(),
            place: &place,
            is_known: false,
            held_up_ms: 0,
        };
        let reading = pin!(reader.run());
        // One future to the end: it holds the answer that is waited for and the bytes that are half written.
        let wrote = |bytes: usize| {
            shared.broker.counters.sent_bytes.add(bytes as u64);
            place.used(shared.broker.clock.now().mono_ms);
        };
        let mut writing = pin!(queue.write_all(&write_half, wrote));
        let drain_ms_max = match queue.both(reading, writing.as_mut()).await {
            Ok(end) => {
                queue.close();
                log_read_end(&end, connection.peer, &shared);
                drain_ms_max(&end)
            }
            Err(end) => {
                log_write_end(&end, connection.peer, &shared);
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

fn log_write_end(end: &Result<(), WriteEnd>, peer: SocketAddr, shared: &Shared) {
    match end {
        Err(WriteEnd::Refused(error)) => complain(error, "request", peer, shared),
        end => tracing::debug!("connection of {peer}: {end:?}"),
    }
}

fn log_read_end(end: &ReadEnd, peer: SocketAddr, shared: &Shared) {
    let kind = match end {
        ReadEnd::Eof | ReadEnd::Io(_) | ReadEnd::Stopping | ReadEnd::Idle | ReadEnd::GivenUp => {
            return tracing::debug!("connection of {peer}: {end}");
        }
        ReadEnd::Foreign(Foreign::Http) => "http",
        ReadEnd::Foreign(Foreign::Tls) => "tls",
        ReadEnd::Slow { .. } => "slow",
        ReadEnd::Untaken => "untaken",
        ReadEnd::Memory(_) | ReadEnd::HeldUp => "memory",
        ReadEnd::Frame(_) | ReadEnd::Refused(_) => "request",
    };
    complain(end, kind, peer, shared);
}

/// One line a minute for each kind of trouble: whoever makes it can come back a thousand times a second.
fn complain(end: &impl std::fmt::Display, kind: &'static str, peer: SocketAddr, shared: &Shared) {
    shared.broker.counters.refuse(kind);
    if shared.complaints.is_news(kind, shared.broker.clock.now()) {
        tracing::warn!("closing the connection of {peer}: {end} (said once a minute)");
    } else {
        tracing::debug!("closing the connection of {peer}: {end}");
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
    /// The client has shown a request that is one.
    is_known: bool,
    /// For how long requests that hold memory were not handled, because those before them are not answered.
    held_up_ms: u32,
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
            if self.has_to_wait_for_answers() {
                Box::pin(self.wait_for_answers()).await?;
            }
            // What `while let` matches would have its room in every connection.
            let Some((mut answer, cost)) = self.handle_next()? else { break };
            requests += 1;
            bytes = bytes.saturating_add(cost);
            while let Answer::Then(future) = answer {
                answer = future.await?;
            }
            // What arrives behind it goes on needing some.
            self.permit.delivered(self.inbound.needed_bytes(REQUEST_BYTES_FREE), self.inbound.held_bytes());
            if !self.permit.is_held() {
                self.held_up_ms = 0;
            }
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
            self.place.arrives();
        }
        Ok(())
    }

    /// Handles the next request if all of it has arrived; what becomes of it, and what it counts for in this turn, in bytes
    /// of requests. Not async: the frame would
    /// have its room in every connection.
    fn handle_next(&mut self) -> Result<Option<(Answer, usize)>, ReadEnd> {
        let taken = self.inbound.next_frame(self.shared.request_bytes_max);
        if !self.is_known && !matches!(taken, Ok(Some(_))) {
            self.check_first_bytes()?;
        }
        let Some(frame) = taken? else { return Ok(None) };
        self.place.arrived();
        let now = self.shared.broker.clock.now();
        self.place.used(now.mono_ms);
        let answer = api::dispatch(&self.shared.broker, self.connection, &frame, now)?;
        self.is_known = true;
        // A few bytes may ask for an answer that takes long to make.
        let answer_bytes = if let Answer::Now(made) = &answer { made.memory_bytes() } else { 0 };
        let cost = frame.len().saturating_add(answer_bytes.saturating_mul(ANSWER_BYTE_COST));
        Ok(Some((answer, cost)))
    }

    /// Whether the next request may lead to a large answer, and memory for answers is short.
    fn has_to_wait_for_answers(&self) -> bool {
        // Every client needs metadata, and most of it is small: it goes on for longer.
        let times = |key| if key == ApiKey::Metadata as i16 { 2 } else { 1 };
        self.shared.admission.is_short_of_answers()
            && self.inbound.whole_key().is_some_and(|key| {
                api::may_answer_much(key) && self.shared.admission.answers_are_over(times(key))
            })
    }

    /// Waits until others have taken theirs, or were closed because they do not.
    async fn wait_for_answers(&mut self) -> Result<(), ReadEnd> {
        self.place.arrived();
        while self.has_to_wait_for_answers() {
            let since_ms = self.shared.broker.clock.now().mono_ms;
            tokio::time::sleep(Duration::from_millis(CHECK_MS)).await;
            self.is_held_up(since_ms)?;
            if let Some(end) = self.has_to_end() {
                return Err(end);
            }
            if self.is_client_gone().await {
                return Err(ReadEnd::Eof);
            }
        }
        Ok(())
    }

    /// Looks at what is there of a connection's first request: whoever speaks something else is told so at once, and gets
    /// no memory for it.
    fn check_first_bytes(&mut self) -> Result<(), ReadEnd> {
        let first = self.inbound.first_bytes();
        if let Some(foreign) = foreign::recognise(first) {
            return Err(foreign.into());
        }
        let Some(key_and_version) = first.get(LENGTH_BYTES..).and_then(<[u8]>::first_chunk) else {
            return Ok(());
        };
        api::check_served(*key_and_version)?;
        if self.inbound.len() > FIRST_REQUEST_BYTES_MAX {
            api::check_header(&self.inbound.front())?;
            self.is_known = true;
        }
        Ok(())
    }

    /// Queues an answer. `false` when the next request has to wait until there is room.
    fn push(&self, answer: Answer) -> bool {
        match answer {
            Answer::Now(frame) => self.queue.push(Slot::Ready(frame)),
            Answer::Later(future) => self.queue.push(Slot::Waiting(future)),
            Answer::Parked(future) => self.queue.push(Slot::Parked(future)),
            Answer::Silent | Answer::Then(_) => true,
        }
    }

    /// While the queue is full nothing is read, but a client that has gone is noticed, and when the broker stops a
    /// client that does not read its answers is given up.
    async fn wait_for_room(&mut self) -> Result<(), ReadEnd> {
        // Nothing is read meanwhile, which is not the client's slowness.
        self.place.arrived();
        let mut stopping = self.shared.stopping.clone();
        let overdue = async {
            let _ = stopping.wait_for(|stopping| *stopping).await;
            tokio::time::sleep(Duration::from_millis(SHUTDOWN_DRAIN_MS_MAX)).await;
        };
        let mut overdue = pin!(overdue);
        loop {
            let since_ms = self.shared.broker.clock.now().mono_ms;
            let pause = tokio::time::sleep(Duration::from_millis(CHECK_MS));
            let has_room = tokio::select! {
                biased;
                () = self.queue.room() => true,
                () = &mut overdue => return Err(ReadEnd::Stopping),
                () = pause => false,
            };
            self.is_held_up(since_ms)?;
            if has_room {
                // Looked at here, too: a client that takes its answers slowly makes room before each pause is over.
                return self.has_to_end().map_or(Ok(()), Err);
            }
            if let Some(end) = self.has_to_end().filter(|end| !matches!(end, ReadEnd::Stopping)) {
                return Err(end);
            }
            if self.is_client_gone().await {
                return Err(ReadEnd::Eof);
            }
        }
    }

    /// Counts the time for which requests were held up that hold memory, and refuses when others wait too long for it.
    fn is_held_up(&mut self, since_ms: i64) -> Result<(), ReadEnd> {
        if !self.permit.is_held() {
            return Ok(());
        }
        let waited_ms = self.shared.broker.clock.now().mono_ms.saturating_sub(since_ms);
        self.held_up_ms = self.held_up_ms.saturating_add(u32::try_from(waited_ms).unwrap_or(0));
        if self.shared.admission.is_short() && u64::from(self.held_up_ms) >= HELD_UP_SHORT_MS_MAX {
            return Err(ReadEnd::HeldUp);
        }
        Ok(())
    }

    /// Bytes that wait unread keep the socket readable, so readiness is looked at, not waited for.
    async fn is_client_gone(&self) -> bool {
        let ready = self.socket.ready(tokio::io::Interest::READABLE);
        let ready = tokio::time::timeout(Duration::ZERO, ready).await;
        matches!(ready, Ok(Ok(ready)) if ready.is_read_closed())
    }

    async fn read_more(&mut self) -> Result<(), ReadEnd> {
        self.read().await?;
        let needed = self.inbound.needed_bytes(REQUEST_BYTES_FREE);
        if needed > 0 && !self.permit.try_cover(needed) {
            Box::pin(self.cover(needed)).await?;
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
                // Who has no memory yet while others wait for some gets no more than what costs nothing.
                let is_poor = !self.permit.is_held() && self.shared.admission.is_short();
                let ahead_bytes_max = if is_poor { REQUEST_BYTES_FREE } else { usize::MAX };
                polled = pin!(self.socket.read_buf(self.inbound.space_within(ahead_bytes_max))).poll(context);
            }
            match polled {
                Poll::Pending => {
                    self.inbound.release();
                    Poll::Pending
                }
                Poll::Ready(Ok(0)) => Poll::Ready(Err(ReadEnd::Eof)),
                Poll::Ready(Ok(bytes)) => {
                    self.inbound.arrived(bytes);
                    self.shared.broker.counters.received_bytes.add(bytes as u64);
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
        } else if self.is_untaken() {
            Some(ReadEnd::Untaken)
        } else {
            self.is_slow()
        }
    }

    /// Whether the request that arrives does so too slowly.
    fn is_slow(&self) -> Option<ReadEnd> {
        let seconds = self.place.arriving_s()?;
        let bytes = self.inbound.len().saturating_sub(self.place.arrived_before());
        let is_in_the_way = self.permit.is_held() && self.shared.admission.is_short();
        let arrival = Arrival {
            seconds,
            bytes,
            bytes_announced: self.inbound.needed_bytes(REQUEST_BYTES_FREE),
            is_in_the_way,
        };
        if arrival.is_too_slow() {
            return Some(ReadEnd::Slow { bytes, seconds });
        }
        if seconds >= patience_s(is_in_the_way) {
            // Whoever was fast enough so far may still stop.
            self.place.arrives_on(self.inbound.len());
        }
        None
    }

    /// Whether the client takes nothing of answers whose memory others need.
    fn is_untaken(&self) -> bool {
        self.queue.is_in_the_way()
            && self.place.unused_ms(self.shared.broker.clock.now().mono_ms) >= UNTAKEN_SHORT_MS_MAX
    }

    /// Whether for `connections.max.idle.ms` nothing arrived and nothing was sent, and what is outstanding is nothing but
    /// the client's taking of an answer.
    fn is_idle(&self) -> bool {
        let Some(ms_max) = self.shared.idle_ms_max else { return false };
        self.place.unused_ms(self.shared.broker.clock.now().mono_ms) >= ms_max
            && self.queue.waits_for_client()
    }

    /// Waits for the memory that a request needs; a client that has gone is noticed.
    async fn cover(&mut self, bytes: usize) -> Result<(), ReadEnd> {
        // Nothing is read meanwhile, which is not the client's slowness.
        let waited = self.place.pause_arrival();
        let mut permit = std::mem::replace(&mut self.permit, self.shared.admission.permit());
        let covered = async {
            let mut covering = pin!(permit.cover(bytes));
            loop {
                tokio::select! {
                    biased;
                    covered = covering.as_mut() => return Ok(covered?),
                    () = tokio::time::sleep(Duration::from_millis(CHECK_MS)) => {}
                }
                if let Some(end) = self.has_to_end() {
                    return Err(end);
                }
                if self.is_client_gone().await {
                    return Err(ReadEnd::Eof);
                }
            }
        };
        let covered = covered.await;
        self.permit = permit;
        self.place.resume_arrival(waited);
        covered
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
