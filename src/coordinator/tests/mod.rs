//! Groups driven by lists of commands with a virtual clock; nothing here waits for real time.

mod joining;
mod leaving;
mod loading;
mod offsets;
mod shell;
mod static_members;
mod syncing;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::command::{
    Command, Commit, CommitPartition, CommitTopic, CommittedTopic, DeleteOffsets, DescribedGroup,
    Description, Fetch, FetchedTopic, FromReply, Heartbeat, Join, JoinAnswer, Leave, LeavingMember,
    LeftMember, ListFilter, ListedGroup, Protocol, Reply, SyncAnswer, SyncGroup, Verdict,
};
use super::machine::{Machine, Ticket};
use super::memory::GroupMemory;
use super::record::GroupRecord;
use super::settings::Settings;
use super::subscription;
use crate::types::{ErrorCode, Now, ProducerId};

const GROUP: &str = "g";
const SESSION_MS: i32 = 10_000;
const REBALANCE_MS: i32 = 60_000;

/// A machine, its clock, what it wrote, and the answers that nobody has looked at yet.
struct Bench {
    machine: Machine,
    settings: Arc<Settings>,
    now: Now,
    log: Vec<GroupRecord>,
    answers: BTreeMap<Ticket, Reply>,
    tickets: u64,
}

impl Bench {
    /// Whether a group that nobody is in tells a member its id.
    fn ask_for_id(&mut self, group: &str) -> bool {
        let ticket = self.send(Command::Join(Join {
            group_id: group.into(),
            member_id_required: true,
            ..join("pending")
        }));
        self.joined(ticket).unwrap().error == Some(ErrorCode::MemberIdRequired)
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Bench {
    fn new(settings: Settings) -> Self {
        let settings = Arc::new(settings);
        Self {
            machine: Machine::new(settings.clone(), 1_000_000),
            settings,
            now: Now { mono_ms: 1_000, wall_ms: 1_700_000_000_000 },
            log: Vec::new(),
            answers: BTreeMap::new(),
            tickets: 0,
        }
    }

    fn send(&mut self, command: Command) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let effects = self.machine.handle(ticket, command, self.now);
        self.take(effects);
        ticket
    }

    fn take(&mut self, effects: super::machine::Effects) {
        self.log.extend(effects.records);
        for (ticket, reply) in effects.replies {
            assert!(self.answers.insert(ticket, reply).is_none(), "{ticket:?} was answered twice");
        }
    }

    /// Moves the clock from deadline to deadline, as the driver does.
    fn pass(&mut self, ms: i64) {
        let until = self.now.after_ms(ms);
        while let Some(at) = self.machine.deadline_ms().filter(|at| *at <= until.mono_ms) {
            self.now = self.now.after_ms((at - self.now.mono_ms).max(0));
            let effects = self.machine.expire(self.now);
            self.take(effects);
        }
        self.now = until;
    }

    fn answer<T: FromReply>(&mut self, ticket: Ticket) -> Option<Result<T, ErrorCode>> {
        self.answers.remove(&ticket).map(T::from_reply)
    }

    fn ask<T: FromReply>(&mut self, command: Command) -> Result<T, ErrorCode> {
        let ticket = self.send(command);
        self.answer(ticket).expect("the answer comes at once")
    }

    fn joined(&mut self, ticket: Ticket) -> Option<JoinAnswer> {
        self.answer(ticket).map(Result::unwrap)
    }

    fn synced(&mut self, ticket: Ticket) -> Option<SyncAnswer> {
        self.answer(ticket).map(Result::unwrap)
    }

    fn heartbeat(&mut self, member_id: &str, generation: i32) -> Result<(), ErrorCode> {
        self.ask(Command::Heartbeat(Heartbeat {
            group_id: GROUP.into(),
            member_id: member_id.into(),
            generation,
            ..Heartbeat::default()
        }))
    }

    fn leave(&mut self, member_id: &str) -> Option<ErrorCode> {
        let members = vec![LeavingMember { member_id: member_id.into(), ..LeavingMember::default() }];
        let left: Vec<LeftMember> =
            self.ask(Command::Leave(Leave { group_id: GROUP.into(), members })).unwrap();
        left[0].error
    }

    fn describe(&mut self) -> DescribedGroup {
        match self.ask(Command::Describe { group_id: GROUP.into() }).unwrap() {
            Description::Group(group) => group,
            other => panic!("no group: {other:?}"),
        }
    }

    fn state(&mut self) -> &'static str {
        match self.ask(Command::Describe { group_id: GROUP.into() }).unwrap() {
            Description::Group(group) => group.state,
            _ => "Dead",
        }
    }

    /// A new dynamic member that has got its id the way clients do; its join is parked or answered.
    fn join_as(&mut self, client: &str) -> (String, Ticket) {
        let asked = self.send(Command::Join(join(client)));
        let told = self.joined(asked).unwrap();
        assert_eq!(told.error, Some(ErrorCode::MemberIdRequired));
        let ticket = self.send(Command::Join(Join { member_id: told.member_id.clone(), ..join(client) }));
        (told.member_id, ticket)
    }

    fn rejoin(&mut self, client: &str, member_id: &str) -> Ticket {
        self.send(Command::Join(Join { member_id: member_id.into(), ..join(client) }))
    }

    /// A stable group of these clients: their member ids, the leader's first, and the generation.
    fn stable(&mut self, clients: &[&str]) -> (Vec<String>, i32) {
        let mut members: Vec<(&str, String)> = Vec::new();
        let mut latest = JoinAnswer::default();
        for client in clients {
            let (id, newcomer) = self.join_as(client);
            for (client, id) in &members {
                self.rejoin(client, id);
            }
            latest = self.joined(newcomer).expect("all have joined");
            members.push((client, id));
        }
        let mut ids: Vec<String> = members.into_iter().map(|(_, id)| id).collect();
        ids.sort_by_key(|id| *id != latest.leader);
        for id in ids.iter().rev() {
            let assignments = ids.iter().map(|id| (id.clone(), Bytes::from(format!("for {id}")))).collect();
            self.sync(id, latest.generation, assignments);
        }
        assert_eq!(self.state(), "Stable");
        self.answers.clear();
        (ids, latest.generation)
    }

    fn sync(&mut self, member_id: &str, generation: i32, assignments: Vec<(String, Bytes)>) -> Ticket {
        self.send(Command::Sync(SyncGroup {
            group_id: GROUP.into(),
            member_id: member_id.into(),
            generation,
            assignments,
            ..SyncGroup::default()
        }))
    }

    fn commit(
        &mut self,
        member_id: &str,
        generation: i32,
        offsets: &[(&str, i32, i64)],
    ) -> Result<(), ErrorCode> {
        let verdicts: Vec<CommittedTopic> =
            self.ask(Command::Commit(Commit { member_id: member_id.into(), ..commit(generation, offsets) }))?;
        assert!(verdicts.iter().all(|topic| topic.partitions.iter().all(|(_, error)| error.is_none())));
        Ok(())
    }

    /// The committed offset of one partition, −1 when there is none.
    fn offset(&mut self, topic: &str, partition: i32) -> i64 {
        let topics = Some(vec![(topic.into(), vec![partition])]);
        let fetched: Vec<FetchedTopic> = self
            .ask(Command::Fetch(Fetch { group_id: GROUP.into(), topics, require_stable: false }))
            .unwrap();
        fetched[0].partitions[0].offset
    }

    /// The same shard after a restart: a new machine that has replayed what this one wrote.
    fn restarted(&self) -> Self {
        let mut next = Self::new(Settings::clone(&self.settings));
        next.now = self.now;
        for (position, record) in self.log.iter().enumerate() {
            next.machine.replay(record, ProducerId::NONE, position as i64, next.now);
        }
        next.log.clone_from(&self.log);
        let effects = next.machine.loaded(next.now);
        next.take(effects);
        next
    }
}

fn metadata_of(record: &GroupRecord) -> Option<&super::record::GroupMetadata> {
    match record {
        GroupRecord::Metadata { value: Some(value), .. } => Some(value),
        _ => None,
    }
}

/// A consumer's join without an id, as version 4 and later send it.
fn join(client: &str) -> Join {
    Join {
        group_id: GROUP.into(),
        client_id: client.into(),
        client_host: "/127.0.0.1".into(),
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: REBALANCE_MS,
        protocol_type: "consumer".into(),
        protocols: vec![protocol("range", &["orders"])],
        member_id_required: true,
        can_skip_assignment: true,
        fresh_id: Uuid::new_v4(),
        ..Join::default()
    }
}

fn protocol(name: &str, topics: &[&str]) -> Protocol {
    Protocol { name: name.into(), metadata: subscription::encode(topics) }
}

fn commit(generation: i32, offsets: &[(&str, i32, i64)]) -> Commit {
    let topics = offsets.iter().map(|(topic, partition, offset)| CommitTopic {
        topic: (*topic).into(),
        topic_id: crate::types::TopicId::ZERO,
        partitions: vec![CommitPartition {
            partition: *partition,
            offset: *offset,
            leader_epoch: 2,
            metadata: Some("note".into()),
        }],
    });
    Commit {
        group_id: GROUP.into(),
        generation,
        tells_unknown_group: true,
        topics: topics.collect(),
        ..Commit::default()
    }
}
