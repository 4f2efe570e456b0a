//! What the coordinator is asked and what it answers: plain structs that know neither the protocol crate nor a
//! version number. `api` translates between these and the wire.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::group::{CLASSIC, GroupState};
use super::record::ForeignKind;
use crate::types::{ErrorCode, TopicId, TopicName};

/// One request to a group's shard.
#[derive(Clone, Debug)]
pub enum Command {
    /// `JoinGroup`.
    Join(Join),
    /// `SyncGroup`.
    Sync(SyncGroup),
    /// Heartbeat.
    Heartbeat(Heartbeat),
    /// `LeaveGroup`.
    Leave(Leave),
    /// `OffsetCommit`.
    Commit(Commit),
    /// `OffsetFetch` for one group.
    Fetch(Fetch),
    /// `OffsetDelete`.
    DeleteOffsets(DeleteOffsets),
    /// `DescribeGroups` for one group.
    Describe {
        /// The group asked for.
        group_id: String,
    },
    /// `ListGroups` on this shard.
    List(ListFilter),
    /// `DeleteGroups` for one group.
    Delete {
        /// The group to delete with its offsets.
        group_id: String,
    },
}

/// The answer to a [`Command`].
#[derive(Clone, Debug)]
pub enum Reply {
    /// To [`Command::Join`].
    Join(JoinAnswer),
    /// To [`Command::Sync`].
    Sync(SyncAnswer),
    /// To [`Command::Heartbeat`] and [`Command::Delete`].
    Verdict(Result<(), ErrorCode>),
    /// To [`Command::Leave`].
    Leave(Vec<LeftMember>),
    /// To [`Command::Commit`] and [`Command::DeleteOffsets`]: per partition, or one error for all.
    Commit(Result<Vec<CommittedTopic>, ErrorCode>),
    /// To [`Command::Fetch`].
    Fetch(Vec<FetchedTopic>),
    /// To [`Command::Describe`].
    Describe(Description),
    /// To [`Command::List`].
    List(Vec<ListedGroup>),
}

/// A reply of one kind, taken out of [`Reply`].
pub trait FromReply: Send + Sized + 'static {
    /// The value inside, or the error that stands for the whole request.
    fn from_reply(reply: Reply) -> Result<Self, ErrorCode>;
}

macro_rules! from_reply {
    ($($kind:ty, $pattern:pat => $value:expr;)*) => {$(
        impl FromReply for $kind {
            fn from_reply(reply: Reply) -> Result<Self, ErrorCode> {
                match reply {
                    $pattern => $value,
                    _ => Err(ErrorCode::UnknownServerError),
                }
            }
        }
    )*};
}

from_reply! {
    JoinAnswer, Reply::Join(answer) => Ok(answer);
    SyncAnswer, Reply::Sync(answer) => Ok(answer);
    (), Reply::Verdict(verdict) => verdict;
    Vec<LeftMember>, Reply::Leave(members) => Ok(members);
    Vec<CommittedTopic>, Reply::Commit(result) => result;
    Vec<FetchedTopic>, Reply::Fetch(topics) => Ok(topics);
    Description, Reply::Describe(description) => Ok(description);
    Vec<ListedGroup>, Reply::List(groups) => Ok(groups);
}

/// `JoinGroup` (KIP-62, KIP-345, KIP-394, KIP-814).
#[derive(Clone, Debug, Default)]
pub struct Join {
    /// The group to join; it is created when it does not exist.
    pub group_id: String,
    /// Empty for a member that has no id yet.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// The client id of the request's header.
    pub client_id: String,
    /// The client's address as Kafka shows it: `/127.0.0.1`.
    pub client_host: String,
    /// How long the member lives without a sign of life.
    pub session_timeout_ms: i32,
    /// How long a rebalance waits for this member; the session timeout where the version has no such field.
    pub rebalance_timeout_ms: i32,
    /// `consumer`, `connect`, …
    pub protocol_type: String,
    /// What the member can speak, best first.
    pub protocols: Vec<Protocol>,
    /// Why the client joins (KIP-800); for the log alone.
    pub reason: Option<String>,
    /// True where the version asks a new dynamic member to come back with the id it is given (from 4 on, KIP-394).
    pub member_id_required: bool,
    /// True where the version lets a static leader skip the assignment (from 9 on, KIP-814).
    pub can_skip_assignment: bool,
    /// A random id for a member that has none.
    pub fresh_id: Uuid,
}

/// One protocol of a member, with what it says in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// The protocol's name: for consumers the assignor's.
    pub name: String,
    /// Opaque to the broker, but for the topics that a consumer subscribes to.
    pub metadata: Bytes,
}

/// The answer to [`Join`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinAnswer {
    /// `None` when the join succeeded.
    pub error: Option<ErrorCode>,
    /// The member's id; given by the coordinator together with `MEMBER_ID_REQUIRED` too.
    pub member_id: String,
    /// −1 in a refusal.
    pub generation: i32,
    /// The group's protocol type.
    pub protocol_type: Option<String>,
    /// The protocol that all members share.
    pub protocol: Option<String>,
    /// The leader's member id; empty in a refusal.
    pub leader: String,
    /// True for a leader whose assignment still holds (KIP-814).
    pub skip_assignment: bool,
    /// All members for the leader, nobody for the others.
    pub members: Vec<JoinedMember>,
}

impl JoinAnswer {
    /// A refusal that tells the member which id it is known by.
    pub fn refused(error: ErrorCode, member_id: impl Into<String>) -> Self {
        Self { error: Some(error), member_id: member_id.into(), generation: -1, ..Self::default() }
    }
}

/// One member as the leader sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinedMember {
    /// The member's id.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// What the member says in the chosen protocol.
    pub metadata: Bytes,
}

/// `SyncGroup`.
#[derive(Clone, Debug, Default)]
pub struct SyncGroup {
    /// The group.
    pub group_id: String,
    /// The member's id.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// The generation that the member joined.
    pub generation: i32,
    /// Checked against the group's when given (KIP-559).
    pub protocol_type: Option<String>,
    /// Checked against the group's when given (KIP-559).
    pub protocol: Option<String>,
    /// From the leader: member id and assignment.
    pub assignments: Vec<(String, Bytes)>,
}

/// The answer to [`SyncGroup`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncAnswer {
    /// `None` when the assignment is there.
    pub error: Option<ErrorCode>,
    /// The group's protocol type.
    pub protocol_type: Option<String>,
    /// The chosen protocol.
    pub protocol: Option<String>,
    /// The member's assignment; empty in a refusal.
    pub assignment: Bytes,
}

impl SyncAnswer {
    /// A refusal.
    pub fn refused(error: ErrorCode) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

/// Heartbeat.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat {
    /// The group.
    pub group_id: String,
    /// The member's id.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// The generation that the member joined.
    pub generation: i32,
}

/// `LeaveGroup`, of one member or of several.
#[derive(Clone, Debug, Default)]
pub struct Leave {
    /// The group.
    pub group_id: String,
    /// Who leaves.
    pub members: Vec<LeavingMember>,
}

impl Leave {
    /// The verdicts when the group does not exist.
    pub(crate) fn unknown_members(&self) -> Vec<LeftMember> {
        let members = self.members.iter().map(|member| LeftMember {
            member_id: member.member_id.clone(),
            instance_id: member.instance_id.clone(),
            error: Some(ErrorCode::UnknownMemberId),
        });
        members.collect()
    }
}

/// One member that leaves.
#[derive(Clone, Debug, Default)]
pub struct LeavingMember {
    /// Empty when an administrator removes a static member by its instance id.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// Why it leaves (KIP-800); for the log alone.
    pub reason: Option<String>,
}

/// The verdict on one leaving member.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftMember {
    /// As in the request.
    pub member_id: String,
    /// As in the request.
    pub instance_id: Option<String>,
    /// `None` when the member is gone.
    pub error: Option<ErrorCode>,
}

/// `OffsetCommit`.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// The group.
    pub group_id: String,
    /// Empty for a consumer that assigns its partitions itself, and for administrators.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// Below 0 for who is no member.
    pub generation: i32,
    /// How long to keep the offsets (versions 2 to 4); `None` means the broker's retention.
    pub retention_ms: Option<i64>,
    /// True where the version names an unknown group so (from 9 on); older ones are told `ILLEGAL_GENERATION`.
    pub tells_unknown_group: bool,
    /// What is committed.
    pub topics: Vec<CommitTopic>,
}

/// The offsets of one topic to commit.
#[derive(Clone, Debug)]
pub struct CommitTopic {
    /// The topic's name.
    pub topic: TopicName,
    /// The topic's id; zero when unknown.
    pub topic_id: TopicId,
    /// Its partitions.
    pub partitions: Vec<CommitPartition>,
}

/// The offset of one partition to commit.
#[derive(Clone, Debug)]
pub struct CommitPartition {
    /// The partition's index.
    pub partition: i32,
    /// The next offset to consume.
    pub offset: i64,
    /// The leader epoch of the last consumed record, −1 when unknown (KIP-320).
    pub leader_epoch: i32,
    /// Text that the client wants to keep; null is kept as empty.
    pub metadata: Option<String>,
}

/// `OffsetDelete` (KIP-496).
#[derive(Clone, Debug, Default)]
pub struct DeleteOffsets {
    /// The group.
    pub group_id: String,
    /// Topics and partitions.
    pub topics: Vec<(TopicName, Vec<i32>)>,
}

/// The verdicts on one topic's commits, or on their deletion.
#[derive(Clone, Debug, PartialEq)]
pub struct CommittedTopic {
    /// The topic's name.
    pub topic: TopicName,
    /// Partition index and error, `None` when it is done.
    pub partitions: Vec<(i32, Option<ErrorCode>)>,
}

/// `OffsetFetch` of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fetch {
    /// The group.
    pub group_id: String,
    /// Topics and partitions; `None` means all that the group has committed.
    pub topics: Option<Vec<(TopicName, Vec<i32>)>>,
    /// True when offsets of open transactions are to be told as `UNSTABLE_OFFSET_COMMIT` (KIP-447).
    pub require_stable: bool,
}

/// The committed offsets of one topic.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchedTopic {
    /// The topic's name.
    pub topic: TopicName,
    /// One entry per partition asked for.
    pub partitions: Vec<FetchedPartition>,
}

/// What becomes of a committed offset at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stands.
    Keep,
    /// Its topic is gone.
    Delete,
    /// The log ends here, below it: the machine lost its power between the two.
    Cut(i64),
}

/// Judges a committed offset by topic, partition, the id of the topic that it was committed for (zero when unknown)
/// and the offset.
pub type Judge<'a> = &'a dyn Fn(&str, i32, TopicId, i64) -> Verdict;

/// The committed offset of one partition.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchedPartition {
    /// The id of the topic that the offset was committed for; zero when unknown or when there is none.
    pub topic_id: TopicId,
    /// The partition's index.
    pub partition: i32,
    /// −1 when nothing is committed.
    pub offset: i64,
    /// −1 when unknown.
    pub leader_epoch: i32,
    /// Empty when nothing is committed.
    pub metadata: Arc<str>,
    /// `None` but for `UNSTABLE_OFFSET_COMMIT`.
    pub error: Option<ErrorCode>,
}

/// What `DescribeGroups` learns of one group.
#[derive(Clone, Debug, PartialEq)]
pub enum Description {
    /// A classic group.
    Group(DescribedGroup),
    /// No group has this id.
    NotFound,
    /// The id belongs to a group of another protocol (KIP-848, share, streams).
    NotClassic,
}

/// A classic group as administrators see it.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    /// Kafka's name of the state: `Stable`, `Empty`, …
    pub state: &'static str,
    /// Empty when the group has none.
    pub protocol_type: String,
    /// The chosen protocol; empty unless the group is stable.
    pub protocol: String,
    /// The members.
    pub members: Vec<DescribedMember>,
}

/// One member as administrators see it.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedMember {
    /// The member's id.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// The client's id.
    pub client_id: String,
    /// The client's address.
    pub client_host: String,
    /// What the member says in the chosen protocol; empty unless the group is stable.
    pub metadata: Bytes,
    /// Its assignment.
    pub assignment: Bytes,
}

/// Which groups `ListGroups` asks for; an empty list means all.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Names of states, in any case (KIP-518).
    pub states: Vec<String>,
    /// Names of types, in any case (KIP-848).
    pub types: Vec<String>,
}

impl ListFilter {
    /// The same filter with no more names than groups can have. To be used before it is waited with: every group is
    /// compared with each name, and a request may hold a hundred thousand.
    #[must_use]
    pub fn reduced(self) -> Self {
        let kinds = ForeignKind::ALL.map(ForeignKind::name);
        Self {
            states: reduced(self.states, &GroupState::ALL.map(GroupState::name)),
            types: reduced(self.types, &[&[CLASSIC], &kinds[..]].concat()),
        }
    }

    /// Whether a group of this state and type is asked for.
    pub(super) fn wants(&self, state: &str, group_type: &str) -> bool {
        let wants = |names: &[String], name| names.is_empty() || names.iter().any(|asked| is(asked, name));
        wants(&self.states, state) && wants(&self.types, group_type)
    }
}

/// Whether a client's spelling of a state or type is this one.
fn is(asked: &str, name: &str) -> bool {
    asked.trim().eq_ignore_ascii_case(name)
}

/// Those of `names` that are among the known ones, each once; where none is, one that no group has, for an empty list
/// means all.
fn reduced(names: Vec<String>, known: &[&str]) -> Vec<String> {
    let Some(first) = names.first() else { return names };
    let asked = known.iter().filter(|known| names.iter().any(|name| is(name, known)));
    let asked: Vec<String> = asked.map(|known| (*known).to_owned()).collect();
    if asked.is_empty() { vec![first.clone()] } else { asked }
}

/// One group in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedGroup {
    /// The group.
    pub group_id: String,
    /// Empty when the group has none.
    pub protocol_type: String,
    /// Kafka's name of the state.
    pub state: &'static str,
    /// `classic`, `consumer`, `share` or `streams`.
    pub group_type: &'static str,
}
