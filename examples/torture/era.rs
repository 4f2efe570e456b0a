//! The clients and topics of some cycles: they outlive every death of the broker in between, and then make room for new
//! ones, so that what there is to check stays small.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::Scope;
use std::time::Duration;

use anyhow::{Context, Result};
use uuid::Uuid;

use super::admin::{Comer, Refused, run_trims};
use super::checker::{Place, Sending};
use super::dice::Dice;
use super::members::{Commit, MemberOf};
use super::producers::{Sender, Target};
use super::reader::Reader;
use super::topics::{self, BRIEF, COMPACTED, ORDERS, PLAIN, SHORT, SYNCED, TRIMMED};
use super::verify;
use super::world::World;

/// How long clients may need to get everything done once the broker serves again.
const LIMIT: Duration = Duration::from_secs(30);
/// How long a member may need to leave its group.
const LEAVE_LIMIT: Duration = Duration::from_secs(3);
/// Commits by itself; has two members.
const AUTO: &str = "auto";
/// Commits when it is told.
const MANUAL: &str = "manual";
/// What they read.
const GROUPS: [(&str, &[&str]); 2] = [(AUTO, &[ORDERS, PLAIN, SHORT]), (MANUAL, &[ORDERS, SYNCED])];
/// A group and the topics for which it commits.
pub(crate) type GroupAndTopics = (String, &'static [&'static str]);
/// Topics that come and go.
const COME: &str = "come";
const GO: &str = "go";

pub(crate) struct Era {
    world: Arc<World>,
    number: u32,
    ids: BTreeMap<String, Uuid>,
    senders: Vec<Sender>,
    members: Vec<MemberOf>,
    reader: Reader,
    comers: Vec<Comer>,
    trimmed: Vec<Place>,
    refused: Refused,
}

impl Era {
    /// Makes topics and clients. Groups of the era before have committed nothing for the new topics of the old names.
    pub(crate) fn begin(world: &Arc<World>, number: u32, before: &[GroupAndTopics]) -> Result<Self> {
        let ids = topics::create_all(world)?;
        verify::commits(world, before)?;
        let target = |(topic, place): (&topics::Topic, Place)| Target {
            topic: topic.name.to_owned(),
            place,
            keyed: topic.rules.compacted,
        };
        let targets = |names: &[&str]| topics::places(&ids, names).into_iter().map(target).collect();
        let senders = vec![
            Sender::new(world, Sending::Idempotent, "none", targets(&[ORDERS, SYNCED, TRIMMED, COMPACTED]))?,
            Sender::new(world, Sending::Idempotent, "lz4", targets(&[ORDERS, SHORT, BRIEF, COMPACTED]))?,
            Sender::new(world, Sending::Plain, "zstd", targets(&[PLAIN]))?,
        ];
        let place = |name: &'static str| {
            let (_, place) = topics::places(&ids, &[name]).into_iter().next().context("a partition")?;
            anyhow::Ok((name.to_owned(), place))
        };
        let refused = Refused { keyed: place(COMPACTED)?, any: place(ORDERS)? };
        let all: Vec<&str> = topics::TOPICS.iter().map(|topic| topic.name).collect();
        let named = topics::places(&ids, &all).into_iter();
        let reader = Reader::new(
            world,
            "reader",
            named.map(|(topic, place)| (place, topic.name.to_owned())).collect(),
        );
        let trimmed = topics::places(&ids, &[TRIMMED]).into_iter().map(|(_, place)| place).collect();
        let members = members(world, &ids, number)?;
        let comers = vec![Comer::with_library(world, COME)?, Comer::with_raw(world, GO)?];
        Ok(Self { world: Arc::clone(world), number, ids, senders, members, reader, comers, trimmed, refused })
    }

    /// Whose offsets are looked at; each era has groups of its own.
    pub(crate) fn groups(&self) -> Vec<GroupAndTopics> {
        groups(self.number)
    }

    /// All clients at work, until the load ends.
    pub(crate) fn load<'scope>(&'scope mut self, scope: &'scope Scope<'scope, '_>, dice: &mut Dice) {
        let mut next = || Dice::new(dice.below(u64::MAX));
        for sender in &self.senders {
            let dice = next();
            scope.spawn(|| sender.run(dice));
        }
        for member in &self.members {
            let dice = next();
            scope.spawn(|| member.run(dice));
        }
        for comer in &self.comers {
            let dice = next();
            scope.spawn(|| comer.run(dice));
        }
        let (trims, refusals) = (next(), next());
        let (world, trimmed, refused) = (&self.world, &self.trimmed, &self.refused);
        scope.spawn(|| run_trims(world, TRIMMED, trimmed, trims));
        scope.spawn(|| refused.run(world, refusals));
        let reader = &mut self.reader;
        scope.spawn(|| reader.run());
    }

    /// What is sent is acknowledged and comes to the reader.
    pub(crate) fn drain(&mut self) {
        for sender in &self.senders {
            sender.drain(LIMIT);
        }
        self.reader.catch_up(LIMIT);
    }

    /// The clients and the topics go.
    pub(crate) fn end(self) -> Result<()> {
        let Self { world, ids, senders, members, .. } = self;
        drop(senders);
        for member in members {
            member.leave(LEAVE_LIMIT);
        }
        topics::delete_all(&world, &ids)
    }
}

fn groups(era: u32) -> Vec<GroupAndTopics> {
    GROUPS.iter().map(|(name, topics)| (format!("{name}-{era}"), *topics)).collect()
}

fn members(world: &Arc<World>, ids: &BTreeMap<String, Uuid>, number: u32) -> Result<Vec<MemberOf>> {
    let mut members = Vec::new();
    for (group, topics) in groups(number) {
        let of_group = ids.iter().filter(|(name, _)| topics.contains(&name.as_str()));
        let of_group: BTreeMap<String, Uuid> = of_group.map(|(name, id)| (name.clone(), *id)).collect();
        let (count, commit) = if group.starts_with(AUTO) { (2, Commit::Auto) } else { (1, Commit::Manual) };
        for member in 0..count {
            let name = format!("{group}-{member}");
            members.push(MemberOf::join(world, &group, &name, commit, &of_group)?);
        }
    }
    Ok(members)
}
