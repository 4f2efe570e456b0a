//! The topics of a run, and what may happen to their records. They are deleted and made anew from time to time, so that
//! what there is to check stays small.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use uuid::Uuid;

use super::checker::{Place, Rules};
use super::wire::{Raw, answered};
use super::world::World;

pub(crate) struct Topic {
    pub(crate) name: &'static str,
    pub(crate) partitions: i32,
    pub(crate) configs: &'static [(&'static str, &'static str)],
    pub(crate) rules: Rules,
}

const KEEP: Rules = Rules { compacted: false, retention_bytes: None, retention_ms: None };

/// Nothing takes its records; groups read it.
pub(crate) const ORDERS: &str = "orders";
/// As `orders`, on stable storage before the acknowledgement.
pub(crate) const SYNCED: &str = "synced";
/// Written by a producer that is not idempotent; groups read it.
pub(crate) const PLAIN: &str = "plain";
/// `DeleteRecords` is asked for.
pub(crate) const TRIMMED: &str = "trimmed";
/// Keeps so many bytes.
pub(crate) const SHORT: &str = "short";
/// Keeps records for so long.
pub(crate) const BRIEF: &str = "brief";
/// Keeps the newest record of each key.
pub(crate) const COMPACTED: &str = "compacted";

pub(crate) const TOPICS: [Topic; 7] = [
    Topic { name: ORDERS, partitions: 3, configs: &[("internal.segment.bytes", "30000")], rules: KEEP },
    Topic {
        name: SYNCED,
        partitions: 1,
        configs: &[("flush.messages", "1"), ("internal.segment.bytes", "20000")],
        rules: KEEP,
    },
    Topic { name: PLAIN, partitions: 2, configs: &[], rules: KEEP },
    Topic { name: TRIMMED, partitions: 2, configs: &[("internal.segment.bytes", "10000")], rules: KEEP },
    Topic {
        name: SHORT,
        partitions: 2,
        configs: &[("internal.segment.bytes", "8000"), ("retention.bytes", "40000")],
        rules: Rules { retention_bytes: Some(40_000), ..KEEP },
    },
    Topic {
        name: BRIEF,
        partitions: 1,
        configs: &[("internal.segment.bytes", "4000"), ("retention.ms", "700")],
        rules: Rules { retention_ms: Some(700), ..KEEP },
    },
    Topic {
        name: COMPACTED,
        partitions: 2,
        configs: &[
            ("cleanup.policy", "compact"),
            ("internal.segment.bytes", "6000"),
            ("min.cleanable.dirty.ratio", "0.01"),
            ("delete.retention.ms", "2000"),
        ],
        rules: Rules { compacted: true, ..KEEP },
    },
];

/// Makes the topics; their ids by name.
pub(crate) fn create_all(world: &World) -> Result<BTreeMap<String, Uuid>> {
    let mut raw = Raw::connect(world.address)?;
    let mut ids = BTreeMap::new();
    for topic in &TOPICS {
        world.checker().creating(topic.name);
        match raw.create(topic.name, topic.partitions, topic.configs)? {
            Ok(id) => {
                world.checker().created(topic.name, id, topic.partitions, topic.rules);
                ids.insert(topic.name.to_owned(), id);
            }
            Err(code) => bail!("creating {}: error {code}", topic.name),
        }
    }
    Ok(ids)
}

/// Deletes the topics.
pub(crate) fn delete_all(world: &World, ids: &BTreeMap<String, Uuid>) -> Result<()> {
    let mut raw = Raw::connect(world.address)?;
    for (name, id) in ids {
        world.checker().deleting(name);
        match raw.delete(*id)? {
            0 => world.checker().deleted(name),
            code => return Err(answered(code).context(format!("deleting {name}"))),
        }
    }
    Ok(())
}

/// The partitions of some topics.
pub(crate) fn places(ids: &BTreeMap<String, Uuid>, names: &[&str]) -> Vec<(&'static Topic, Place)> {
    let chosen = TOPICS.iter().filter(|topic| names.contains(&topic.name));
    let with_id = chosen.filter_map(|topic| Some((topic, *ids.get(topic.name)?)));
    with_id
        .flat_map(|(topic, id)| {
            (0..topic.partitions).map(move |partition| (topic, Place { topic: id, partition }))
        })
        .collect()
}
