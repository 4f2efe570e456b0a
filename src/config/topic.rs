//! A topic's effective configuration: its own values over the broker's, typed. Pure.

use std::collections::BTreeMap;

use super::table::{self, Scope};
use super::value::{ConfigError, Value};
use super::values::Reader;

/// What happens to old segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Segments beyond the retention are deleted.
    pub delete: bool,
    /// Older records of a key are removed.
    pub compact: bool,
}

/// The codec in which batches are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompressionType {
    /// As the producer sent them.
    Producer,
    /// Opened.
    Uncompressed,
    /// gzip, level 1 to 9 or -1 for the codec's own.
    Gzip {
        /// The level.
        level: i32,
    },
    /// Snappy, which has no level.
    Snappy,
    /// LZ4, level 1 to 17.
    Lz4 {
        /// The level.
        level: i32,
    },
    /// Zstandard, level -131072 to 22.
    Zstd {
        /// The level.
        level: i32,
    },
}

/// Which time a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// Its producer's.
    CreateTime,
    /// That of its append.
    LogAppendTime,
}

/// The values of a topic's keys, each field named as Kafka names its key. Times are milliseconds, sizes bytes, and
/// `i64::MAX` is Kafka's "never".
#[derive(Clone, Debug, PartialEq)]
pub struct TopicConfig {
    /// `cleanup.policy`.
    pub cleanup_policy: CleanupPolicy,
    /// `compression.type` with the level that belongs to it.
    pub compression_type: CompressionType,
    /// `delete.retention.ms`.
    pub delete_retention_ms: i64,
    /// `file.delete.delay.ms`.
    pub file_delete_delay_ms: i64,
    /// `flush.messages`; 1 is "before the acknowledgement".
    pub flush_messages: i64,
    /// `flush.ms`.
    pub flush_ms: i64,
    /// `index.interval.bytes`.
    pub index_interval_bytes: i32,
    /// `max.compaction.lag.ms`.
    pub max_compaction_lag_ms: i64,
    /// `max.message.bytes`: of a whole batch.
    pub max_message_bytes: i32,
    /// `message.timestamp.after.max.ms`.
    pub message_timestamp_after_max_ms: i64,
    /// `message.timestamp.before.max.ms`.
    pub message_timestamp_before_max_ms: i64,
    /// `message.timestamp.type`.
    pub message_timestamp_type: TimestampType,
    /// `min.cleanable.dirty.ratio`, from 0 to 1.
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`.
    pub min_compaction_lag_ms: i64,
    /// `min.insync.replicas`.
    pub min_insync_replicas: i32,
    /// `preallocate`.
    pub preallocate: bool,
    /// `retention.bytes`; negative is no limit.
    pub retention_bytes: i64,
    /// `retention.ms`; -1 is for ever.
    pub retention_ms: i64,
    /// `internal.segment.bytes` if set, else `segment.bytes`.
    pub segment_bytes: i32,
    /// `segment.index.bytes`.
    pub segment_index_bytes: i32,
    /// `segment.jitter.ms`.
    pub segment_jitter_ms: i64,
    /// `segment.ms`.
    pub segment_ms: i64,
    /// `unclean.leader.election.enable`.
    pub unclean_leader_election_enable: bool,
}

/// The text of each topic key that a broker gives to topics without a value of their own.
pub(super) type TopicDefaults = BTreeMap<&'static str, String>;

/// Computes the defaults from the broker's values (`log.retention.hours` and the like included).
pub(super) fn defaults(reader: &mut Reader<'_>) -> TopicDefaults {
    let mut defaults = TopicDefaults::new();
    for key in table::keys(Scope::Topic) {
        let text = match key.name {
            "retention.ms" => Some(retention_ms(reader).to_string()),
            "segment.ms" => Some(in_hours(reader, "log.roll.ms", "log.roll.hours").to_string()),
            "segment.jitter.ms" => {
                Some(in_hours(reader, "log.roll.jitter.ms", "log.roll.jitter.hours").to_string())
            }
            "flush.ms" => reader
                .printed("log.flush.interval.ms")
                .or_else(|| reader.printed("log.flush.scheduler.interval.ms")),
            _ => match key.synonym {
                Some(synonym) => reader.printed(synonym),
                None => key.default.map(str::to_owned),
            },
        };
        if let Some(text) = text {
            defaults.insert(key.name, text);
        }
    }
    check_roll(reader);
    defaults
}

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

fn in_hours(reader: &mut Reader<'_>, ms: &'static str, hours: &'static str) -> i64 {
    reader.optional_long(ms).unwrap_or_else(|| reader.long(hours).saturating_mul(HOUR_MS))
}

/// Milliseconds before minutes before hours; anything negative is for ever.
fn retention_ms(reader: &mut Reader<'_>) -> i64 {
    let (key, ms) = if let Some(ms) = reader.optional_long("log.retention.ms") {
        ("log.retention.ms", ms)
    } else if let Some(minutes) = reader.optional_long("log.retention.minutes") {
        ("log.retention.minutes", minutes.saturating_mul(MINUTE_MS))
    } else {
        ("log.retention.hours", reader.long("log.retention.hours").saturating_mul(HOUR_MS))
    };
    if ms == 0 && reader.errors.is_empty() {
        reader.refuse(key, "must be at least 1, or -1 for ever");
    }
    ms.max(-1)
}

fn check_roll(reader: &mut Reader<'_>) {
    if reader.optional_long("log.roll.ms").is_some_and(|ms| ms < 1) {
        reader.refuse("log.roll.ms", "must be at least 1");
    }
    if reader.optional_long("log.roll.jitter.ms").is_some_and(|ms| ms < 0) {
        reader.refuse("log.roll.jitter.ms", "must be at least 0");
    }
}

/// Reads a topic's values over the defaults; a wrong one gathers an error and leaves the default.
struct TopicReader<'a> {
    defaults: &'a TopicDefaults,
    overrides: &'a BTreeMap<String, String>,
    errors: Vec<ConfigError>,
}

impl TopicReader<'_> {
    fn value(&mut self, name: &'static str) -> Option<Value> {
        let key = table::find(Scope::Topic, name)?;
        match self.overrides.get(name).map(|text| key.parse(text)) {
            Some(Ok(value)) => return Some(value),
            Some(Err(error)) => self.errors.push(error),
            None => {}
        }
        self.defaults.get(name).and_then(|text| key.parse(text).ok())
    }

    fn optional_int(&mut self, name: &'static str) -> Option<i32> {
        match self.value(name)? {
            Value::Number(value) => i32::try_from(value).ok(),
            _ => None,
        }
    }

    fn int(&mut self, name: &'static str) -> i32 {
        self.optional_int(name).unwrap_or_default()
    }

    fn long(&mut self, name: &'static str) -> i64 {
        match self.value(name) {
            Some(Value::Number(value)) => value,
            _ => 0,
        }
    }

    fn double(&mut self, name: &'static str) -> f64 {
        match self.value(name) {
            Some(Value::Double(value)) => value,
            _ => 0.0,
        }
    }

    fn bool(&mut self, name: &'static str) -> bool {
        matches!(self.value(name), Some(Value::Bool(true)))
    }

    fn text(&mut self, name: &'static str) -> String {
        self.value(name).map(|value| value.to_string()).unwrap_or_default()
    }

    fn cleanup_policy(&mut self) -> CleanupPolicy {
        let text = self.text("cleanup.policy");
        let has = |policy| text.split(',').any(|entry| entry == policy);
        CleanupPolicy { delete: has("delete"), compact: has("compact") }
    }

    fn compression_type(&mut self) -> CompressionType {
        // Every level is read, so that a wrong one is refused whichever codec is chosen.
        let gzip = self.int("compression.gzip.level");
        let lz4 = self.int("compression.lz4.level");
        let zstd = self.int("compression.zstd.level");
        match self.text("compression.type").as_str() {
            "uncompressed" => CompressionType::Uncompressed,
            "gzip" => CompressionType::Gzip { level: gzip },
            "snappy" => CompressionType::Snappy,
            "lz4" => CompressionType::Lz4 { level: lz4 },
            "zstd" => CompressionType::Zstd { level: zstd },
            _ => CompressionType::Producer,
        }
    }

    fn timestamp_type(&mut self) -> TimestampType {
        match self.text("message.timestamp.type").as_str() {
            "LogAppendTime" => TimestampType::LogAppendTime,
            _ => TimestampType::CreateTime,
        }
    }

    fn read(&mut self) -> TopicConfig {
        TopicConfig {
            cleanup_policy: self.cleanup_policy(),
            compression_type: self.compression_type(),
            delete_retention_ms: self.long("delete.retention.ms"),
            file_delete_delay_ms: self.long("file.delete.delay.ms"),
            flush_messages: self.long("flush.messages"),
            flush_ms: self.long("flush.ms"),
            index_interval_bytes: self.int("index.interval.bytes"),
            max_compaction_lag_ms: self.long("max.compaction.lag.ms"),
            max_message_bytes: self.int("max.message.bytes"),
            message_timestamp_after_max_ms: self.long("message.timestamp.after.max.ms"),
            message_timestamp_before_max_ms: self.long("message.timestamp.before.max.ms"),
            message_timestamp_type: self.timestamp_type(),
            min_cleanable_dirty_ratio: self.double("min.cleanable.dirty.ratio"),
            min_compaction_lag_ms: self.long("min.compaction.lag.ms"),
            min_insync_replicas: self.int("min.insync.replicas"),
            preallocate: self.bool("preallocate"),
            retention_bytes: self.long("retention.bytes"),
            retention_ms: self.long("retention.ms"),
            segment_bytes: self
                .optional_int("internal.segment.bytes")
                .unwrap_or_else(|| self.int("segment.bytes")),
            segment_index_bytes: self.int("segment.index.bytes"),
            segment_jitter_ms: self.long("segment.jitter.ms"),
            segment_ms: self.long("segment.ms"),
            unclean_leader_election_enable: self.bool("unclean.leader.election.enable"),
        }
    }

    /// The rules between keys, and for keys that have no field.
    fn check(&mut self, config: &TopicConfig) {
        let mut unknown = Vec::new();
        for (name, text) in self.overrides {
            match table::require(Scope::Topic, name).map(|key| key.parse(text)) {
                Err(error) => unknown.push(error),
                Ok(Err(error)) if !self.errors.contains(&error) => self.errors.push(error),
                Ok(_) => {}
            }
        }
        // Only known keys are looked for among the errors: a client may name very many that are not.
        self.errors.append(&mut unknown);
        if self.bool("remote.storage.enable") {
            let rule = "must be false: tiered storage is not served";
            self.errors.push(ConfigError::new("remote.storage.enable", "true", rule));
        }
        let (min, max) = (config.min_compaction_lag_ms, config.max_compaction_lag_ms);
        if min > max {
            let rule = format!("must not be above max.compaction.lag.ms, which is {max}");
            self.errors.push(ConfigError::new("min.compaction.lag.ms", min.to_string(), rule));
        }
    }
}

/// The configuration of a topic with `overrides`, and everything that is wrong with them; what is wrong is left out.
pub(super) fn resolve(
    defaults: &TopicDefaults,
    overrides: &BTreeMap<String, String>,
) -> (TopicConfig, Vec<ConfigError>) {
    let mut reader = TopicReader { defaults, overrides, errors: Vec::new() };
    let config = reader.read();
    reader.check(&config);
    (config, reader.errors)
}
