//! What the coordinator is configured with: the values of Kafka's `group.*` and `offsets.*` keys.
//! Plain values handed in by the owner; nothing here reads a configuration.

use std::sync::Arc;

use super::memory::GroupMemory;

/// The values of Kafka's keys that groups and offsets depend on; `Default` holds this broker's defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `group.initial.rebalance.delay.ms`: how long an empty group waits for more members. Kafka's default is
    /// 3000; a node that runs alone does not wait.
    pub initial_rebalance_delay_ms: i32,
    /// `group.min.session.timeout.ms`.
    pub session_timeout_ms_min: i32,
    /// `group.max.session.timeout.ms`.
    pub session_timeout_ms_max: i32,
    /// `group.max.size`: members of one group.
    pub group_size_max: i32,
    /// `offset.metadata.max.bytes`: the text beside one committed offset.
    pub offset_metadata_bytes_max: i32,
    /// `offsets.retention.minutes`, in milliseconds.
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`.
    pub offsets_check_interval_ms: i64,
    /// `offsets.topic.num.partitions`: used for routing until the real topic's count is known.
    pub offsets_topic_partitions: i32,
    /// What all groups take of memory.
    pub memory: Arc<GroupMemory>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            initial_rebalance_delay_ms: 0,
            session_timeout_ms_min: 6_000,
            session_timeout_ms_max: 1_800_000,
            group_size_max: i32::MAX,
            offset_metadata_bytes_max: 4_096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1_000,
            offsets_check_interval_ms: 600_000,
            offsets_topic_partitions: 50,
            memory: Arc::default(),
        }
    }
}
