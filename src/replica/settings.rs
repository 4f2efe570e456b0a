//! A topic's configuration as its log and the check of its batches need it: one value that its partitions share, and
//! with them those of all topics with the same configuration.

use std::sync::Arc;

use super::validate::ProduceRules;
use crate::config::{self, CompressionType, TopicConfig};
use crate::log::config::{CleanupPolicy, LogConfig, TimestampType};
use crate::wire::compress::Codec;

/// See the module.
#[derive(Debug)]
pub struct TopicSettings {
    /// The whole of it.
    pub config: TopicConfig,
    /// What batches are checked against.
    pub rules: ProduceRules,
    /// What logs obey.
    pub log: Arc<LogConfig>,
}

impl TopicSettings {
    /// What follows from a topic's effective configuration and from `milena.produce.trust.compressed`.
    pub fn new(config: TopicConfig, trust_compressed: bool) -> Arc<Self> {
        let (rules, log) = (produce_rules(&config, trust_compressed), Arc::new(log_config(&config)));
        Arc::new(Self { config, rules, log })
    }
}

/// The part of a topic's configuration that its log obeys.
fn log_config(config: &TopicConfig) -> LogConfig {
    LogConfig {
        segment_bytes: config.segment_bytes,
        segment_ms: config.segment_ms,
        segment_jitter_ms: config.segment_jitter_ms,
        segment_index_bytes: config.segment_index_bytes,
        index_interval_bytes: config.index_interval_bytes,
        retention_ms: config.retention_ms,
        retention_bytes: config.retention_bytes,
        file_delete_delay_ms: config.file_delete_delay_ms,
        flush_messages: config.flush_messages,
        flush_ms: config.flush_ms,
        max_message_bytes: config.max_message_bytes,
        preallocate: config.preallocate,
        cleanup_policy: CleanupPolicy {
            delete: config.cleanup_policy.delete,
            compact: config.cleanup_policy.compact,
        },
        message_timestamp_type: match config.message_timestamp_type {
            config::TimestampType::CreateTime => TimestampType::CreateTime,
            config::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
        },
        delete_retention_ms: config.delete_retention_ms,
        min_cleanable_dirty_ratio: config.min_cleanable_dirty_ratio,
        min_compaction_lag_ms: config.min_compaction_lag_ms,
        max_compaction_lag_ms: config.max_compaction_lag_ms,
    }
}

/// The part of a topic's configuration that batches are checked against.
fn produce_rules(config: &TopicConfig, trust_compressed: bool) -> ProduceRules {
    let (compression, level) = match config.compression_type {
        CompressionType::Producer => (None, None),
        CompressionType::Uncompressed => (Some(Codec::None), None),
        CompressionType::Gzip { level } => (Some(Codec::Gzip), Some(level)),
        CompressionType::Snappy => (Some(Codec::Snappy), None),
        CompressionType::Lz4 { level } => (Some(Codec::Lz4), Some(level)),
        CompressionType::Zstd { level } => (Some(Codec::Zstd), Some(level)),
    };
    ProduceRules {
        max_message_bytes: config.max_message_bytes,
        compacted: config.cleanup_policy.compact,
        log_append_time: config.message_timestamp_type == config::TimestampType::LogAppendTime,
        timestamp_before_max_ms: config.message_timestamp_before_max_ms,
        timestamp_after_max_ms: config.message_timestamp_after_max_ms,
        compression,
        compression_level: level,
        trust_compressed,
    }
}
