//! The table of APIs and the way from a request's bytes to its answer: guard → decode → handler → encode.
//! Each API (or close family) is one file here with a `handle` function; a row in [`TABLE`] is all that it takes
//! to serve it. ApiVersions, metric labels and the documentation read the table and nothing else.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
pub use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};

use crate::broker::Broker;
use crate::types::{ErrorCode, Now};
use crate::wire::frame::{Frame, ResponseHead};
use crate::wire::metadata_response::MetadataBody;
use crate::wire::{guard, header};

mod acls;
mod alter_configs;
mod alter_partition_reassignments;
mod alter_replica_log_dirs;
mod api_versions;
mod config_changes;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_quorum;
mod describe_topic_partitions;
mod elect_leaders;
mod fetch;
mod find_coordinator;
mod groups;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod list_partition_reassignments;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod produce;
mod sasl;
mod sync_group;
mod table;
mod telemetry;
mod update_features;

pub use table::{TABLE, row};

/// A future that a handler returns; it owns all that it needs.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// What a connection knows about itself; shared by all of its requests.
#[derive(Debug)]
pub struct Connection {
    /// A number that no other connection of this process has.
    pub id: u64,
    /// The client's address.
    pub peer: SocketAddr,
    /// The address through which the client came in.
    pub local: SocketAddr,
    /// The listener's name, `PLAINTEXT` for example.
    pub listener: Arc<str>,
}

/// Everything that a handler gets beside the decoded request.
#[derive(Clone)]
pub struct Context {
    /// The broker's parts.
    pub broker: Arc<Broker>,
    /// The connection that the request came in on.
    pub connection: Arc<Connection>,
    /// The request's version, which is in the range that its row serves.
    pub version: i16,
    /// The client's name for itself; bytes that are not UTF-8 were replaced.
    pub client_id: Option<StrBytes>,
    /// When the whole request had arrived: deadlines count from here.
    pub now: Now,
}

/// What a handler returns for a response of type `R`.
pub enum Reply<R> {
    /// The answer is there.
    Now(R),
    /// The effect is applied, only the answer is outstanding; the requests behind go on. The effect must not
    /// depend on the future being polled: it is dropped when the connection ends.
    Later(BoxFuture<R>),
    /// As `Later`, for as long as the client likes to wait: few of a connection may.
    Parked(BoxFuture<R>),
    /// A barrier: the next request of this connection is read when the future is done.
    Run(BoxFuture<R>),
    /// A barrier like `Run`, whose future tells what the reply is.
    Then(BoxFuture<Reply<R>>),
    /// No answer is sent (Produce with `acks=0`).
    Silent,
    /// The connection is closed without an answer, for the reason given.
    Close(String),
}

/// A [`Reply`] whose response is encoded: what the connection handles.
pub enum Answer {
    /// See [`Reply::Now`].
    Now(Frame),
    /// See [`Reply::Later`].
    Later(BoxFuture<Result<Frame, Refused>>),
    /// See [`Reply::Parked`].
    Parked(BoxFuture<Result<Frame, Refused>>),
    /// See [`Reply::Then`]; what [`Reply::Run`] becomes, too.
    Then(BoxFuture<Result<Answer, Refused>>),
    /// See [`Reply::Silent`].
    Silent,
}

/// Why a request closes its connection: Kafka does the same for each (no response can be made sense of).
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no header that could be answered.
    #[error(transparent)]
    Header(#[from] header::HeaderError),
    /// The API or its version is not served.
    #[error("{api:?} v{version} is not served")]
    NotServed {
        /// The API.
        api: ApiKey,
        /// The request's version.
        version: i16,
    },
    /// The body does not hold what its counts and lengths claim.
    #[error("{api} v{version}: {source}")]
    Malformed {
        /// The API's name.
        api: &'static str,
        /// The request's version.
        version: i16,
        /// What the guard found.
        source: guard::GuardError,
    },
    /// The decoder refused what the guard had let through.
    #[error("{api} v{version}: cannot be decoded: {reason}")]
    Undecodable {
        /// The API's name.
        api: &'static str,
        /// The request's version.
        version: i16,
        /// The decoder's words.
        reason: String,
    },
    /// The response cannot be encoded at the request's version: a defect of this program.
    #[error("{api} v{version}: the response cannot be encoded: {reason}")]
    Unencodable {
        /// The API's name.
        api: &'static str,
        /// The request's version.
        version: i16,
        /// The encoder's words.
        reason: String,
    },
    /// The handler asked for it.
    #[error("{api} v{version}: {reason}")]
    Closed {
        /// The API's name.
        api: &'static str,
        /// The request's version.
        version: i16,
        /// The handler's words.
        reason: String,
    },
}

/// What an answer says of allowed operations when it was not asked (KIP-430).
pub const OPERATIONS_UNASKED: i32 = i32::MIN;
/// Every operation that topics have, as a bit field over Kafka's operation codes (KIP-430): read 3, write 4,
/// create 5, delete 6, alter 7, describe 8, describe configs 10, alter configs 11. All, as long as no authorizer
/// forbids any.
pub const TOPIC_OPERATIONS: i32 = 0b1101_1111_1000;
/// Likewise for groups: read, delete, describe, describe configs, alter configs.
pub const GROUP_OPERATIONS: i32 = 0b1101_0100_1000;
/// Likewise for the cluster: create, alter, describe, cluster action 9, describe configs, alter configs,
/// idempotent write 12.
pub const CLUSTER_OPERATIONS: i32 = 0b1_1111_1010_0000;

/// Whether a change with this timeout may begin: with Kafka one that has no time is over before it begins.
///
/// # Errors
/// `REQUEST_TIMED_OUT` for a timeout of 0 or less.
pub(crate) const fn admitted(timeout_ms: i32) -> Result<(), ErrorCode> {
    if timeout_ms <= 0 { Err(ErrorCode::RequestTimedOut) } else { Ok(()) }
}

/// The operation that a client must be allowed to do; where resources differ within one request (topics, groups)
/// the handler asks for each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Needs no permission.
    None,
    /// Read a topic or group.
    Read,
    /// Write to a topic or cluster (idempotent producers).
    Write,
    /// Create topics.
    Create,
    /// Delete topics, records or groups.
    Delete,
    /// Alter topics.
    Alter,
    /// Describe topics, groups or the cluster.
    Describe,
    /// Describe configurations.
    DescribeConfigs,
    /// Alter configurations.
    AlterConfigs,
}

/// A request's way from bytes to its answer.
pub type Call = fn(Context, Bytes, i32) -> Result<Answer, Refused>;

/// One API.
pub struct Api {
    /// Kafka's key.
    pub key: ApiKey,
    /// The name, as Kafka spells it.
    pub name: &'static str,
    /// The versions that are served, lowest and highest.
    pub served: (i16, i16),
    /// The lowest version in ApiVersions' answer; below the served ones for Produce alone (KAFKA-18659). `None` when the
    /// API is left out there, and answered all the same.
    pub advertised_min: Option<i16>,
    /// What a client must be allowed to do.
    pub operation: Operation,
    /// What the README says beside the versions; may be empty.
    pub note: &'static str,
    /// Guards, decodes, handles and encodes.
    pub call: Call,
}

/// A response that knows how to become a frame; every message of the protocol crate does.
pub trait IntoFrame: Send + 'static {
    /// Encodes this response. The error is the encoder's own words.
    fn into_frame(self, head: ResponseHead) -> Result<Frame, String>;
}

impl<R: Encodable + HeaderVersion + Send + 'static> IntoFrame for R {
    fn into_frame(self, mut head: ResponseHead) -> Result<Frame, String> {
        head.flexible = R::header_version(head.version) >= 1;
        Frame::encode(head, &self).map_err(|error| error.to_string())
    }
}

impl IntoFrame for MetadataBody {
    fn into_frame(self, head: ResponseHead) -> Result<Frame, String> {
        self.into_frame(head)
    }
}

/// Whether a request with these first four bytes of its header, key and version, is one that is answered.
///
/// # Errors
/// What [`dispatch`] would say of it.
pub fn check_served(key_and_version: [u8; 4]) -> Result<(), Refused> {
    let [key_high, key_low, version_high, version_low] = key_and_version;
    let api_key = i16::from_be_bytes([key_high, key_low]);
    let api_version = i16::from_be_bytes([version_high, version_low]);
    let key = ApiKey::try_from(api_key)
        .map_err(|()| header::HeaderError::UnknownApiKey { api_key, api_version })?;
    let is_served = row(key).is_some_and(|row| {
        row.key == ApiKey::ApiVersions || (row.served.0..=row.served.1).contains(&api_version)
    });
    if is_served { Ok(()) } else { Err(Refused::NotServed { api: key, version: api_version }) }
}

/// Whether the answers of an API may be much larger than its requests, or large at all: they can wait while memory for
/// answers is short. What keeps producers and consumers going has small ones, and records are not in memory.
pub fn may_answer_much(api_key: i16) -> bool {
    let small = [
        ApiKey::Produce,
        ApiKey::Fetch,
        ApiKey::ApiVersions,
        ApiKey::FindCoordinator,
        ApiKey::Heartbeat,
        ApiKey::InitProducerId,
        ApiKey::JoinGroup,
        ApiKey::LeaveGroup,
        ApiKey::OffsetCommit,
        ApiKey::SyncGroup,
    ];
    small.iter().all(|key| *key as i16 != api_key)
}

/// Whether these bytes, which may be a part of a request, hold its whole header.
///
/// # Errors
/// What [`dispatch`] would say of it.
pub fn check_header(front: &Bytes) -> Result<(), Refused> {
    header::parse(front)?;
    Ok(())
}

/// Handles one request: finds its row and calls it. `now` is when all of it had arrived.
pub fn dispatch(
    broker: &Arc<Broker>,
    connection: &Arc<Connection>,
    frame: &Bytes,
    now: Now,
) -> Result<Answer, Refused> {
    let request = header::parse(frame)?;
    let version = request.api_version;
    let not_served = Refused::NotServed { api: request.api_key, version };
    let Some(row) = row(request.api_key) else { return Err(not_served) };
    if !(row.served.0..=row.served.1).contains(&version) {
        if row.key == ApiKey::ApiVersions {
            return api_versions::unsupported(request.correlation_id).map(Answer::Now);
        }
        return Err(not_served);
    }
    broker.counters.request(row.key as i16);
    let context = Context {
        broker: broker.clone(),
        connection: connection.clone(),
        version,
        client_id: request.client_id.map(StrBytes::from_string),
        now,
    };
    (row.call)(context, request.body, request.correlation_id)
}

/// Guards and decodes `body`, calls `handler` and prepares the answer's encoding. Bytes behind the request are
/// ignored, as Kafka ignores them.
pub(crate) fn call<Q: Decodable, R: IntoFrame>(
    api: ApiKey,
    name: &'static str,
    context: Context,
    body: Bytes,
    correlation_id: i32,
    handler: fn(Context, Q) -> Reply<R>,
) -> Result<Answer, Refused> {
    let version = context.version;
    guard::check(api as i16, version, &body).map_err(|source| Refused::Malformed {
        api: name,
        version,
        source,
    })?;
    let mut body = body;
    let request = Q::decode(&mut body, version).map_err(|error| Refused::Undecodable {
        api: name,
        version,
        reason: error.to_string(),
    })?;
    let encoder = Encoder { api: name, head: ResponseHead { correlation_id, version, flexible: false } };
    encoder.answer(handler(context, request))
}

/// Turns replies into answers.
#[derive(Clone, Copy)]
struct Encoder {
    api: &'static str,
    head: ResponseHead,
}

impl Encoder {
    fn frame<R: IntoFrame>(self, response: R) -> Result<Frame, Refused> {
        let version = self.head.version;
        response.into_frame(self.head).map_err(|reason| Refused::Unencodable {
            api: self.api,
            version,
            reason,
        })
    }

    fn answer<R: IntoFrame>(self, reply: Reply<R>) -> Result<Answer, Refused> {
        Ok(match reply {
            Reply::Now(response) => Answer::Now(self.frame(response)?),
            Reply::Later(future) => Answer::Later(Box::pin(async move { self.frame(future.await) })),
            Reply::Parked(future) => Answer::Parked(Box::pin(async move { self.frame(future.await) })),
            Reply::Run(future) => {
                Answer::Then(Box::pin(async move { Ok(Answer::Now(self.frame(future.await)?)) }))
            }
            Reply::Then(future) => Answer::Then(Box::pin(async move { self.answer(future.await) })),
            Reply::Silent => Answer::Silent,
            Reply::Close(reason) => {
                return Err(Refused::Closed { api: self.api, version: self.head.version, reason });
            }
        })
    }
}
