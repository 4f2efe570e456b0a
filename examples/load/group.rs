//! A group of consumers: how long from the first to join until the partitions of the topic are shared out.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::topic_partition_list::TopicPartitionListElem;

use crate::client::{self, Target};
use crate::measure::Stopwatch;
use crate::report::Report;

/// How long the assignment has to stay as it is before it counts as stable.
const STABLE: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(20);

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[arg(long)]
    members: usize,
    /// The group's name; the default is one that nobody used.
    #[arg(long)]
    group: Option<String>,
    /// A setting of librdkafka, as key=value; may be given several times.
    #[arg(long, value_parser = client::pair)]
    consumer_config: Vec<(String, String)>,
}

/// Who owns which partitions.
struct Board {
    /// By member; nothing before its first assignment and after a revocation.
    owned: Vec<Option<BTreeSet<i32>>>,
    changed: Instant,
}

impl Board {
    /// Whether every member has its assignment, and these are all partitions, each once.
    fn is_complete(&self, partitions: usize) -> bool {
        let owned: Option<Vec<&BTreeSet<i32>>> = self.owned.iter().map(Option::as_ref).collect();
        let Some(owned) = owned else { return false };
        let total: usize = owned.iter().map(|owned| owned.len()).sum();
        let distinct: BTreeSet<i32> = owned.into_iter().flatten().copied().collect();
        total == partitions && distinct.len() == partitions
    }
}

struct Member {
    index: usize,
    board: Arc<Mutex<Board>>,
}

impl ClientContext for Member {}

impl ConsumerContext for Member {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(_) = rebalance {
            self.change(None);
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(_) = rebalance {
            // The whole assignment, not only what a cooperative protocol added.
            let owned = consumer.assignment().ok();
            self.change(
                owned.map(|owned| owned.elements().iter().map(TopicPartitionListElem::partition).collect()),
            );
        }
    }
}

impl Member {
    fn change(&self, owned: Option<BTreeSet<i32>>) {
        let mut board = lock(&self.board);
        board.owned[self.index] = owned;
        board.changed = Instant::now();
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let partitions = {
        let reader = client::reader(&arguments.target.broker, &[])?;
        client::partitions(&reader, &arguments.target.topic)?.len()
    };
    let board = Arc::new(Mutex::new(Board { owned: vec![None; arguments.members], changed: Instant::now() }));
    let members = (0..arguments.members).map(|index| member(arguments, index, &board));
    let members: Vec<BaseConsumer<Member>> = members.collect::<Result<_>>()?;
    let (start, over) = (Barrier::new(members.len() + 1), AtomicBool::new(false));
    thread::scope(|scope| {
        let (start, over, topic) = (&start, &over, arguments.target.topic.as_str());
        let workers: Vec<_> = members
            .into_iter()
            .map(|member| scope.spawn(move || attend(&member, topic, start, over)))
            .collect();
        start.wait();
        let watch = Stopwatch::start();
        let report = await_stable(&board, partitions, &watch, || {
            workers.iter().any(thread::ScopedJoinHandle::is_finished)
        });
        over.store(true, Ordering::Relaxed);
        for worker in workers {
            worker.join().map_err(|_| anyhow!("a thread ended"))??;
        }
        report
    })
}

fn member(arguments: &Arguments, index: usize, board: &Arc<Mutex<Board>>) -> Result<BaseConsumer<Member>> {
    let group = arguments.group.clone().unwrap_or_else(|| format!("load-group-{}", std::process::id()));
    let mut config = client::base(&arguments.target.broker);
    config.set("group.id", group).set("enable.auto.commit", "false");
    client::apply(&mut config, &arguments.consumer_config);
    let context = Member { index, board: Arc::clone(board) };
    let consumer: BaseConsumer<Member> = config.create_with_context(context).context("a consumer")?;
    // Opens the connection, so that the clock starts on one that stands.
    client::partitions(&consumer, &arguments.target.topic)?;
    Ok(consumer)
}

/// A member's life: it joins with the others, stays while the group is looked at, and leaves.
fn attend(member: &BaseConsumer<Member>, topic: &str, start: &Barrier, over: &AtomicBool) -> Result<()> {
    start.wait();
    member.subscribe(&[topic])?;
    while !over.load(Ordering::Relaxed) {
        client::next(member, POLL)?;
    }
    Ok(())
}

/// Waits until the partitions are shared out and stay so; the time is that of the last change.
fn await_stable(
    board: &Mutex<Board>,
    partitions: usize,
    watch: &Stopwatch,
    ended: impl Fn() -> bool,
) -> Result<Report> {
    loop {
        thread::sleep(POLL);
        if ended() {
            bail!("a member ended before the group was stable");
        }
        let board = lock(board);
        if board.is_complete(partitions) && board.changed.elapsed() >= STABLE {
            return Ok(Report::new()
                .count("members", board.owned.len() as u64)
                .count("partitions", partitions as u64)
                .seconds("seconds", board.changed.saturating_duration_since(watch.begin()))
                .seconds("cpu_seconds", watch.stop().cpu));
        }
    }
}

fn lock(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(owned: &[Option<&[i32]>]) -> Board {
        let owned = owned.iter().map(|owned| owned.map(|owned| owned.iter().copied().collect()));
        Board { owned: owned.collect(), changed: Instant::now() }
    }

    #[test]
    fn a_group_is_complete_when_each_partition_has_one_owner_and_each_member_its_assignment() {
        assert!(board(&[Some(&[0, 1]), Some(&[2])]).is_complete(3));
        assert!(board(&[Some(&[0, 1, 2]), Some(&[])]).is_complete(3));
        assert!(!board(&[Some(&[0, 1, 2]), None]).is_complete(3), "a member without an assignment");
        assert!(!board(&[Some(&[0, 1]), Some(&[])]).is_complete(3), "a partition without an owner");
        assert!(!board(&[Some(&[0, 1, 2]), Some(&[2])]).is_complete(3), "a partition with two owners");
    }
}
