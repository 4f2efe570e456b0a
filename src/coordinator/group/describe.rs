//! A group as administrators see it.

use bytes::Bytes;

use super::{CLASSIC, Group, GroupState};
use crate::coordinator::command::{DescribedGroup, DescribedMember, ListedGroup};
use crate::types::ErrorCode;

impl Group {
    /// What `DescribeGroups` shows. Protocol and metadata are told of a stable group alone.
    pub(crate) fn describe(&self) -> DescribedGroup {
        let protocol = self.protocol.as_deref().filter(|_| self.state == GroupState::Stable);
        let members = self.members.values().map(|member| DescribedMember {
            member_id: member.id.as_ref().into(),
            instance_id: member.instance_id.as_deref().map(Into::into),
            client_id: member.client_id.as_ref().into(),
            client_host: member.client_host.as_ref().into(),
            metadata: protocol.map_or_else(Bytes::new, |name| member.metadata(name)),
            assignment: member.assignment.clone(),
        });
        DescribedGroup {
            state: self.state.name(),
            protocol_type: self.protocol_type.as_deref().unwrap_or_default().into(),
            protocol: protocol.unwrap_or_default().into(),
            members: members.collect(),
        }
    }

    /// What `ListGroups` shows.
    pub(crate) fn list(&self) -> ListedGroup {
        ListedGroup {
            group_id: self.id.as_ref().into(),
            protocol_type: self.protocol_type.as_deref().unwrap_or_default().into(),
            state: self.state.name(),
            group_type: CLASSIC,
        }
    }

    /// Offsets can be deleted while members are there, if it is known what they consume.
    pub(crate) fn validate_delete_offsets(&self) -> Result<(), ErrorCode> {
        if self.is_empty() || self.is_consumer_group() { Ok(()) } else { Err(ErrorCode::NonEmptyGroup) }
    }

    /// Only a group without members can be deleted.
    pub(crate) fn validate_delete(&self) -> Result<(), ErrorCode> {
        if self.is_empty() { Ok(()) } else { Err(ErrorCode::NonEmptyGroup) }
    }
}
