//! Heartbeats of the members of one group, one after the other: what one costs as the group grows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use clap::Args;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    ApiKey, FindCoordinatorRequest, FindCoordinatorResponse, GroupId, HeartbeatRequest, HeartbeatResponse,
    JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse, SyncGroupRequest,
    SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;
use tokio::task::JoinSet;

use super::channel::{Channel, on_one_thread};
use super::frames::{Request, decode};
use crate::measure::Stopwatch;
use crate::report::{Latencies, Report};

const JOIN_VERSION: i16 = 9;
const SYNC_VERSION: i16 = 5;
const HEARTBEAT_VERSION: i16 = 4;
const LEAVE_VERSION: i16 = 5;
const FIND_VERSION: i16 = 4;

/// Kafka's error codes that a member answers by trying again.
const COORDINATOR_LOADING: i16 = 14;
const COORDINATOR_NOT_AVAILABLE: i16 = 15;
const NOT_COORDINATOR: i16 = 16;
const REBALANCE_IN_PROGRESS: i16 = 27;
const MEMBER_ID_REQUIRED: i16 = 79;
const ILLEGAL_GENERATION: i16 = 22;

/// How long until a member looks again whether the group is complete.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const SESSION_TIMEOUT_MS: i32 = 45_000;
const REBALANCE_TIMEOUT_MS: i32 = 60_000;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The broker, as host:port.
    #[arg(long, default_value = "127.0.0.1:9092")]
    broker: String,
    /// Members of the group, each with a connection of its own.
    #[arg(long, default_value_t = 1)]
    members: u32,
    /// How many heartbeats all members send together, in turns.
    #[arg(long)]
    count: u64,
    /// The group's name.
    #[arg(long, default_value = "load-heartbeats")]
    group: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    if arguments.members == 0 {
        bail!("a group has a member");
    }
    on_one_thread(measure(arguments))
}

async fn measure(arguments: &Arguments) -> Result<Report> {
    let joined = Instant::now();
    let mut members = assemble(arguments).await?;
    let joined = joined.elapsed();
    let mut requests: Vec<Request> = members.iter().map(Member::heartbeat).collect::<Result<_>>()?;
    let mut latencies = Latencies::new();
    let watch = Stopwatch::start();
    'all: loop {
        for (member, request) in members.iter_mut().zip(&mut requests) {
            if latencies.count() == arguments.count {
                break 'all;
            }
            let begin = Instant::now();
            let answer = member.channel.ask(request).await?;
            latencies.record(begin.elapsed());
            match heartbeat_error(&answer)? {
                0 => {}
                code => bail!("a heartbeat was answered with error {code}"),
            }
        }
    }
    let elapsed = watch.stop();
    for member in &mut members {
        member.leave().await?;
    }
    Ok(Report::new()
        .count("members", u64::from(arguments.members))
        .seconds("join_seconds", joined)
        .seconds("seconds", elapsed.wall)
        .seconds("cpu_seconds", elapsed.cpu)
        .latencies("heartbeat", &latencies))
}

/// All members, in one generation of the group.
async fn assemble(arguments: &Arguments) -> Result<Vec<Member>> {
    let group = Arc::new(Gathering::new(i64::from(arguments.members)));
    let mut joining = JoinSet::new();
    for _ in 0..arguments.members {
        let name = GroupId(StrBytes::from_string(arguments.group.clone()));
        let member = Member::open(&arguments.broker, name).await?;
        let group = Arc::clone(&group);
        joining.spawn(member.gather(group));
    }
    let mut members = Vec::new();
    while let Some(member) = joining.join_next().await {
        members.push(member??);
    }
    Ok(members)
}

/// When a group is complete: some generation's leader was told all members, and every member is synced in it.
struct Gathering {
    wanted: i64,
    generation: AtomicI64,
    synced: AtomicI64,
    complete: AtomicBool,
}

impl Gathering {
    fn new(wanted: i64) -> Self {
        Self {
            wanted,
            generation: AtomicI64::new(-1),
            synced: AtomicI64::new(0),
            complete: AtomicBool::new(false),
        }
    }

    /// The leader was told so many members.
    fn led(&self, generation: i32, members: usize) {
        if members as i64 == self.wanted {
            self.generation.store(i64::from(generation), Ordering::Relaxed);
        }
    }

    /// One more member is synced; all tasks share one thread, so plain counting does.
    fn synced(&self, generation: i32) -> bool {
        if self.generation.load(Ordering::Relaxed) != i64::from(generation) {
            return false;
        }
        if self.synced.fetch_add(1, Ordering::Relaxed) + 1 == self.wanted {
            self.complete.store(true, Ordering::Relaxed);
        }
        true
    }
}

struct Member {
    channel: Channel,
    group: GroupId,
    id: StrBytes,
    generation: i32,
}

impl Member {
    /// Opens a connection to the group's coordinator.
    async fn open(broker: &str, group: GroupId) -> Result<Self> {
        let mut channel = Channel::open(broker).await?;
        let body = FindCoordinatorRequest::default().with_coordinator_keys(vec![group.0.clone()]);
        let mut request = Request::encode(ApiKey::FindCoordinator, FIND_VERSION, &body)?;
        loop {
            let answer: FindCoordinatorResponse = decode(&channel.ask(&mut request).await?, FIND_VERSION)?;
            let found = answer.coordinators.into_iter().next().context("no coordinator in the answer")?;
            match found.error_code {
                0 => break,
                COORDINATOR_NOT_AVAILABLE => tokio::time::sleep(LOOK_AGAIN).await,
                code => bail!("FindCoordinator was answered with error {code}"),
            }
        }
        Ok(Self { channel, group, id: StrBytes::default(), generation: -1 })
    }

    /// Joins until the group is complete, and stays in it meanwhile.
    async fn gather(mut self, group: Arc<Gathering>) -> Result<Self> {
        loop {
            if !self.join(&group).await? {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            let counted = group.synced(self.generation);
            let mut request = self.heartbeat()?;
            while !group.complete.load(Ordering::Relaxed) {
                tokio::time::sleep(LOOK_AGAIN).await;
                match heartbeat_error(&self.channel.ask(&mut request).await?)? {
                    0 => {}
                    REBALANCE_IN_PROGRESS | ILLEGAL_GENERATION if !counted => break,
                    code => bail!("a heartbeat was answered with error {code}"),
                }
            }
            if counted {
                return Ok(self);
            }
        }
    }

    /// One round of joining and syncing; false when it has to be tried again.
    async fn join(&mut self, group: &Gathering) -> Result<bool> {
        let body = JoinGroupRequest::default()
            .with_group_id(self.group.clone())
            .with_member_id(self.id.clone())
            .with_session_timeout_ms(SESSION_TIMEOUT_MS)
            .with_rebalance_timeout_ms(REBALANCE_TIMEOUT_MS)
            .with_protocol_type(StrBytes::from_static_str("consumer"))
            .with_protocols(vec![
                JoinGroupRequestProtocol::default()
                    .with_name(StrBytes::from_static_str("range"))
                    .with_metadata(Bytes::from_static(&[0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])),
            ]);
        let mut request = Request::encode(ApiKey::JoinGroup, JOIN_VERSION, &body)?;
        let answer: JoinGroupResponse = decode(&self.channel.ask(&mut request).await?, JOIN_VERSION)?;
        match answer.error_code {
            0 => {}
            MEMBER_ID_REQUIRED => {
                self.id = answer.member_id;
                return Box::pin(self.join(group)).await;
            }
            COORDINATOR_LOADING | COORDINATOR_NOT_AVAILABLE | NOT_COORDINATOR | REBALANCE_IN_PROGRESS => {
                return Ok(false);
            }
            code => bail!("JoinGroup was answered with error {code}"),
        }
        self.generation = answer.generation_id;
        self.id = answer.member_id.clone();
        if answer.leader == answer.member_id {
            group.led(answer.generation_id, answer.members.len());
        }
        self.sync(answer).await
    }

    async fn sync(&mut self, joined: JoinGroupResponse) -> Result<bool> {
        // Only the leader was told members; their assignments mean nothing to anybody.
        let assignments = joined.members.into_iter().map(|member| {
            SyncGroupRequestAssignment::default()
                .with_member_id(member.member_id)
                .with_assignment(Bytes::from_static(&[0; 10]))
        });
        let body = SyncGroupRequest::default()
            .with_group_id(self.group.clone())
            .with_generation_id(self.generation)
            .with_member_id(self.id.clone())
            .with_protocol_type(joined.protocol_type)
            .with_protocol_name(joined.protocol_name)
            .with_assignments(assignments.collect());
        let mut request = Request::encode(ApiKey::SyncGroup, SYNC_VERSION, &body)?;
        let answer: SyncGroupResponse = decode(&self.channel.ask(&mut request).await?, SYNC_VERSION)?;
        match answer.error_code {
            0 => Ok(true),
            REBALANCE_IN_PROGRESS => Ok(false),
            code => bail!("SyncGroup was answered with error {code}"),
        }
    }

    fn heartbeat(&self) -> Result<Request> {
        let body = HeartbeatRequest::default()
            .with_group_id(self.group.clone())
            .with_generation_id(self.generation)
            .with_member_id(self.id.clone());
        Request::encode(ApiKey::Heartbeat, HEARTBEAT_VERSION, &body)
    }

    async fn leave(&mut self) -> Result<()> {
        let member = MemberIdentity::default().with_member_id(self.id.clone());
        let body = LeaveGroupRequest::default().with_group_id(self.group.clone()).with_members(vec![member]);
        let mut request = Request::encode(ApiKey::LeaveGroup, LEAVE_VERSION, &body)?;
        let answer: LeaveGroupResponse = decode(&self.channel.ask(&mut request).await?, LEAVE_VERSION)?;
        match answer.error_code {
            0 => Ok(()),
            code => bail!("LeaveGroup was answered with error {code}"),
        }
    }
}

fn heartbeat_error(answer: &[u8]) -> Result<i16> {
    Ok(decode::<HeartbeatResponse>(answer, HEARTBEAT_VERSION)?.error_code)
}
