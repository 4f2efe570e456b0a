//! Between decision and answer: the queue of decided commands, and the thread that writes them, waits for stable
//! storage once for all that wait (group commit), publishes and answers. Order is the journal's; nothing here decides.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use bytes::Bytes;
use tokio::sync::oneshot;
use tracing::{error, warn};

use super::command::{Changes, Command, Reply};
use super::image::Image;
use super::journal::{self, Journal, WriteError};
use super::machine::Machine;
use super::{NoteFailure, Publisher};
use crate::types::{ErrorCode, TopicId};

/// Where a command's answer goes.
pub(super) type Answer = oneshot::Sender<Result<Reply, ErrorCode>>;

/// A decided command. Without records it only waits for what it was decided on.
pub(super) struct Pending {
    records: Vec<Bytes>,
    timestamp_ms: i64,
    after: Arc<Image>,
    changes: Changes,
    reply: Reply,
    answer: Answer,
}

/// What decides and what commits share.
pub(super) struct Shared {
    state: Mutex<State>,
    work: Condvar,
    committed: ArcSwap<Image>,
    /// Held while a change is published, so that a new publisher misses none.
    publisher: Mutex<Option<Arc<dyn Publisher>>>,
}

struct State {
    machine: Machine,
    queue: VecDeque<Pending>,
    /// Whether the thread has taken commands that are not answered yet.
    committing: bool,
    /// Why nothing is decided any more.
    refusing: Option<ErrorCode>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these; if it did, state is only ever replaced as a whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(machine: Machine) -> Self {
        Self {
            committed: ArcSwap::new(Arc::clone(machine.head())),
            state: Mutex::new(State { machine, queue: VecDeque::new(), committing: false, refusing: None }),
            work: Condvar::new(),
            publisher: Mutex::new(None),
        }
    }

    pub(super) fn committed(&self) -> Arc<Image> {
        self.committed.load_full()
    }

    pub(super) fn set_publisher(&self, publisher: Arc<dyn Publisher>) -> Arc<Image> {
        let mut slot = lock(&self.publisher);
        *slot = Some(publisher);
        self.committed()
    }

    /// Decides, and queues or answers. Fails when nothing is decided any more.
    pub(super) fn decide(
        &self,
        command: Command,
        timestamp_ms: i64,
        answer: Answer,
    ) -> Result<(), ErrorCode> {
        let mut state = lock(&self.state);
        if let Some(code) = state.refusing {
            return Err(code);
        }
        let before = Arc::clone(state.machine.head());
        let effects = state.machine.handle(command, &mut TopicId::random).map_err(|defect| {
            error!("the controller contradicts itself: {defect}");
            ErrorCode::UnknownServerError
        })?;
        let records = journal::encode(&effects.records).map_err(|defect| {
            error!("the controller made a record that cannot be written: {defect}");
            state.machine.reset(before);
            ErrorCode::UnknownServerError
        })?;
        if records.is_empty() && state.queue.is_empty() && !state.committing {
            // It was decided on committed metadata. Nobody may be waiting any more, which is fine.
            let _ = answer.send(Ok(effects.reply));
            return Ok(());
        }
        let after = Arc::clone(state.machine.head());
        let (changes, reply) = (effects.changes, effects.reply);
        state.queue.push_back(Pending { records, timestamp_ms, after, changes, reply, answer });
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    pub(super) fn close(&self) {
        lock(&self.state).refusing.get_or_insert(ErrorCode::NotController);
        self.work.notify_one();
    }

    /// All commands that wait; `None` when there are none and there will be none.
    fn take(&self) -> Option<VecDeque<Pending>> {
        let mut state = lock(&self.state);
        state.committing = false;
        loop {
            if !state.queue.is_empty() {
                state.committing = true;
                return Some(std::mem::take(&mut state.queue));
            }
            if state.refusing.is_some() {
                return None;
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Forgets everything that is not committed: `failed`, and what was decided on top of it.
    fn fail(&self, failed: impl IntoIterator<Item = Pending>, for_good: bool) {
        let mut state = lock(&self.state);
        state.machine.reset(self.committed());
        if for_good {
            state.refusing.get_or_insert(ErrorCode::KafkaStorageError);
        }
        let later = std::mem::take(&mut state.queue);
        drop(state);
        for pending in failed.into_iter().chain(later) {
            let _ = pending.answer.send(Err(ErrorCode::KafkaStorageError));
        }
    }

    /// Whether nothing can be decided any more because of the disk.
    pub(super) fn is_broken(&self) -> bool {
        lock(&self.state).refusing == Some(ErrorCode::KafkaStorageError)
    }

    fn publish(&self, pending: Pending) {
        let publisher = lock(&self.publisher);
        if !pending.records.is_empty() {
            let before = self.committed.swap(Arc::clone(&pending.after));
            if let Some(publisher) = publisher.as_ref() {
                publisher.publish(&before, &pending.after, &pending.changes);
            }
        }
        drop(publisher);
        let _ = pending.answer.send(Ok(pending.reply));
    }
}

/// What the thread leaves behind, however it ends.
struct Thread {
    shared: Arc<Shared>,
    note_failure: NoteFailure,
    /// The journal's directory.
    dir: PathBuf,
}

impl Thread {
    fn note(&self, failure: &io::Error) {
        (self.note_failure)(&self.dir, failure);
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // Nobody is left waiting.
        self.shared.fail([], true);
        if std::thread::panicking() {
            self.note(&io::Error::other("the controller's thread has panicked"));
        }
    }
}

/// Starts the thread. It ends after `close`.
pub(super) fn start(
    shared: Arc<Shared>,
    mut journal: Journal,
    note_failure: NoteFailure,
) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("controller".to_owned()).spawn(move || {
        let thread = Thread { shared, note_failure, dir: journal.dir().to_owned() };
        while let Some(batch) = thread.shared.take() {
            thread.commit(&mut journal, batch);
            if journal.wants_fold() {
                thread.fold(&mut journal);
            }
        }
        if let Err(failure) = journal.sync() {
            error!("the metadata log could not be synced at the end: {failure}");
        }
    })
}

impl Thread {
    /// Writes one batch for each command, syncs once, publishes and answers in order.
    fn commit(&self, journal: &mut Journal, mut batch: VecDeque<Pending>) {
        let shared = &self.shared;
        let mut written = VecDeque::with_capacity(batch.len());
        let mut failure = None;
        while let Some(pending) = batch.pop_front() {
            match journal.append(&pending.records, pending.timestamp_ms) {
                Ok(()) => written.push_back(pending),
                Err(error) => {
                    batch.push_front(pending);
                    failure = Some(error);
                    break;
                }
            }
        }
        let syncs = written.iter().any(|pending| !pending.records.is_empty());
        if let Err(failure) = if syncs { journal.sync() } else { Ok(()) } {
            error!(
                "the metadata log could not be synced; no topic or configuration can change any more: {failure}"
            );
            shared.fail(written.into_iter().chain(batch), true);
            return self.note(&failure);
        }
        for pending in written {
            shared.publish(pending);
        }
        match failure {
            None => {}
            Some(WriteError::Refused(reason)) => {
                warn!("the metadata log could not be written: {reason}");
                // Who gets the answer may ask what was noted.
                self.note(&reason);
                shared.fail(batch, false);
            }
            Some(WriteError::Broken { error, cut }) => {
                error!(
                    %error, %cut,
                    "the metadata log could not be written, nor cut back; nothing can change any more"
                );
                shared.fail(batch, true);
                self.note(&error);
                self.note(&cut);
            }
        }
    }

    fn fold(&self, journal: &mut Journal) {
        if let Err(failure) = journal.fold(&self.shared.committed()) {
            warn!("the metadata log could not be folded into a snapshot; it goes on growing: {failure}");
            self.note(&failure);
        }
    }
}
