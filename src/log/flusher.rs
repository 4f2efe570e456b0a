//! The few threads that wait for the disk, so that no append and no runtime worker does. Jobs run in the order in which
//! they were handed in, one per free thread; what a job syncs is the log's business.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    running: usize,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Signalled when a job arrives or the queue closes.
    arrived: Condvar,
    /// Signalled when nothing is queued or running.
    idle: Condvar,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut queue = self.queue();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                queue.running = queue.running.saturating_add(1);
                drop(queue);
                job();
                queue = self.queue();
                queue.running = queue.running.saturating_sub(1);
                if queue.jobs.is_empty() && queue.running == 0 {
                    self.idle.notify_all();
                }
            } else if queue.closed {
                return;
            } else {
                queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

/// The pool. Dropping it lets the queued jobs finish in the background.
pub(crate) struct Flusher {
    shared: Arc<Shared>,
}

impl fmt::Debug for Flusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flusher").field("queued", &self.shared.queue().jobs.len()).finish()
    }
}

impl Flusher {
    /// Starts `threads` threads.
    pub(crate) fn start(threads: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        for number in 0..threads.max(1) {
            let worker = Arc::clone(&shared);
            thread::Builder::new().name(format!("flusher-{number}")).spawn(move || worker.work())?;
        }
        Ok(Self { shared })
    }

    /// Queues a job.
    pub(crate) fn submit(&self, job: impl FnOnce() + Send + 'static) {
        self.shared.queue().jobs.push_back(Box::new(job));
        self.shared.arrived.notify_one();
    }

    /// Waits until everything handed in so far is done.
    pub(crate) fn wait_idle(&self) {
        let mut queue = self.shared.queue();
        while !queue.jobs.is_empty() || queue.running > 0 {
            queue = self.shared.idle.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.shared.queue().closed = true;
        self.shared.arrived.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_job_is_done_before_the_pool_is_idle() {
        let flusher = Flusher::start(2).unwrap();
        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..100 {
            let done = Arc::clone(&done);
            flusher.submit(move || {
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        flusher.wait_idle();
        assert_eq!(done.load(Ordering::SeqCst), 100);
    }

    #[test]
    fn jobs_handed_in_before_the_drop_are_still_done() {
        let flusher = Flusher::start(1).unwrap();
        let (send, receive) = std::sync::mpsc::channel();
        for n in 0..3 {
            let send = send.clone();
            flusher.submit(move || send.send(n).unwrap());
        }
        drop(flusher);
        drop(send);
        assert_eq!(receive.iter().collect::<Vec<_>>(), [0, 1, 2]);
    }
}
