//! The ordered queue of a connection's answers and the half that writes them. An answer leaves when all before it
//! have; only the front one is waited for. Reader and writer share one task and wake nobody: see [`Queue::both`].

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::net::tcp::WriteHalf;

use super::admission::Untaken;
use crate::api::{BoxFuture, Refused};
use crate::limits::{
    BROUGHT_BYTES_MIN, PARKED_REQUESTS_MAX, QUEUED_ANSWER_BYTES_MAX, UNANSWERED_REQUESTS_MAX,
    WRITE_BYTES_MAX, WRITE_SLICES_MAX,
};
use crate::wire::frame::Frame;
use crate::wire::slices::{Slice, Stored};

/// Places that the queues keep while nothing is in them.
const PLACES_KEPT: usize = 8;

/// One request's place in the order of answers.
pub(super) enum Slot {
    /// The answer is there.
    Ready(Frame),
    /// The answer is outstanding.
    Waiting(BoxFuture<Result<Frame, Refused>>),
    /// The same, and the client chose to wait.
    Parked(BoxFuture<Result<Frame, Refused>>),
}

/// Why writing ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteEnd {
    /// The socket failed.
    #[error("cannot write: {0}")]
    Io(#[from] io::Error),
    /// An answer turned out to be none.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// What one connection has to answer.
pub(super) struct Queue {
    state: Mutex<State>,
}

struct State {
    slots: VecDeque<Slot>,
    /// What all answers that are there take of the memory that connections share.
    untaken: Untaken,
    /// Requests whose answers are not written, the one that the writer holds included.
    unanswered: u32,
    /// Of these, the ones that clients chose to wait for.
    parked: u8,
    /// Bytes of answers that were there when they were queued and are not written.
    bytes: usize,
    /// Answers are there that the client has to take.
    is_writing: bool,
    /// The reader waits until there is room.
    reader_waits: bool,
    /// Nothing more is queued.
    closed: bool,
}

impl State {
    fn has_room(&self) -> bool {
        self.slots.len() < UNANSWERED_REQUESTS_MAX
            && usize::from(self.parked) < PARKED_REQUESTS_MAX
            && self.bytes <= QUEUED_ANSWER_BYTES_MAX
            && !self.untaken.is_in_the_way()
    }
}

impl Queue {
    /// A queue with nothing in it.
    pub(super) fn new(untaken: Untaken) -> Self {
        let state = State {
            slots: VecDeque::new(),
            untaken,
            unanswered: 0,
            parked: 0,
            bytes: 0,
            is_writing: false,
            reader_waits: false,
            closed: false,
        };
        Self { state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs both halves until one ends. Each finds out what the other did by being polled after it, which costs
    /// nothing; a waker would send the task through the scheduler, and to another thread, for every answer.
    pub(super) fn both<R, W>(
        &self,
        mut reading: Pin<&mut impl Future<Output = R>>,
        mut writing: Pin<&mut impl Future<Output = W>>,
    ) -> impl Future<Output = Result<R, W>> {
        poll_fn(move |context| {
            loop {
                if let Poll::Ready(end) = reading.as_mut().poll(context) {
                    return Poll::Ready(Ok(end));
                }
                if let Poll::Ready(end) = writing.as_mut().poll(context) {
                    return Poll::Ready(Err(end));
                }
                let mut state = self.lock();
                if !(state.reader_waits && state.has_room()) {
                    return Poll::Pending;
                }
                state.reader_waits = false;
            }
        })
    }

    /// Queues an answer. `false` when the next request has to wait for [`Self::room`].
    #[must_use]
    pub(super) fn push(&self, slot: Slot) -> bool {
        let mut state = self.lock();
        if let Slot::Ready(frame) = &slot {
            state.bytes = state.bytes.saturating_add(frame.size_bytes());
            state.untaken.add(memory_bytes(frame) as usize);
        }
        state.parked = state.parked.saturating_add(u8::from(matches!(slot, Slot::Parked(_))));
        state.unanswered = state.unanswered.saturating_add(1);
        state.slots.push_back(slot);
        state.has_room()
    }

    /// Waits while too many or too large answers are queued. To be polled inside [`Self::both`].
    pub(super) async fn room(&self) {
        poll_fn(|_| {
            let mut state = self.lock();
            state.reader_waits = !state.has_room();
            if state.reader_waits { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    /// Whether it is the client's turn: to send a request, or to take an answer.
    pub(super) fn waits_for_client(&self) -> bool {
        let state = self.lock();
        state.unanswered == 0 || state.is_writing
    }

    /// Whether answers that the client does not take are a part of what makes memory short.
    pub(super) fn is_in_the_way(&self) -> bool {
        self.lock().untaken.is_in_the_way()
    }

    /// Nothing more will be queued: writing ends when all is written.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    /// Writes answers until the queue is closed and all are written; calls `wrote` each time after some are. To be polled
    /// inside [`Self::both`], or after the queue was closed.
    #[expect(clippy::manual_async_fn, reason = "an async function keeps its arguments twice")]
    pub(super) fn write_all(
        &self,
        socket: &WriteHalf<'_>,
        wrote: impl Fn(usize),
    ) -> impl Future<Output = Result<(), WriteEnd>> {
        async move {
            let mut turn = Turn::default();
            while poll_fn(|context| self.poll_turn(&mut turn, context)).await? {
                self.lock().is_writing = true;
                write_chunks(socket, &mut turn.chunks, &wrote).await?;
                self.written(&mut turn);
            }
            Ok(())
        }
    }

    /// Waits for an answer and takes those behind it that are there without waiting. `false` when all were taken and no
    /// more will come.
    fn poll_turn(&self, turn: &mut Turn, context: &mut Context<'_>) -> Poll<Result<bool, Refused>> {
        while turn.has_room() {
            match self.poll_next(&mut turn.front, context) {
                Poll::Ready(Ok(Some((frame, counted)))) => {
                    if !counted {
                        self.lock().untaken.add(memory_bytes(&frame) as usize);
                    }
                    turn.add(frame, counted);
                }
                // The answers before it leave first.
                Poll::Ready(Err(error)) if turn.answers > 0 => {
                    turn.front = Some(Slot::Waiting(Box::pin(std::future::ready(Err(error)))));
                    break;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                _ if turn.answers > 0 => break,
                Poll::Ready(Ok(None)) => return Poll::Ready(Ok(false)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(true))
    }

    /// The next answer, and whether the queue counts its bytes; `None` when the queue is closed and empty.
    fn poll_next(
        &self,
        front: &mut Option<Slot>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<(Frame, bool)>, Refused>> {
        match front.take().map_or_else(|| self.pop(), |slot| Poll::Ready(Some(slot))) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(Ok(None)),
            Poll::Ready(Some(Slot::Ready(frame))) => Poll::Ready(Ok(Some((frame, true)))),
            Poll::Ready(Some(Slot::Parked(mut future))) => match future.as_mut().poll(context) {
                Poll::Ready(frame) => {
                    let mut state = self.lock();
                    state.parked = state.parked.saturating_sub(1);
                    Poll::Ready(frame.map(|frame| Some((frame, false))))
                }
                Poll::Pending => {
                    *front = Some(Slot::Parked(future));
                    Poll::Pending
                }
            },
            Poll::Ready(Some(Slot::Waiting(mut future))) => match future.as_mut().poll(context) {
                Poll::Ready(frame) => Poll::Ready(frame.map(|frame| Some((frame, false)))),
                Poll::Pending => {
                    *front = Some(Slot::Waiting(future));
                    Poll::Pending
                }
            },
        }
    }

    fn pop(&self) -> Poll<Option<Slot>> {
        let mut state = self.lock();
        match state.slots.pop_front() {
            Some(slot) => Poll::Ready(Some(slot)),
            None if state.closed => Poll::Ready(None),
            None => {
                state.slots.shrink_to(PLACES_KEPT);
                Poll::Pending
            }
        }
    }

    fn written(&self, turn: &mut Turn) {
        let mut state = self.lock();
        state.is_writing = false;
        state.untaken.sub(turn.memory as usize);
        state.bytes = state.bytes.saturating_sub(turn.bytes_counted);
        state.unanswered = state.unanswered.saturating_sub(turn.answers);
        drop(state);
        (turn.answers, turn.bytes, turn.bytes_counted, turn.memory) = (0, 0, 0, 0);
        turn.chunks.shrink_to(PLACES_KEPT);
    }
}

/// Bytes of memory of an answer, which is smaller than 2 GiB.
fn memory_bytes(frame: &Frame) -> u32 {
    u32::try_from(frame.memory_bytes()).unwrap_or(u32::MAX)
}

/// What is written at once.
#[derive(Default)]
struct Turn {
    chunks: VecDeque<Slice>,
    answers: u32,
    /// Bytes of memory.
    memory: u32,
    bytes: usize,
    /// Of these, the ones that the queue counts.
    bytes_counted: usize,
    /// A slot that was looked at and was not ready.
    front: Option<Slot>,
}

impl Turn {
    fn add(&mut self, frame: Frame, counted: bool) {
        let bytes = frame.size_bytes();
        self.answers = self.answers.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        self.memory = self.memory.saturating_add(memory_bytes(&frame));
        if counted {
            self.bytes_counted = self.bytes_counted.saturating_add(bytes);
        }
        self.chunks.extend(frame.chunks);
    }

    fn has_room(&self) -> bool {
        self.bytes < WRITE_BYTES_MAX && self.chunks.len() < WRITE_SLICES_MAX
    }
}

/// Writes all chunks, as many as possible with each system call; calls `wrote` after each.
async fn write_chunks(
    socket: &WriteHalf<'_>,
    chunks: &mut VecDeque<Slice>,
    wrote: impl Fn(usize),
) -> io::Result<()> {
    while !chunks.is_empty() {
        if !bring(chunks)? {
            Box::pin(bring_blocking(chunks)).await?;
        }
        match try_write(socket, chunks) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                consume(chunks, written);
                wrote(written);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll_fn(|context| socket.as_ref().poll_write_ready(context)).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads the first piece of what is stored, unless there is enough in memory for the next write: an answer is in memory
/// piece by piece, however large it is, and a piece is still in the processor's cache when it is written. `false` when
/// the front has to be waited for: the disk has it.
fn bring(chunks: &mut VecDeque<Slice>) -> io::Result<bool> {
    let (mut at, mut bytes) = (0_usize, 0_usize);
    let stored = loop {
        match chunks.get_mut(at) {
            Some(Slice::Here(here)) => bytes = bytes.saturating_add(here.len()),
            Some(Slice::Stored(_)) if bytes >= BROUGHT_BYTES_MIN || at >= WRITE_SLICES_MAX => {
                return Ok(true);
            }
            Some(Slice::Stored(stored)) if bytes > 0 && stored.is_short() => return Ok(true),
            Some(Slice::Stored(stored)) => break stored,
            None => return Ok(true),
        }
        at = at.saturating_add(1);
    };
    match stored.read(false) {
        // What comes before does not wait for the disk.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(at > 0),
        read => put(chunks, at, read?),
    }
    Ok(true)
}

/// Reads the first piece of what is stored at the front, however long that takes.
async fn bring_blocking(chunks: &mut VecDeque<Slice>) -> io::Result<()> {
    if let Some(Slice::Stored(stored)) = chunks.front_mut() {
        let read = read_blocking(stored).await?;
        put(chunks, 0, read);
    }
    Ok(())
}

/// Puts a piece before the stored slice that it was read from.
fn put(chunks: &mut VecDeque<Slice>, at: usize, read: Bytes) {
    if chunks.get(at).is_some_and(Slice::is_empty) {
        chunks.remove(at);
    }
    chunks.insert(at, read.into());
}

/// Reads on the pool for blocking work.
async fn read_blocking(stored: &mut Stored) -> io::Result<Bytes> {
    let mut own = stored.clone();
    let reading = tokio::task::spawn_blocking(move || own.read(true).map(|bytes| (own, bytes)));
    let (rest, bytes) = reading.await.map_err(io::Error::other)??;
    *stored = rest;
    Ok(bytes)
}

/// One system call, with what is in memory at the front. Not async: its slices would be kept by every connection.
fn try_write(socket: &WriteHalf<'_>, chunks: &VecDeque<Slice>) -> io::Result<usize> {
    let mut slices = [IoSlice::new(&[]); WRITE_SLICES_MAX];
    let mut count = 0;
    for (slice, chunk) in slices.iter_mut().zip(chunks) {
        let Slice::Here(chunk) = chunk else { break };
        *slice = IoSlice::new(chunk);
        count += 1;
    }
    socket.try_write_vectored(slices.get(..count).unwrap_or_default())
}

/// Drops the first `written` bytes.
fn consume(chunks: &mut VecDeque<Slice>, mut written: usize) {
    while let Some(Slice::Here(front)) = chunks.front_mut() {
        if written < front.len() {
            front.advance(written);
            return;
        }
        written -= front.len();
        chunks.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use kafka_protocol::messages::ApiKey;
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::oneshot;

    use super::super::admission::Admission;
    use super::*;
    use crate::limits::ANSWER_MEMORY_BYTES_MAX;
    use crate::wire::slices::Source;

    fn queue() -> Queue {
        Queue::new(Admission::new(None).answers())
    }

    fn frame(bytes: &'static [u8]) -> Frame {
        Frame { chunks: vec![Bytes::from_static(bytes).into()] }
    }

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        (client.unwrap(), server.unwrap().0)
    }

    #[tokio::test]
    async fn answers_leave_in_the_order_of_their_requests() {
        let (mut client, mut server) = pair().await;
        let (_, socket) = server.split();
        let queue = queue();
        let (late, waits) = oneshot::channel();
        assert!(queue.push(Slot::Waiting(Box::pin(async { Ok(waits.await.unwrap()) }))));
        assert!(queue.push(Slot::Ready(frame(b"second"))));
        assert!(queue.push(Slot::Waiting(Box::pin(async { Ok(frame(b"third")) }))));
        queue.close();
        let mut all = [0; 16];
        let telling = async {
            assert!(!queue.waits_for_client());
            late.send(frame(b"first")).unwrap();
            client.read_exact(&mut all).await.unwrap();
        };
        let (written, ()) = tokio::join!(queue.write_all(&socket, |_| ()), telling);
        written.unwrap();
        assert!(queue.waits_for_client());
        assert_eq!(&all, b"firstsecondthird");
    }

    #[tokio::test]
    async fn the_answers_before_one_that_is_refused_leave() {
        let (mut client, mut server) = pair().await;
        let (_, socket) = server.split();
        let queue = queue();
        let refused = Refused::NotServed { api: ApiKey::Fetch, version: 0 };
        assert!(queue.push(Slot::Ready(frame(b"first"))));
        assert!(queue.push(Slot::Waiting(Box::pin(async { Err(refused) }))));
        let end = queue.write_all(&socket, |_| ()).await.unwrap_err();
        assert!(matches!(end, WriteEnd::Refused(_)), "{end:?}");
        drop(server);
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"first");
    }

    #[tokio::test]
    async fn an_answer_is_written_in_the_turn_in_which_it_was_queued() {
        let (mut client, mut server) = pair().await;
        let (_, socket) = server.split();
        let queue = queue();
        let reading = pin!(async {
            assert!(queue.push(Slot::Ready(frame(b"now"))));
            std::future::pending::<()>().await;
        });
        let writing = pin!(queue.write_all(&socket, |_| ()));
        let mut both = pin!(queue.both(reading, writing));
        let polled = poll_fn(|context| Poll::Ready(both.as_mut().poll(context).is_pending())).await;
        assert!(polled && queue.waits_for_client());
        let mut told = [0; 3];
        client.read_exact(&mut told).await.unwrap();
        assert_eq!(&told, b"now");
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_stops_the_queue_from_growing_until_it_does() {
        let (mut client, mut server) = pair().await;
        let (_, socket) = server.split();
        let queue = queue();
        let big = vec![0; QUEUED_ANSWER_BYTES_MAX / 2];
        let pushed = AtomicUsize::new(0);
        let mut reading = pin!(async {
            while pushed.load(Ordering::Relaxed) < 50 {
                pushed.fetch_add(1, Ordering::Relaxed);
                if !queue.push(Slot::Ready(Frame { chunks: vec![Bytes::from(big.clone()).into()] })) {
                    queue.room().await;
                }
            }
        });
        let mut writing = pin!(queue.write_all(&socket, |_| ()));
        let stuck = queue.both(reading.as_mut(), writing.as_mut());
        assert!(tokio::time::timeout(std::time::Duration::from_millis(300), stuck).await.is_err());
        assert!(pushed.load(Ordering::Relaxed) < 50, "the queue has no bound");
        let draining =
            tokio::spawn(async move { while client.read(&mut vec![0; 1 << 20]).await.unwrap() > 0 {} });
        assert!(queue.both(reading, writing).await.is_ok());
        draining.abort();
    }

    #[tokio::test]
    async fn requests_wait_while_too_many_are_unanswered() {
        let queue = queue();
        let push = || queue.push(Slot::Waiting(Box::pin(std::future::pending())));
        assert!((1..UNANSWERED_REQUESTS_MAX).all(|_| push()));
        assert!(!push());
    }

    #[tokio::test]
    async fn few_requests_of_a_connection_wait_because_their_client_wants_them_to() {
        let (mut client, mut server) = pair().await;
        let (_, socket) = server.split();
        let queue = queue();
        let (late, waits) = oneshot::channel();
        let first = Slot::Parked(Box::pin(async { Ok(waits.await.unwrap()) }));
        let more = || queue.push(Slot::Parked(Box::pin(std::future::pending())));
        assert!(queue.push(first) && (2..PARKED_REQUESTS_MAX).all(|_| more()));
        assert!(!more());
        late.send(frame(b"done")).unwrap();
        let writing = pin!(queue.write_all(&socket, |_| ()));
        assert!(queue.both(pin!(queue.room()), writing).await.is_ok());
        client.read_exact(&mut [0; 4]).await.unwrap();
    }

    #[tokio::test]
    async fn while_memory_for_answers_is_short_a_connection_that_has_some_waits_and_others_do_not() {
        let admission = Admission::new(None);
        let mut hoard = admission.answers();
        let [full, empty] = [(); 2].map(|()| Queue::new(admission.answers()));
        let big = || Slot::Ready(Frame { chunks: vec![Bytes::from(vec![0; 100_000]).into()] });
        assert!(full.push(big()));
        hoard.add(ANSWER_MEMORY_BYTES_MAX);
        assert!(full.is_in_the_way() && !full.push(big()));
        assert!(empty.push(Slot::Ready(frame(b"small"))) && !empty.is_in_the_way());
    }

    #[tokio::test]
    async fn what_was_written_is_not_counted_any_more() {
        let (mut client, mut server) = pair().await;
        let (_, socket) = server.split();
        let queue = queue();
        let chunk = || Frame { chunks: vec![Bytes::from(vec![0; 10_000]).into()] };
        assert!(queue.push(Slot::Ready(chunk())));
        assert!(queue.push(Slot::Waiting(Box::pin(async move { Ok(chunk()) }))));
        assert_eq!(queue.lock().untaken.bytes(), 10_000);
        queue.close();
        let mut all = vec![0; 20_000];
        let (written, read) = tokio::join!(queue.write_all(&socket, |_| ()), client.read_exact(&mut all));
        written.unwrap();
        read.unwrap();
        assert_eq!(queue.lock().untaken.bytes(), 0);
    }

    #[tokio::test]
    async fn writing_ends_with_the_socket() {
        let (client, mut server) = pair().await;
        drop(client);
        server.readable().await.unwrap();
        let (_, socket) = server.split();
        let queue = queue();
        let written = async {
            loop {
                let _ = queue.push(Slot::Ready(frame(b"lost")));
                if let Poll::Ready(end) = poll_once(queue.write_all(&socket, |_| ())).await {
                    return end;
                }
                tokio::task::yield_now().await;
            }
        };
        assert!(matches!(written.await, Err(WriteEnd::Io(_))));
    }

    async fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
        let mut future = pin!(future);
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
    }

    /// A file that is not in memory the first time that each part is asked for.
    #[derive(Debug, Default)]
    struct Cold(AtomicUsize);

    impl Source for Cold {
        fn read(&self, position: u64, len: usize, may_block: bool) -> io::Result<Bytes> {
            if !may_block {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(Bytes::from(vec![position as u8; len.min(10)]))
        }
    }

    #[tokio::test]
    async fn stored_bytes_are_read_in_their_place_and_no_sooner_than_they_are_sent() {
        let (mut client, mut server) = pair().await;
        let (_, socket) = server.split();
        let cold = Arc::new(Cold::default());
        let stored = |position| Slice::Stored(Stored::new(cold.clone(), position, 15));
        let chunks =
            vec![Bytes::from_static(b"<").into(), stored(3), stored(40), Bytes::from_static(b">").into()];
        let queue = queue();
        assert!(queue.push(Slot::Ready(Frame { chunks })));
        assert_eq!(cold.0.load(Ordering::Relaxed), 0);
        queue.close();
        let mut all = vec![0; 32];
        let (written, read) = tokio::join!(queue.write_all(&socket, |_| ()), client.read_exact(&mut all));
        written.unwrap();
        read.unwrap();
        let expected = [&b"<"[..], &[3; 10], &[13; 5], &[40; 10], &[50; 5], b">"].concat();
        assert_eq!(all, expected);
        assert_eq!(cold.0.load(Ordering::Relaxed), 4);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_any_more_ends_the_connection() {
        #[derive(Debug)]
        struct Short;
        impl Source for Short {
            fn read(&self, _: u64, _: usize, _: bool) -> io::Result<Bytes> {
                Ok(Bytes::new())
            }
        }
        let (_client, mut server) = pair().await;
        let (_, socket) = server.split();
        let queue = queue();
        let chunks = vec![Slice::Stored(Stored::new(Arc::new(Short), 0, 15))];
        assert!(queue.push(Slot::Ready(Frame { chunks })));
        assert!(matches!(queue.write_all(&socket, |_| ()).await, Err(WriteEnd::Io(_))));
    }

    #[tokio::test]
    async fn however_slowly_a_client_takes_an_answer_little_of_it_is_in_memory() {
        static HELD: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        const PIECE: usize = 256 * 1024;
        struct Held(Vec<u8>);
        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        impl Drop for Held {
            fn drop(&mut self) {
                HELD.fetch_sub(self.0.len(), Ordering::Relaxed);
            }
        }
        #[derive(Debug)]
        struct Large;
        impl Source for Large {
            fn read(&self, _: u64, len: usize, _: bool) -> io::Result<Bytes> {
                let piece = Held(vec![7; len.min(PIECE)]);
                let held = HELD.fetch_add(piece.0.len(), Ordering::Relaxed) + piece.0.len();
                MOST.fetch_max(held, Ordering::Relaxed);
                Ok(Bytes::from_owner(piece))
            }
        }
        let (mut client, mut server) = pair().await;
        let (_, socket) = server.split();
        let bytes = 30_000_000;
        let queue = queue();
        let chunks = vec![Slice::Stored(Stored::new(Arc::new(Large), 0, bytes))];
        assert!(!queue.push(Slot::Ready(Frame { chunks })), "the connection is not read meanwhile");
        queue.close();
        let slowly = async {
            let (mut read, mut part) = (0, vec![0; 10_000]);
            while read < bytes {
                read += client.read(&mut part).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(queue.write_all(&socket, |_| ()), slowly);
        written.unwrap();
        assert!(MOST.load(Ordering::Relaxed) <= 2 * PIECE, "{MOST:?}");
    }

    #[test]
    fn consuming_stops_inside_a_chunk() {
        let chunk = |bytes| Slice::from(Bytes::from_static(bytes));
        let mut chunks = VecDeque::from([chunk(b"abc"), chunk(b"def")]);
        consume(&mut chunks, 4);
        assert!(matches!(&chunks.make_contiguous()[..], [Slice::Here(left)] if left == "ef"));
        consume(&mut chunks, 2);
        assert!(chunks.is_empty());
    }
}
