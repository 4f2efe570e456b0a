//! A run: cycle after cycle of load, death, start and check, until one finds something or all are done.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use uuid::Uuid;

use super::admin::PARTITIONS;
use super::anomaly::{Findings, Kind};
use super::broker::Broker;
use super::checker::Rules;
use super::dice::Dice;
use super::era::{Era, GroupAndTopics};
use super::proxy::Proxy;
use super::sabotage::{self, Sabotage, VICTIM};
use super::verify;
use super::wire::{Raw, answered};
use super::world::World;

/// So many cycles have the same topics and clients.
const CYCLES_OF_AN_ERA: u32 = 8;
/// The cycle that ends with a sabotage.
const SABOTAGED: u32 = 2;
/// A clean stop may take so long: it syncs every log, on a disk that others use, too.
const STOP_LIMIT: Duration = Duration::from_mins(1);
/// A line of progress comes after so many cycles.
const PROGRESS: u32 = 25;

const SETTINGS: [(&str, &str); 10] = [
    ("auto.create.topics.enable", "false"),
    ("log.retention.check.interval.ms", "50"),
    ("log.cleaner.backoff.ms", "50"),
    ("log.segment.delete.delay.ms", "200"),
    ("log.flush.offset.checkpoint.interval.ms", "100"),
    ("log.flush.start.offset.checkpoint.interval.ms", "20"),
    ("log.index.interval.bytes", "512"),
    ("offsets.topic.num.partitions", "3"),
    ("offsets.topic.segment.bytes", "1048576"),
    ("metadata.log.max.record.bytes.between.snapshots", "20000"),
];

/// What a run is to do.
pub(crate) struct Plan {
    pub(crate) binary: PathBuf,
    /// For data and output; kept when something is found.
    pub(crate) directory: PathBuf,
    pub(crate) cycles: u32,
    pub(crate) seed: u64,
    /// A start may take so long.
    pub(crate) start_limit: Duration,
    pub(crate) sabotage: Option<Sabotage>,
}

/// What a run came to.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) cycles: u32,
    pub(crate) kills: u32,
    pub(crate) clean_stops: u32,
    pub(crate) acknowledged: u64,
    pub(crate) read: u64,
    pub(crate) commits_acknowledged: u64,
    pub(crate) topics_deleted: u64,
    pub(crate) slowest_start: Duration,
    pub(crate) took: Duration,
    pub(crate) findings: Findings,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} cycles, {} kills, {} clean stops, {} records acknowledged, {} read, {} commits, {} topics deleted, slowest start {} ms, {} s; anomalies: {}",
            self.cycles,
            self.kills,
            self.clean_stops,
            self.acknowledged,
            self.read,
            self.commits_acknowledged,
            self.topics_deleted,
            self.slowest_start.as_millis(),
            self.took.as_secs(),
            self.findings.by_kind(),
        )
    }
}

struct Run<'a> {
    plan: &'a Plan,
    world: Arc<World>,
    broker: Broker,
    dice: Dice,
    outcome: Outcome,
    groups: Vec<GroupAndTopics>,
}

/// Runs the plan. Fails when it cannot be run; what is wrong with the broker is in the outcome.
pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let begin = Instant::now();
    let (listener, far) = Proxy::bind()?;
    let broker = Broker::new(&plan.binary, &plan.directory, far, &SETTINGS)?;
    let mut dice = Dice::new(plan.seed);
    let _proxy = Proxy::lead_to(listener, broker.far_address(), Dice::new(dice.below(u64::MAX)))?;
    let world = Arc::new(World::new(broker.address(), far));
    let mut run = Run { plan, world, broker, dice, outcome: Outcome::default(), groups: Vec::new() };
    run.world.watch(&plan.directory);
    run.broker.start(plan.start_limit).context("the first start")?;
    run.world.runs(run.broker.pid());
    run.cycles(begin)?;
    run.note_counts(begin);
    Ok(run.outcome)
}

impl Run<'_> {
    fn cycles(&mut self, begin: Instant) -> Result<()> {
        let mut era = None;
        for cycle in 1..=self.plan.cycles {
            self.world.alive();
            if (cycle - 1).is_multiple_of(CYCLES_OF_AN_ERA) {
                self.next_era(&mut era, cycle);
            }
            match (&mut era, self.plan.sabotage) {
                (Some(era), Some(sabotage)) if cycle == SABOTAGED => self.sabotaged_cycle(era, sabotage)?,
                (Some(era), _) => self.cycle(era),
                (None, _) => {}
            }
            self.outcome.cycles = cycle;
            self.note_counts(begin);
            if !self.outcome.findings.is_empty() {
                break;
            }
            if cycle.is_multiple_of(PROGRESS) {
                eprintln!("{}", self.outcome);
            }
        }
        drop(era);
        if self.outcome.findings.is_empty() {
            self.stop();
        }
        Ok(())
    }

    fn next_era(&mut self, era: &mut Option<Era>, number: u32) {
        if let Some(era) = era.take() {
            self.expect(Kind::Stuck, "the deletion of all topics", |_| era.end());
        }
        self.expect(Kind::Stuck, "the creation of all topics", |run| {
            let begun = Era::begin(&run.world, number, &run.groups)?;
            run.groups = begun.groups();
            *era = Some(begun);
            Ok(())
        });
    }

    fn note_counts(&mut self, begin: Instant) {
        let checker = self.world.checker();
        self.outcome.acknowledged = checker.acknowledged;
        self.outcome.read = checker.read;
        self.outcome.commits_acknowledged = checker.commits_acknowledged;
        self.outcome.topics_deleted = checker.topics_deleted;
        self.outcome.findings = checker.findings.clone();
        self.outcome.took = begin.elapsed();
    }

    /// Load, a death in the middle of it, a start, some more load; then everything is looked at.
    fn cycle(&mut self, era: &mut Era) {
        self.world.set_loading(true);
        thread::scope(|scope| {
            era.load(scope, &mut self.dice);
            let started = self.live_and_die();
            if started {
                thread::sleep(self.dice.ms(0, 300));
            }
            self.world.set_loading(false);
        });
        self.check(era);
    }

    /// Whether the broker serves again.
    fn live_and_die(&mut self) -> bool {
        thread::sleep(self.dice.ms(20, 600));
        if self.dice.below(5) == 0 {
            self.expect(Kind::Stuck, "SIGSTOP and SIGCONT", |run| {
                let pause = run.dice.ms(10, 250);
                run.broker.pause(pause)
            });
            thread::sleep(self.dice.ms(0, 100));
        }
        match self.dice.below(10) {
            0 => self.stop(),
            1 => {
                self.expect(Kind::Stuck, "SIGSTOP", |run| run.broker.freeze());
                thread::sleep(self.dice.ms(1, 100));
                self.kill();
            }
            _ => self.kill(),
        }
        while self.dice.below(3) == 0 {
            self.expect(Kind::NotStarted, "a start that is killed", |run| run.broker.launch());
            thread::sleep(self.dice.ms(1, 60));
            self.kill();
        }
        self.start()
    }

    fn start(&mut self) -> bool {
        match self.broker.start(self.plan.start_limit) {
            Ok(took) => {
                self.world.runs(self.broker.pid());
                self.outcome.slowest_start = self.outcome.slowest_start.max(took);
                true
            }
            Err(error) => {
                self.world.checker().add(Kind::NotStarted, "a start", format!("{error:#}"));
                false
            }
        }
    }

    fn kill(&mut self) {
        self.note_panics();
        self.broker.kill();
        self.world.checker().killed();
        self.outcome.kills += 1;
    }

    fn stop(&mut self) {
        self.expect(Kind::Stuck, "a clean stop", |run| run.broker.terminate(STOP_LIMIT));
        self.note_panics();
        self.outcome.clean_stops += 1;
    }

    fn note_panics(&mut self) {
        let output = self.broker.output();
        if let Some(line) = output.lines().find(|line| line.contains("panicked")) {
            self.world.checker().add(Kind::Panicked, "the broker", line);
        }
    }

    fn expect(&mut self, kind: Kind, what: &str, step: impl FnOnce(&mut Self) -> Result<()>) {
        if let Err(error) = step(self) {
            self.world.checker().add(kind, what, format!("{error:#}"));
        }
    }

    /// With the load at its end: what was sent is there, what was there is there.
    fn check(&mut self, era: &mut Era) {
        if self.world.checker().findings.count(Kind::NotStarted) > 0 {
            return;
        }
        era.drain();
        self.verify();
    }

    fn verify(&mut self) {
        self.expect(Kind::Unreadable, "a check of all topics", |run| verify::topics_and_records(&run.world));
        self.expect(Kind::Stuck, "a check of all groups", |run| verify::commits(&run.world, &run.groups));
        self.note_panics();
    }

    /// A cycle whose broker dies at rest; its files are changed before it starts, and everything is looked at at once.
    fn sabotaged_cycle(&mut self, era: &mut Era, sabotage: Sabotage) -> Result<()> {
        let kept = self.plan.directory.join("kept");
        self.load_for(era, Duration::from_millis(500));
        let mut raw = Raw::connect(self.world.address)?;
        let mut victim = None;
        if !matches!(sabotage, Sabotage::LoseTopic) {
            victim = Some(self.create_victim(&mut raw)?);
        }
        sabotage::keep(sabotage, &self.broker.data(), &kept)?;
        match (sabotage, victim) {
            (Sabotage::LoseTopic, _) => victim = Some(self.create_victim(&mut raw)?),
            (Sabotage::ReturnTopic | Sabotage::ReturnDirectory, Some(id)) => {
                self.delete_victim(&mut raw, id)?;
            }
            (Sabotage::ReturnRecords, Some(id)) => {
                self.delete_victim(&mut raw, id)?;
                victim = Some(self.create_victim(&mut raw)?);
            }
            (Sabotage::ReplayCommit, _) => self.load_for(era, Duration::from_millis(500)),
            _ => {}
        }
        self.verify();
        self.kill();
        sabotage::apply(sabotage, &self.broker.data(), &kept, victim)?;
        if self.start() {
            self.verify();
        }
        Ok(())
    }

    fn load_for(&mut self, era: &mut Era, time: Duration) {
        self.world.set_loading(true);
        thread::scope(|scope| {
            era.load(scope, &mut self.dice);
            thread::sleep(time);
            self.world.set_loading(false);
        });
        era.drain();
    }

    fn create_victim(&self, raw: &mut Raw) -> Result<Uuid> {
        self.world.checker().creating(VICTIM);
        let id = raw.create(VICTIM, PARTITIONS, &[])?.map_err(answered)?;
        self.world.checker().created(VICTIM, id, PARTITIONS, Rules::default());
        super::admin::fill_once(&self.world, raw, VICTIM, id)?;
        Ok(id)
    }

    fn delete_victim(&self, raw: &mut Raw, id: Uuid) -> Result<()> {
        self.world.checker().deleting(VICTIM);
        let code = raw.delete(id)?;
        self.world.checker().deleted(VICTIM);
        if code == 0 { Ok(()) } else { Err(answered(code)) }
    }
}
