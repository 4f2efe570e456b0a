//! One member of a classic group: what it said when it joined, what it waits for, and its session's alarm.

use std::sync::Arc;

use bytes::Bytes;

use super::MEMBER_BYTES;
use crate::coordinator::command::{Join, Protocol};
use crate::coordinator::machine::Ticket;
use crate::coordinator::memory::Charge;
use crate::coordinator::record::MemberMetadata;
use crate::coordinator::timers::Alarm;

/// A member of a classic group.
#[derive(Debug, Default)]
pub(crate) struct Member {
    pub(super) id: Arc<str>,
    pub(super) instance_id: Option<Arc<str>>,
    pub(super) client_id: Arc<str>,
    pub(super) client_host: Arc<str>,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) session_timeout_ms: i32,
    /// Best first; no name twice.
    pub(super) protocols: Vec<(Arc<str>, Bytes)>,
    pub(super) assignment: Bytes,
    pub(super) awaiting_join: Option<Ticket>,
    pub(super) awaiting_sync: Option<Ticket>,
    /// True until its first join is answered: until then even a parked join does not keep it alive for ever.
    pub(super) is_new: bool,
    pub(super) session: Alarm,
    /// What it takes of the memory for groups, from when it is in one.
    pub(super) charge: Charge,
}

/// What a protocol takes beside its name and metadata.
const PROTOCOL_BYTES: usize = 80;

/// What is counted for a member's assignment at least: whoever was let in has room for one of usual size.
const ASSIGNMENT_BYTES_MIN: usize = 256;

/// What is counted for an assignment.
pub(super) fn assignment_bytes(assignment: &[u8]) -> usize {
    assignment.len().max(ASSIGNMENT_BYTES_MIN)
}

/// Bytes of memory of one protocol of a member, by estimate.
pub(super) fn protocol_bytes(name: &str, metadata: &[u8]) -> usize {
    PROTOCOL_BYTES.saturating_add(name.len()).saturating_add(metadata.len())
}

impl Member {
    /// A member that joins for the first time.
    pub(super) fn joining(id: Arc<str>, join: &Join, protocols: Vec<(Arc<str>, Bytes)>) -> Self {
        Self {
            id,
            instance_id: join.instance_id.as_deref().map(Into::into),
            client_id: join.client_id.as_str().into(),
            client_host: join.client_host.as_str().into(),
            rebalance_timeout_ms: join.rebalance_timeout_ms,
            session_timeout_ms: join.session_timeout_ms,
            protocols,
            is_new: true,
            ..Self::default()
        }
    }

    /// A member as a record tells of it.
    pub(super) fn recorded(recorded: &MemberMetadata, protocol: Option<Arc<str>>) -> Self {
        Self {
            id: recorded.member_id.clone(),
            instance_id: recorded.instance_id.clone(),
            client_id: recorded.client_id.clone(),
            client_host: recorded.client_host.clone(),
            rebalance_timeout_ms: recorded.rebalance_timeout_ms,
            session_timeout_ms: recorded.session_timeout_ms,
            protocols: protocol.into_iter().map(|name| (name, recorded.subscription.clone())).collect(),
            ..Self::default()
        }
    }

    /// Bytes of memory that the member takes, by estimate.
    pub(super) fn bytes(&self) -> usize {
        let instance = self.instance_id.as_ref().map_or(0, |id| id.len());
        let assignment = assignment_bytes(&self.assignment);
        let names = [self.id.len(), instance, self.client_id.len(), self.client_host.len(), assignment];
        let protocols = self.protocols.iter().map(|(name, metadata)| protocol_bytes(name, metadata));
        names.into_iter().chain(protocols).fold(MEMBER_BYTES, usize::saturating_add)
    }

    /// What the member says in this protocol; empty when it does not speak it.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        let found = self.protocols.iter().find(|(name, _)| **name == *protocol);
        found.map(|(_, metadata)| metadata.clone()).unwrap_or_default()
    }

    /// True when the member says nothing new: the same protocols in the same order with the same metadata.
    pub(super) fn matches(&self, protocols: &[(Arc<str>, Bytes)]) -> bool {
        self.protocols == protocols
    }

    /// True when the end of the session is no failure: the member waits for the coordinator.
    pub(super) fn is_excused(&self) -> bool {
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }
}

/// The protocols to keep: each name once, the bytes copied so that they do not hold the request's buffer.
pub(super) fn keep(protocols: &[Protocol]) -> Vec<(Arc<str>, Bytes)> {
    let mut kept: Vec<(Arc<str>, Bytes)> = Vec::with_capacity(protocols.len());
    let mut names = std::collections::HashSet::with_capacity(protocols.len());
    for protocol in protocols {
        if names.insert(protocol.name.as_str()) {
            kept.push((protocol.name.as_str().into(), Bytes::copy_from_slice(&protocol.metadata)));
        }
    }
    kept
}
