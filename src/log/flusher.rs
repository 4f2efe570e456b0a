//! The few threads that wait for the disk, so that no append and no runtime worker does. Jobs run in the order in which
//! they were handed in, one per free thread; what a job syncs is the log's business.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What becomes of a job that has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is over.
    Done,
    /// It runs once more, behind those that wait.
    Again,
}

type Job = Box<dyn FnMut() -> Next + Send>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    running: usize,
    /// Threads that wait for a job, those included that were told of one and have not taken it yet.
    free: usize,
    threads: usize,
    /// Callers that wait until nothing is left to do.
    waits_for_idle: usize,
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
            if let Some(mut job) = queue.jobs.pop_front() {
                queue.running = queue.running.saturating_add(1);
                drop(queue);
                let next = job();
                queue = self.queue();
                queue.running = queue.running.saturating_sub(1);
                if next == Next::Again {
                    // This thread looks for a job now, so none has to be woken.
                    queue.jobs.push_back(job);
                } else if queue.waits_for_idle > 0 && queue.jobs.is_empty() && queue.running == 0 {
                    self.idle.notify_all();
                }
            } else if queue.closed {
                return;
            } else {
                queue.free = queue.free.saturating_add(1);
                queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.free = queue.free.saturating_sub(1);
            }
        }
    }
}

/// The pool. Dropping it lets the queued jobs finish in the background.
pub(crate) struct Flusher {
    shared: Arc<Shared>,
    threads_max: usize,
}

impl fmt::Debug for Flusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flusher").field("queued", &self.shared.queue().jobs.len()).finish_non_exhaustive()
    }
}

impl Flusher {
    /// Starts one thread; others, up to `threads_max` in all, when jobs wait.
    pub(crate) fn start(threads_max: usize) -> io::Result<Self> {
        let flusher = Self { shared: Arc::default(), threads_max: threads_max.max(1) };
        flusher.start_thread()?;
        Ok(flusher)
    }

    fn start_thread(&self) -> io::Result<()> {
        let number = {
            let mut queue = self.shared.queue();
            if queue.threads >= self.threads_max {
                return Ok(());
            }
            queue.threads = queue.threads.saturating_add(1);
            queue.threads
        };
        let worker = Arc::clone(&self.shared);
        let started = thread::Builder::new().name(format!("flusher-{number}")).spawn(move || worker.work());
        if let Err(error) = started {
            let mut queue = self.shared.queue();
            queue.threads = queue.threads.saturating_sub(1);
            return Err(error);
        }
        Ok(())
    }

    /// Queues a job.
    pub(crate) fn submit(&self, job: impl FnMut() -> Next + Send + 'static) {
        let mut queue = self.shared.queue();
        queue.jobs.push_back(Box::new(job));
        let (is_taken, may_grow) = (queue.free > 0, queue.threads < self.threads_max);
        let is_short = queue.jobs.len() > queue.free;
        drop(queue);
        if is_taken {
            self.shared.arrived.notify_one();
        }
        if is_short
            && may_grow
            && let Err(error) = self.start_thread()
        {
            tracing::warn!(%error, "no further thread to sync files with, those that there are take turns");
        }
    }

    /// Whether every job is being done, and one at least.
    #[cfg(test)]
    pub(crate) fn is_taken(&self) -> bool {
        let queue = self.shared.queue();
        queue.jobs.is_empty() && queue.running > 0
    }

    /// Waits until everything handed in so far is done.
    pub(crate) fn wait_idle(&self) {
        let mut queue = self.shared.queue();
        queue.waits_for_idle = queue.waits_for_idle.saturating_add(1);
        while !queue.jobs.is_empty() || queue.running > 0 {
            queue = self.shared.idle.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.waits_for_idle = queue.waits_for_idle.saturating_sub(1);
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
    use std::sync::mpsc::channel;

    #[test]
    fn every_job_is_done_before_the_pool_is_idle() {
        let flusher = Flusher::start(2).unwrap();
        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..100 {
            let done = Arc::clone(&done);
            flusher.submit(move || {
                done.fetch_add(1, Ordering::SeqCst);
                Next::Done
            });
        }
        flusher.wait_idle();
        assert_eq!(done.load(Ordering::SeqCst), 100);
    }

    #[test]
    fn jobs_handed_in_before_the_drop_are_still_done() {
        let flusher = Flusher::start(1).unwrap();
        let (send, receive) = channel();
        for n in 0..3 {
            let send = send.clone();
            flusher.submit(move || {
                send.send(n).unwrap();
                Next::Done
            });
        }
        drop(flusher);
        drop(send);
        assert_eq!(receive.iter().collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn a_job_that_runs_again_lets_those_that_wait_go_first() {
        let flusher = Flusher::start(1).unwrap();
        let (go, wait) = channel::<()>();
        let (send, receive) = channel();
        let (first, mut runs) = (send.clone(), 0);
        flusher.submit(move || {
            wait.recv().unwrap();
            first.send(runs).unwrap();
            runs += 1;
            if runs < 2 { Next::Again } else { Next::Done }
        });
        flusher.submit(move || {
            send.send(9).unwrap();
            Next::Done
        });
        go.send(()).unwrap();
        go.send(()).unwrap();
        flusher.wait_idle();
        assert_eq!(receive.iter().collect::<Vec<_>>(), [0, 9, 1]);
    }

    #[test]
    fn threads_come_when_jobs_wait_and_no_more_than_allowed() {
        let flusher = Flusher::start(3).unwrap();
        assert_eq!(flusher.shared.queue().threads, 1);
        let (meet, met) = (channel::<()>(), channel::<()>());
        let (arrived, release) = (meet.0, Arc::new(Mutex::new(met.1)));
        for _ in 0..5 {
            let (arrived, release) = (arrived.clone(), Arc::clone(&release));
            flusher.submit(move || {
                arrived.send(()).unwrap();
                release.lock().unwrap().recv().unwrap();
                Next::Done
            });
        }
        // Three run at once: each waits for its release.
        for _ in 0..3 {
            meet.1.recv().unwrap();
        }
        assert_eq!(flusher.shared.queue().threads, 3);
        for _ in 0..5 {
            met.0.send(()).unwrap();
        }
        flusher.wait_idle();
        assert_eq!(meet.1.try_iter().count(), 2);
    }
}
