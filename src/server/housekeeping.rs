//! The one schedule of everything that happens by the clock and not by a request: retention, checkpoints,
//! deletions, flushes that are due, compaction. Each chore runs on the pool for blocking work, one at a time; compaction,
//! which may take long, beside them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::cleaner::Cleaner;
use crate::broker::Broker;
use crate::config::StorageConfig;
use crate::log::{Checkpoint, LogContext};
use crate::types::Now;

/// How often the schedule is looked at; deletions are due to about this.
const TICK_MS: u64 = 500;

/// Something to be done again and again.
struct Chore {
    every_ms: i64,
    due_mono_ms: i64,
    work: fn(&Broker, &LogContext, Now),
}

/// Runs until the broker stops.
pub(super) async fn run(broker: Arc<Broker>, context: Arc<LogContext>, stopping: watch::Receiver<bool>) {
    // A chore may take long, and a flush must not wait for it.
    let flushes = run_flushes(broker.clone(), context.clone(), stopping.clone());
    tokio::join!(run_chores(broker, context, stopping), flushes);
}

/// Hands each log to the flusher when its `flush.ms` has passed; sleeps while no topic asks for that.
async fn run_flushes(broker: Arc<Broker>, context: Arc<LogContext>, mut stopping: watch::Receiver<bool>) {
    let sooner = Arc::new(Notify::new());
    let waker = sooner.clone();
    context.set_flush_waker(move || waker.notify_one());
    loop {
        let until_due = async {
            let Some(due_mono_ms) = context.next_flush_mono_ms() else { return std::future::pending().await };
            let wait_ms = due_mono_ms.saturating_sub(broker.clock.now().mono_ms);
            tokio::time::sleep(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))).await;
        };
        tokio::select! {
            () = until_due => context.run_flushes(broker.clock.now()),
            () = sooner.notified() => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}

async fn run_chores(broker: Arc<Broker>, context: Arc<LogContext>, mut stopping: watch::Receiver<bool>) {
    let mut chores = chores(&broker.config.storage, broker.clock.now());
    let mut cleaner = Cleaner::new(&broker);
    let stop = stopping.clone();
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(TICK_MS)) => {}
            _ = stopping.wait_for(|stopping| *stopping) => break,
        }
        cleaner.tick(&broker, &stop);
        context.trim_buffers();
        let now = broker.clock.now();
        let due: Vec<_> = chores.iter_mut().filter_map(|chore| chore.take_due(now)).collect();
        let deletions_due = context.next_deletion_mono_ms().is_some_and(|due| due <= now.mono_ms);
        if due.is_empty() && !deletions_due {
            continue;
        }
        let (broker, context) = (broker.clone(), context.clone());
        let done = tokio::task::spawn_blocking(move || {
            for work in due {
                work(&broker, &context, now);
            }
            context.run_deletions(now);
        });
        if let Err(error) = done.await {
            tracing::error!("housekeeping failed: {error}");
        }
    }
    cleaner.finish().await;
}

impl Chore {
    fn new(every_ms: i64, now: Now, work: fn(&Broker, &LogContext, Now)) -> Self {
        Self { every_ms, due_mono_ms: now.mono_ms.saturating_add(every_ms), work }
    }

    fn take_due(&mut self, now: Now) -> Option<fn(&Broker, &LogContext, Now)> {
        if self.due_mono_ms > now.mono_ms {
            return None;
        }
        self.due_mono_ms = now.mono_ms.saturating_add(self.every_ms);
        Some(self.work)
    }
}

fn chores(config: &StorageConfig, now: Now) -> Vec<Chore> {
    vec![
        Chore::new(config.retention_check_interval_ms, now, |broker, _, now| {
            broker.partitions.enforce_retention(now);
        }),
        Chore::new(config.flush_offset_checkpoint_interval_ms, now, |broker, _, _| {
            broker.partitions.update_checkpoint(Checkpoint::RecoveryPoint);
        }),
        Chore::new(config.flush_start_offset_checkpoint_interval_ms, now, |broker, _, _| {
            broker.partitions.update_checkpoint(Checkpoint::LogStart);
        }),
        Chore::new(config.high_watermark_checkpoint_interval_ms, now, |broker, _, _| {
            broker.partitions.update_checkpoint(Checkpoint::HighWatermark);
            broker.partitions.settle_names();
        }),
    ]
}
