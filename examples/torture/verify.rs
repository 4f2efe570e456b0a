//! Reads everything while nobody writes, and lets the checker judge it.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::admin;
use super::checker::{Place, Scan};
use super::era::GroupAndTopics;
use super::wire::{Fetched, Raw};
use super::world::{World, now_ms};

/// How long a coordinator may load.
const COORDINATOR_LIMIT: Duration = Duration::from_secs(10);
/// Retention may take what is being read; then it is read again.
const TRIES: u32 = 20;
const OFFSET_OUT_OF_RANGE: i16 = 1;

/// Topics, records and leader epochs. Fails when the broker does not answer.
pub(crate) fn topics_and_records(world: &World) -> Result<()> {
    let mut raw = Raw::connect(world.address)?;
    let topics = raw.topics()?;
    let ids = topics.iter().map(|(name, listed)| (name.clone(), listed.id)).collect();
    let (places, epochs) = {
        let mut checker = world.checker();
        checker.listed(&ids, admin::PARTITIONS);
        let epochs: BTreeMap<Place, i32> = topics
            .values()
            .flat_map(|listed| {
                let place = |partition| Place { topic: listed.id, partition };
                listed.partitions.iter().map(move |(partition, epoch)| (place(*partition), *epoch))
            })
            .collect();
        (checker.places(), epochs)
    };
    for (topic, place) in places {
        // A topic that is lost was told; there is nothing to read.
        if let Some(epoch) = epochs.get(&place) {
            let scan = scan(&mut raw, &topic, place, *epoch)?;
            world.checker().scanned(place, &scan);
        }
    }
    Ok(())
}

fn scan(raw: &mut Raw, topic: &str, place: Place, leader_epoch: i32) -> Result<Scan> {
    for _ in 0..TRIES {
        let start = raw.log_start(topic, place.partition)?;
        let mut scan =
            Scan { start, end: start, leader_epoch, now_ms: now_ms(), high_watermark: -1, ..Scan::default() };
        let mut again = false;
        while scan.error.is_none() && (scan.high_watermark < 0 || scan.end < scan.high_watermark) {
            let asked = BTreeMap::from([(place, scan.end)]);
            let Some(fetched) = raw.fetch(&asked, Duration::ZERO)?.remove(&place) else {
                bail!("no answer about {topic}-{}", place.partition);
            };
            if fetched.error == OFFSET_OUT_OF_RANGE {
                again = true;
                break;
            }
            add(&mut scan, fetched);
        }
        if !again {
            return Ok(scan);
        }
    }
    bail!("{topic}-{} is never there long enough to be read", place.partition)
}

fn add(scan: &mut Scan, fetched: Fetched) {
    scan.high_watermark = scan.high_watermark.max(fetched.high_watermark);
    if fetched.error != 0 {
        scan.error = Some(format!("error {} at offset {}", fetched.error, scan.end));
    } else if fetched.damage.is_some() {
        scan.error = fetched.damage;
    } else if fetched.next == scan.end && scan.end < scan.high_watermark {
        scan.error = Some(format!("nothing comes at offset {} of {}", scan.end, scan.high_watermark));
    }
    scan.records.extend(fetched.records);
    scan.end = fetched.next;
    scan.bytes += fetched.bytes;
}

/// What groups have committed. Fails when the broker does not answer.
pub(crate) fn commits(world: &World, groups: &[GroupAndTopics]) -> Result<()> {
    let mut raw = Raw::connect(world.address)?;
    let places = world.checker().places();
    for (group, topics) in groups {
        for topic in *topics {
            let of_topic = places.iter().filter(|(name, _)| name == topic);
            let of_topic: Vec<Place> = of_topic.map(|(_, place)| *place).collect();
            let partitions: Vec<i32> = of_topic.iter().map(|place| place.partition).collect();
            let offsets = committed(&mut raw, group, topic, &partitions)?;
            for (place, offset) in of_topic.iter().zip(offsets) {
                world.checker().committed(group, *place, offset);
            }
        }
    }
    Ok(())
}

/// Asks again while the coordinator loads.
fn committed(raw: &mut Raw, group: &str, topic: &str, partitions: &[i32]) -> Result<Vec<i64>> {
    let begin = Instant::now();
    loop {
        match raw.committed(group, topic, partitions)? {
            Ok(offsets) => return Ok(offsets),
            Err(code) if begin.elapsed() > COORDINATOR_LIMIT => {
                bail!("OffsetFetch of {group} is answered with error {code}")
            }
            Err(_) => thread::sleep(Duration::from_millis(2)),
        }
    }
}
