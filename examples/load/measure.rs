//! The measured part of a load: its time on the wall, and the CPU time of this process beside it, which shows whether
//! the client was the bottleneck.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Started when the measured part begins.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch {
    begin: Instant,
    cpu: Duration,
}

/// What a stopwatch showed.
#[derive(Clone, Copy)]
pub(crate) struct Elapsed {
    pub(crate) wall: Duration,
    /// User and system time of all threads of this process.
    pub(crate) cpu: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { begin: Instant::now(), cpu: process_cpu() }
    }

    pub(crate) fn begin(&self) -> Instant {
        self.begin
    }

    pub(crate) fn stop(&self) -> Elapsed {
        Elapsed { wall: self.begin.elapsed(), cpu: process_cpu().saturating_sub(self.cpu) }
    }
}

fn process_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
