//! Which topics there are: what was created stays, under its id, and what was deleted stays away.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::super::anomaly::Kind;
use super::partition::{Partition, Rules};
use super::{Checker, Place};

/// What is known of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Gone,
    There(Uuid),
    /// A creation was not answered.
    Creating,
    /// A deletion was not answered.
    Deleting(Uuid),
}

#[derive(Default)]
pub(super) struct Topics {
    fates: BTreeMap<String, Fate>,
    /// The ids of topics that were deleted.
    deleted: BTreeSet<Uuid>,
}

impl Checker {
    /// A topic is about to be created.
    pub(crate) fn creating(&mut self, name: &str) {
        self.topics.fates.insert(name.to_owned(), Fate::Creating);
    }

    /// A topic is there, with so many partitions.
    pub(crate) fn created(&mut self, name: &str, id: Uuid, partitions: i32, rules: Rules) {
        if self.topics.deleted.contains(&id) {
            self.findings.add(Kind::TopicReturned, name, format!("{} was deleted", id.simple()));
        }
        self.topics.fates.insert(name.to_owned(), Fate::There(id));
        self.names.insert(id, name.to_owned());
        for partition in 0..partitions {
            let place = Place { topic: id, partition };
            self.partitions.entry(place).or_insert_with(|| Partition::new(rules));
        }
    }

    /// A creation failed for sure.
    pub(crate) fn not_created(&mut self, name: &str) {
        self.topics.fates.insert(name.to_owned(), Fate::Gone);
    }

    /// A topic is about to be deleted.
    pub(crate) fn deleting(&mut self, name: &str) {
        if let Some(Fate::There(id)) = self.topics.fates.get(name).copied() {
            self.topics.fates.insert(name.to_owned(), Fate::Deleting(id));
        }
    }

    /// The topic of this name was deleted.
    pub(crate) fn deleted(&mut self, name: &str) {
        let fate = self.topics.fates.insert(name.to_owned(), Fate::Gone);
        if let Some(Fate::There(id) | Fate::Deleting(id)) = fate {
            self.forget(id);
        }
    }

    /// The id of the topic of this name, if it is known to be there.
    pub(crate) fn topic(&self, name: &str) -> Option<Uuid> {
        match self.topics.fates.get(name) {
            Some(Fate::There(id)) => Some(*id),
            _ => None,
        }
    }

    /// The partitions that are there, with the names of their topics.
    pub(crate) fn places(&self) -> Vec<(String, Place)> {
        let named = |place: &Place| Some((self.names.get(&place.topic)?.clone(), *place));
        self.partitions.keys().filter_map(named).collect()
    }

    /// All topics were listed, while nobody creates or deletes one. A creation that was not answered is settled as one of
    /// so many partitions.
    pub(crate) fn listed(&mut self, topics: &BTreeMap<String, Uuid>, partitions: i32) {
        for (name, id) in topics {
            if self.topics.deleted.contains(id) {
                self.findings.add(Kind::TopicReturned, name, format!("{} was deleted", id.simple()));
            } else if !matches!(
                self.topics.fates.get(name),
                Some(Fate::There(_) | Fate::Creating | Fate::Deleting(_))
            ) {
                self.findings.add(Kind::TopicReturned, name, "nobody created it");
            }
        }
        for (name, fate) in self.topics.fates.clone() {
            match (fate, topics.get(&name).copied()) {
                (Fate::There(id), None) => {
                    self.findings.add(Kind::TopicLost, &name, format!("{} is gone", id.simple()));
                }
                (Fate::There(id) | Fate::Deleting(id), Some(other)) if other != id => {
                    self.findings.add(Kind::TopicLost, &name, format!("{id} has become {other}"));
                }
                (Fate::Creating, Some(id)) => self.created(&name, id, partitions, Rules::default()),
                (Fate::Creating, None) => self.not_created(&name),
                (Fate::Deleting(id), Some(_)) => {
                    self.topics.fates.insert(name, Fate::There(id));
                }
                (Fate::Deleting(_), None) => self.deleted(&name),
                (Fate::There(_), Some(_)) | (Fate::Gone, _) => {}
            }
        }
    }

    fn forget(&mut self, id: Uuid) {
        self.topics_deleted += 1;
        self.topics.deleted.insert(id);
        self.names.remove(&id);
        self.partitions.retain(|place, _| place.topic != id);
        self.commits.forget(id);
        self.polls.forget(id);
    }
}
