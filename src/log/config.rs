//! The topic-level settings that a log obeys, under Kafka's names in snake case. Values are pushed in from above
//! (already validated); this file never reads a configuration.

/// Which timestamp a topic's records carry (`message.timestamp.type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's time (`CreateTime`).
    #[default]
    CreateTime,
    /// The broker's time at the append (`LogAppendTime`).
    LogAppendTime,
}

/// What happens to old data (`cleanup.policy`); both may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Whole segments go by age and size.
    pub delete: bool,
    /// The newest record of each key stays.
    pub compact: bool,
}

/// A topic's settings as far as its logs obey them. `Default` is Kafka 4.3's defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct LogConfig {
    /// `segment.bytes`: a batch that would make the active segment larger starts a new one.
    pub segment_bytes: i32,
    /// `segment.ms`: the span of time that a segment may hold before a new one starts.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: at most this much is taken off `segment_ms`, so that segments do not all roll at once.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`: the size at which an index is full, which starts a new segment.
    pub segment_index_bytes: i32,
    /// `index.interval.bytes`: the bytes of log between two index entries.
    pub index_interval_bytes: i32,
    /// `retention.ms`; negative means for ever.
    pub retention_ms: i64,
    /// `retention.bytes`; negative means without limit.
    pub retention_bytes: i64,
    /// `file.delete.delay.ms`: how long a deleted file stays under its `.deleted` name.
    pub file_delete_delay_ms: i64,
    /// `flush.messages`: so many records may be unsynced before a sync is asked for; 1 means that an append counts once
    /// it is on stable storage.
    pub flush_messages: i64,
    /// `flush.ms`: how long data may stay unsynced; `i64::MAX` means never forced.
    pub flush_ms: i64,
    /// `max.message.bytes`: the largest batch accepted. Checked before the log; here for completeness of the topic.
    pub max_message_bytes: i32,
    /// `preallocate`: a new segment's file gets `segment_bytes` at once; what is not used is cut off when it is closed.
    pub preallocate: bool,
    /// `cleanup.policy`.
    pub cleanup_policy: CleanupPolicy,
    /// `message.timestamp.type`.
    pub message_timestamp_type: TimestampType,
    /// `delete.retention.ms`: how long compaction keeps tombstones and markers once it has met them.
    pub delete_retention_ms: i64,
    /// `min.cleanable.dirty.ratio`: the share of a log's bytes that must be uncompacted before it is compacted.
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`: how long a record stays uncompacted at least.
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`: how long a record stays uncompacted at most; `i64::MAX` is without limit.
    pub max_compaction_lag_ms: i64,
}

impl LogConfig {
    /// Whether an append counts only once it is on stable storage (`flush.messages=1`).
    pub const fn sync_before_ack(&self) -> bool {
        self.flush_messages == 1
    }

    /// The span of time that a segment may hold: a compacted topic's records have to leave the active segment before
    /// they are overdue for compaction.
    pub const fn segment_ms_max(&self) -> i64 {
        let lag = self.max_compaction_lag_ms;
        if self.cleanup_policy.compact && lag > 0 && lag < self.segment_ms { lag } else { self.segment_ms }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 60 * 60 * 1000,
            segment_jitter_ms: 0,
            segment_index_bytes: 10 * 1024 * 1024,
            index_interval_bytes: 4096,
            retention_ms: 7 * 24 * 60 * 60 * 1000,
            retention_bytes: -1,
            file_delete_delay_ms: 60_000,
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            max_message_bytes: 1_048_588,
            preallocate: false,
            cleanup_policy: CleanupPolicy { delete: true, compact: false },
            message_timestamp_type: TimestampType::CreateTime,
            delete_retention_ms: 24 * 60 * 60 * 1000,
            min_cleanable_dirty_ratio: 0.5,
            min_compaction_lag_ms: 0,
            max_compaction_lag_ms: i64::MAX,
        }
    }
}
