//! Topics and partitions as `__cluster_metadata` holds them.
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use std::ops::RangeInclusive;

use super::codec::{Body, Message, Reader, RecordError, Tags, Writer};
use uuid::Uuid;

/// `TopicRecord`, type 2: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicRecord {
    /// `name`: `string`.
    pub name: String,
    /// `topicId`: `uuid`.
    pub topic_id: Uuid,
}

impl Body for TopicRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("name", &self.name)?;
        out.uuid(self.topic_id);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.topic_id = input.uuid()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for TopicRecord {
    const NAME: &'static str = "TopicRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl TopicRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 2;
}

/// `PartitionRecord`, type 3: versions 0 to 2, flexible from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionRecord {
    /// `partitionId`: `int32`, default -1.
    pub partition_id: i32,
    /// `topicId`: `uuid`.
    pub topic_id: Uuid,
    /// `replicas`: `[]int32`.
    pub replicas: Vec<i32>,
    /// `isr`: `[]int32`.
    pub isr: Vec<i32>,
    /// `removingReplicas`: `[]int32`.
    pub removing_replicas: Vec<i32>,
    /// `addingReplicas`: `[]int32`.
    pub adding_replicas: Vec<i32>,
    /// `leader`: `int32`, default -1.
    pub leader: i32,
    /// `leaderRecoveryState`: `int8`, tag 0.
    pub leader_recovery_state: i8,
    /// `leaderEpoch`: `int32`, default -1.
    pub leader_epoch: i32,
    /// `partitionEpoch`: `int32`, default -1.
    pub partition_epoch: i32,
    /// `directories`: `[]uuid`, versions 1+.
    pub directories: Vec<Uuid>,
    /// `eligibleLeaderReplicas`: `[]int32`, nullable, versions 2+, tag 1, default null.
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// `lastKnownElr`: `[]int32`, nullable, versions 2+, tag 2, default null.
    pub last_known_elr: Option<Vec<i32>>,
}

impl Default for PartitionRecord {
    fn default() -> Self {
        Self {
            partition_id: -1,
            topic_id: Uuid::default(),
            replicas: Vec::default(),
            isr: Vec::default(),
            removing_replicas: Vec::default(),
            adding_replicas: Vec::default(),
            leader: -1,
            leader_recovery_state: 0,
            leader_epoch: -1,
            partition_epoch: -1,
            directories: Vec::default(),
            eligible_leader_replicas: None,
            last_known_elr: None,
        }
    }
}

impl Body for PartitionRecord {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.partition_id);
        out.uuid(self.topic_id);
        out.array("replicas", &self.replicas, |out, item| {
            out.i32(*item);
            Ok(())
        })?;
        out.array("isr", &self.isr, |out, item| {
            out.i32(*item);
            Ok(())
        })?;
        out.array("removingReplicas", &self.removing_replicas, |out, item| {
            out.i32(*item);
            Ok(())
        })?;
        out.array("addingReplicas", &self.adding_replicas, |out, item| {
            out.i32(*item);
            Ok(())
        })?;
        out.i32(self.leader);
        out.i32(self.leader_epoch);
        out.i32(self.partition_epoch);
        if version >= 1 {
            out.array("directories", &self.directories, |out, item| {
                out.uuid(*item);
                Ok(())
            })?;
        } else if !self.directories.is_empty() {
            return Err(RecordError::FieldNotInVersion { field: "directories", version });
        }
        let mut tags = Tags::default();
        if self.leader_recovery_state != 0 {
            tags.put(0, |out| {
                out.i8(self.leader_recovery_state);
                Ok(())
            })?;
        }
        if self.eligible_leader_replicas.is_some() {
            if version >= 2 {
                tags.put(1, |out| {
                    out.nullable_array(
                        "eligibleLeaderReplicas",
                        self.eligible_leader_replicas.as_deref(),
                        |out, item| {
                            out.i32(*item);
                            Ok(())
                        },
                    )
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "eligibleLeaderReplicas", version });
            }
        }
        if self.last_known_elr.is_some() {
            if version >= 2 {
                tags.put(2, |out| {
                    out.nullable_array("lastKnownElr", self.last_known_elr.as_deref(), |out, item| {
                        out.i32(*item);
                        Ok(())
                    })
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "lastKnownElr", version });
            }
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.partition_id = input.i32()?;
        record.topic_id = input.uuid()?;
        record.replicas = input.array("replicas", Reader::i32)?;
        record.isr = input.array("isr", Reader::i32)?;
        record.removing_replicas = input.array("removingReplicas", Reader::i32)?;
        record.adding_replicas = input.array("addingReplicas", Reader::i32)?;
        record.leader = input.i32()?;
        record.leader_epoch = input.i32()?;
        record.partition_epoch = input.i32()?;
        if version >= 1 {
            record.directories = input.array("directories", Reader::uuid)?;
        }
        input.tags(|tag, input| {
            match tag {
                0 => {
                    record.leader_recovery_state = input.i8()?;
                }
                1 if version >= 2 => {
                    record.eligible_leader_replicas =
                        input.nullable_array("eligibleLeaderReplicas", Reader::i32)?;
                }
                2 if version >= 2 => {
                    record.last_known_elr = input.nullable_array("lastKnownElr", Reader::i32)?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

impl Message for PartitionRecord {
    const NAME: &'static str = "PartitionRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl PartitionRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 3;
}

/// `PartitionChangeRecord`, type 5: versions 0 to 2, flexible from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionChangeRecord {
    /// `partitionId`: `int32`, default -1.
    pub partition_id: i32,
    /// `topicId`: `uuid`.
    pub topic_id: Uuid,
    /// `isr`: `[]int32`, nullable, tag 0, default null.
    pub isr: Option<Vec<i32>>,
    /// `leader`: `int32`, tag 1, default -2.
    pub leader: i32,
    /// `replicas`: `[]int32`, nullable, tag 2, default null.
    pub replicas: Option<Vec<i32>>,
    /// `removingReplicas`: `[]int32`, nullable, tag 3, default null.
    pub removing_replicas: Option<Vec<i32>>,
    /// `addingReplicas`: `[]int32`, nullable, tag 4, default null.
    pub adding_replicas: Option<Vec<i32>>,
    /// `leaderRecoveryState`: `int8`, tag 5, default -1.
    pub leader_recovery_state: i8,
    /// `directories`: `[]uuid`, nullable, versions 1+, tag 8, default null.
    pub directories: Option<Vec<Uuid>>,
    /// `eligibleLeaderReplicas`: `[]int32`, nullable, versions 2+, tag 6, default null.
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// `lastKnownElr`: `[]int32`, nullable, versions 2+, tag 7, default null.
    pub last_known_elr: Option<Vec<i32>>,
}

impl Default for PartitionChangeRecord {
    fn default() -> Self {
        Self {
            partition_id: -1,
            topic_id: Uuid::default(),
            isr: None,
            leader: -2,
            replicas: None,
            removing_replicas: None,
            adding_replicas: None,
            leader_recovery_state: -1,
            directories: None,
            eligible_leader_replicas: None,
            last_known_elr: None,
        }
    }
}

impl Body for PartitionChangeRecord {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.partition_id);
        out.uuid(self.topic_id);
        let mut tags = Tags::default();
        if self.isr.is_some() {
            tags.put(0, |out| {
                out.nullable_array("isr", self.isr.as_deref(), |out, item| {
                    out.i32(*item);
                    Ok(())
                })
            })?;
        }
        if self.leader != -2 {
            tags.put(1, |out| {
                out.i32(self.leader);
                Ok(())
            })?;
        }
        if self.replicas.is_some() {
            tags.put(2, |out| {
                out.nullable_array("replicas", self.replicas.as_deref(), |out, item| {
                    out.i32(*item);
                    Ok(())
                })
            })?;
        }
        if self.removing_replicas.is_some() {
            tags.put(3, |out| {
                out.nullable_array("removingReplicas", self.removing_replicas.as_deref(), |out, item| {
                    out.i32(*item);
                    Ok(())
                })
            })?;
        }
        if self.adding_replicas.is_some() {
            tags.put(4, |out| {
                out.nullable_array("addingReplicas", self.adding_replicas.as_deref(), |out, item| {
                    out.i32(*item);
                    Ok(())
                })
            })?;
        }
        if self.leader_recovery_state != -1 {
            tags.put(5, |out| {
                out.i8(self.leader_recovery_state);
                Ok(())
            })?;
        }
        if self.eligible_leader_replicas.is_some() {
            if version >= 2 {
                tags.put(6, |out| {
                    out.nullable_array(
                        "eligibleLeaderReplicas",
                        self.eligible_leader_replicas.as_deref(),
                        |out, item| {
                            out.i32(*item);
                            Ok(())
                        },
                    )
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "eligibleLeaderReplicas", version });
            }
        }
        if self.last_known_elr.is_some() {
            if version >= 2 {
                tags.put(7, |out| {
                    out.nullable_array("lastKnownElr", self.last_known_elr.as_deref(), |out, item| {
                        out.i32(*item);
                        Ok(())
                    })
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "lastKnownElr", version });
            }
        }
        if self.directories.is_some() {
            if version >= 1 {
                tags.put(8, |out| {
                    out.nullable_array("directories", self.directories.as_deref(), |out, item| {
                        out.uuid(*item);
                        Ok(())
                    })
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "directories", version });
            }
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.partition_id = input.i32()?;
        record.topic_id = input.uuid()?;
        input.tags(|tag, input| {
            match tag {
                0 => {
                    record.isr = input.nullable_array("isr", Reader::i32)?;
                }
                1 => {
                    record.leader = input.i32()?;
                }
                2 => {
                    record.replicas = input.nullable_array("replicas", Reader::i32)?;
                }
                3 => {
                    record.removing_replicas = input.nullable_array("removingReplicas", Reader::i32)?;
                }
                4 => {
                    record.adding_replicas = input.nullable_array("addingReplicas", Reader::i32)?;
                }
                5 => {
                    record.leader_recovery_state = input.i8()?;
                }
                6 if version >= 2 => {
                    record.eligible_leader_replicas =
                        input.nullable_array("eligibleLeaderReplicas", Reader::i32)?;
                }
                7 if version >= 2 => {
                    record.last_known_elr = input.nullable_array("lastKnownElr", Reader::i32)?;
                }
                8 if version >= 1 => {
                    record.directories = input.nullable_array("directories", Reader::uuid)?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

impl Message for PartitionChangeRecord {
    const NAME: &'static str = "PartitionChangeRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl PartitionChangeRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 5;
}

/// `RemoveTopicRecord`, type 9: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RemoveTopicRecord {
    /// `topicId`: `uuid`.
    pub topic_id: Uuid,
}

impl Body for RemoveTopicRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.uuid(self.topic_id);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.topic_id = input.uuid()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for RemoveTopicRecord {
    const NAME: &'static str = "RemoveTopicRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl RemoveTopicRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 9;
}

/// `ClearElrRecord`, type 28: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ClearElrRecord {
    /// `topicName`: `string`.
    pub topic_name: String,
}

impl Body for ClearElrRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("topicName", &self.topic_name)?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.topic_name = input.string("topicName")?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ClearElrRecord {
    const NAME: &'static str = "ClearElrRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ClearElrRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 28;
}
