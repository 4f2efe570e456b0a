//! The ordered queue of a connection's answers and the half that writes them. An answer leaves when all before it
//! have; only the front one is waited for.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use bytes::{Buf, Bytes};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{Notify, mpsc};

use crate::api::{BoxFuture, Refused};
use crate::limits::{QUEUED_ANSWER_BYTES_MAX, UNANSWERED_REQUESTS_MAX, WRITE_BYTES_MAX, WRITE_SLICES_MAX};
use crate::wire::frame::Frame;

/// One request's place in the order of answers.
pub(super) enum Slot {
    /// The answer is there.
    Ready(Frame),
    /// The answer is outstanding.
    Waiting(BoxFuture<Result<Frame, Refused>>),
}

/// Bytes of answers that wait for the socket.
#[derive(Default)]
struct Queued {
    bytes: AtomicUsize,
    shrunk: Notify,
}

/// The reader's end.
pub(super) struct Slots {
    sender: mpsc::Sender<Slot>,
    queued: Arc<Queued>,
}

/// The writer's end.
pub(super) struct Answers {
    receiver: mpsc::Receiver<Slot>,
    queued: Arc<Queued>,
    /// A slot that was looked at and was not ready.
    front: Option<Slot>,
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

/// A queue for one connection.
pub(super) fn queue() -> (Slots, Answers) {
    let (sender, receiver) = mpsc::channel(UNANSWERED_REQUESTS_MAX);
    let queued = Arc::new(Queued::default());
    (Slots { sender, queued: queued.clone() }, Answers { receiver, queued, front: None })
}

impl Slots {
    /// Queues an answer; waits while too many or too large ones are queued. `false` when the writer is gone.
    pub(super) async fn push(&self, slot: Slot) -> bool {
        if let Slot::Ready(frame) = &slot {
            self.queued.bytes.fetch_add(frame.size_bytes(), Ordering::Relaxed);
        }
        if self.sender.send(slot).await.is_err() {
            return false;
        }
        while self.queued.bytes.load(Ordering::Relaxed) > QUEUED_ANSWER_BYTES_MAX {
            let shrunk = self.queued.shrunk.notified();
            if self.queued.bytes.load(Ordering::Relaxed) <= QUEUED_ANSWER_BYTES_MAX {
                break;
            }
            shrunk.await;
        }
        true
    }

    /// Whether no answer is outstanding.
    pub(super) fn is_idle(&self) -> bool {
        self.sender.capacity() == self.sender.max_capacity() && self.queued.bytes.load(Ordering::Relaxed) == 0
    }
}

impl Answers {
    /// Writes answers until the reader's end is gone and all are written.
    pub(super) async fn write_all(&mut self, socket: &OwnedWriteHalf) -> Result<(), WriteEnd> {
        let mut chunks: VecDeque<Bytes> = VecDeque::new();
        loop {
            let Some(slot) = self.next_slot().await else { return Ok(()) };
            let (frame, counted) = match slot {
                Slot::Ready(frame) => (frame, true),
                Slot::Waiting(future) => (future.await?, false),
            };
            let mut counted_bytes = if counted { frame.size_bytes() } else { 0 };
            let mut bytes = frame.size_bytes();
            chunks.extend(frame.chunks);
            while bytes < WRITE_BYTES_MAX && chunks.len() < WRITE_SLICES_MAX {
                let Some((frame, counted)) = self.ready_slot().await? else { break };
                bytes = bytes.saturating_add(frame.size_bytes());
                if counted {
                    counted_bytes = counted_bytes.saturating_add(frame.size_bytes());
                }
                chunks.extend(frame.chunks);
            }
            let written = write_chunks(socket, &mut chunks).await;
            self.queued.bytes.fetch_sub(counted_bytes, Ordering::Relaxed);
            self.queued.shrunk.notify_one();
            written?;
        }
    }

    async fn next_slot(&mut self) -> Option<Slot> {
        match self.front.take() {
            Some(slot) => Some(slot),
            None => self.receiver.recv().await,
        }
    }

    /// The next answer, if it is there without waiting.
    async fn ready_slot(&mut self) -> Result<Option<(Frame, bool)>, Refused> {
        let slot = match self.front.take() {
            Some(slot) => slot,
            None => match self.receiver.try_recv() {
                Ok(slot) => slot,
                Err(_) => return Ok(None),
            },
        };
        match slot {
            Slot::Ready(frame) => Ok(Some((frame, true))),
            Slot::Waiting(mut future) => {
                match poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
                    Poll::Ready(frame) => Ok(Some((frame?, false))),
                    Poll::Pending => {
                        self.front = Some(Slot::Waiting(future));
                        Ok(None)
                    }
                }
            }
        }
    }
}

/// Writes all chunks, as many as possible with each system call.
async fn write_chunks(socket: &OwnedWriteHalf, chunks: &mut VecDeque<Bytes>) -> io::Result<()> {
    while !chunks.is_empty() {
        let mut slices = [IoSlice::new(&[]); WRITE_SLICES_MAX];
        let mut count = 0;
        for (slice, chunk) in slices.iter_mut().zip(chunks.iter()) {
            *slice = IoSlice::new(chunk);
            count += 1;
        }
        let written = match socket.try_write_vectored(slices.get(..count).unwrap_or_default()) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.writable().await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        consume(chunks, written);
    }
    Ok(())
}

/// Drops the first `written` bytes.
fn consume(chunks: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(front) = chunks.front_mut() {
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
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::oneshot;

    use super::*;

    fn frame(bytes: &'static [u8]) -> Frame {
        Frame { chunks: vec![Bytes::from_static(bytes)] }
    }

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        (client.unwrap(), server.unwrap().0)
    }

    #[tokio::test]
    async fn answers_leave_in_the_order_of_their_requests() {
        let (mut client, server) = pair().await;
        let (_, socket) = server.into_split();
        let (slots, mut answers) = queue();
        let (late, waits) = oneshot::channel();
        slots.push(Slot::Waiting(Box::pin(async { Ok(waits.await.unwrap()) }))).await;
        slots.push(Slot::Ready(frame(b"second"))).await;
        slots.push(Slot::Waiting(Box::pin(async { Ok(frame(b"third")) }))).await;
        drop(slots);
        let writer = tokio::spawn(async move { answers.write_all(&socket).await });
        tokio::task::yield_now().await;
        late.send(frame(b"first")).unwrap();
        writer.await.unwrap().unwrap();
        let mut all = String::new();
        client.read_to_string(&mut all).await.unwrap();
        assert_eq!(all, "firstsecondthird");
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_stops_the_queue_from_growing() {
        let (client, server) = pair().await;
        let (_, socket) = server.into_split();
        let (slots, mut answers) = queue();
        let big = vec![0; QUEUED_ANSWER_BYTES_MAX / 2];
        let writer = tokio::spawn(async move { answers.write_all(&socket).await.is_err() });
        let mut pushed = 0;
        let pushes = async {
            loop {
                let frame = Frame { chunks: vec![Bytes::from(big.clone())] };
                if !slots.push(Slot::Ready(frame)).await {
                    break;
                }
                pushed += 1;
                assert!(pushed < 50, "the queue has no bound");
            }
        };
        let stuck = tokio::time::timeout(std::time::Duration::from_millis(300), pushes).await;
        assert!(stuck.is_err());
        drop(client);
        assert!(writer.await.unwrap());
    }

    #[test]
    fn consuming_stops_inside_a_chunk() {
        let mut chunks = VecDeque::from([Bytes::from_static(b"abc"), Bytes::from_static(b"def")]);
        consume(&mut chunks, 4);
        assert_eq!(chunks, [&b"ef"[..]]);
        consume(&mut chunks, 2);
        assert!(chunks.is_empty());
    }
}
