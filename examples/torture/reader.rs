//! A reader that follows the high watermarks of all partitions while others write, over all deaths of the broker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::anomaly::Kind;
use super::checker::{Place, Poll};
use super::wire::{Fetched, Raw};
use super::world::World;

const WAIT: Duration = Duration::from_millis(20);
/// Leader epochs are looked at after so many answers.
const EPOCHS_AFTER: u32 = 10;
const OFFSET_OUT_OF_RANGE: i16 = 1;

pub(crate) struct Reader {
    world: Arc<World>,
    name: &'static str,
    topics: BTreeMap<Place, String>,
    positions: BTreeMap<Place, i64>,
    raw: Option<Raw>,
}

impl Reader {
    /// Begins at the beginning of partitions.
    pub(crate) fn new(world: &Arc<World>, name: &'static str, topics: BTreeMap<Place, String>) -> Self {
        let positions = topics.keys().map(|place| (*place, 0)).collect();
        Self { world: Arc::clone(world), name, topics, positions, raw: None }
    }

    /// Reads while the load goes on.
    pub(crate) fn run(&mut self) {
        let mut answers = 0_u32;
        while self.world.loading() {
            if self.raw.is_none() {
                self.raw = self.world.connect();
            }
            self.poll();
            answers += 1;
            if answers.is_multiple_of(EPOCHS_AFTER) {
                self.look_at_epochs();
            }
        }
    }

    /// Reads on until it has everything, with nobody writing.
    pub(crate) fn catch_up(&mut self, limit: Duration) {
        let begin = Instant::now();
        while begin.elapsed() < limit && self.is_behind() {
            if self.raw.is_none() {
                self.raw = Raw::connect(self.world.address).ok();
                if self.raw.is_none() {
                    thread::sleep(Duration::from_millis(5));
                }
            }
            self.poll();
        }
        for (place, position) in &self.positions {
            self.world.checker().caught_up(self.name, *place, *position);
        }
    }

    fn is_behind(&self) -> bool {
        let checker = self.world.checker();
        self.positions.iter().any(|(place, position)| *position < checker.end(*place))
    }

    fn poll(&mut self) {
        let life = self.world.checker().life();
        let Some(raw) = &mut self.raw else { return };
        match raw.fetch(&self.positions, WAIT) {
            Err(_) => self.raw = None,
            Ok(fetched) => {
                for (place, fetched) in fetched {
                    self.look_at(place, life, fetched);
                }
            }
        }
    }

    fn look_at(&mut self, place: Place, life: u32, fetched: Fetched) {
        if fetched.error == OFFSET_OUT_OF_RANGE {
            self.go_to_log_start(place);
            return;
        }
        let Some(position) = self.positions.get_mut(&place) else { return };
        if fetched.error != 0 {
            let detail = format!("error {} at offset {position}", fetched.error);
            self.world.checker().add(Kind::Unreadable, format!("{place} for {}", self.name), detail);
            return;
        }
        if let Some(damage) = &fetched.damage {
            self.world.checker().add(Kind::Unreadable, format!("{place} for {}", self.name), damage);
        }
        let Fetched { start, high_watermark, records, next, .. } = fetched;
        let poll = Poll { life, asked: *position, start, high_watermark, records };
        *position = next;
        self.world.checker().polled(self.name, place, &poll);
    }

    /// What was there is taken away: the reader goes on where the log starts now, which is behind where it is.
    fn go_to_log_start(&mut self, place: Place) {
        let (Some(raw), Some(topic), Some(position)) =
            (&mut self.raw, self.topics.get(&place), self.positions.get_mut(&place))
        else {
            return;
        };
        match raw.log_start(topic, place.partition) {
            Ok(start) if start > *position => *position = start,
            Ok(start) => {
                let detail = format!("offset {position} is out of range, the log starts at {start}");
                self.world.checker().add(Kind::WatermarkFell, format!("{topic}-{}", place.partition), detail);
                thread::sleep(WAIT);
            }
            Err(_) => self.raw = None,
        }
    }

    fn look_at_epochs(&mut self) {
        let Some(raw) = &mut self.raw else { return };
        let Ok(topics) = raw.topics() else {
            self.raw = None;
            return;
        };
        let mut checker = self.world.checker();
        for topic in topics.values() {
            for &(partition, epoch) in &topic.partitions {
                checker.leader_epoch(Place { topic: topic.id, partition }, epoch);
            }
        }
    }
}
