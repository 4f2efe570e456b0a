//! The broker's values, typed and grouped by the part that uses them. A field is named as Kafka names its key,
//! without the group's prefix; times are milliseconds and sizes bytes unless the name says otherwise. Pure data.

use std::path::PathBuf;

use super::listeners::Listener;
use super::values::Reader;

/// Connections and requests.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkConfig {
    /// `listeners` with `advertised.listeners`; at least one.
    pub listeners: Vec<Listener>,
    /// `socket.request.max.bytes`.
    pub socket_request_max_bytes: i32,
    /// `socket.listen.backlog.size`.
    pub socket_listen_backlog_size: i32,
    /// `socket.send.buffer.bytes`; without a size the system decides.
    pub socket_send_buffer_bytes: Option<i32>,
    /// `socket.receive.buffer.bytes` if it was set to a size; otherwise the system decides, which receives faster than
    /// Kafka's default.
    pub socket_receive_buffer_bytes: Option<i32>,
    /// `connections.max.idle.ms`; negative is never.
    pub connections_max_idle_ms: i64,
    /// `max.connections`.
    pub max_connections: usize,
    /// `max.connections.per.ip`.
    pub max_connections_per_ip: usize,
    /// `max.connections.per.ip.overrides`: host name or address, and how many it may have.
    pub max_connections_per_ip_overrides: Vec<(String, usize)>,
    /// `max.connection.creation.rate`: connections a second.
    pub max_connection_creation_rate: u32,
    /// `queued.max.request.bytes`; `None` leaves it to the broker.
    pub queued_max_request_bytes: Option<i64>,
}

/// How topics come into being.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicsConfig {
    /// `auto.create.topics.enable`.
    pub auto_create_topics_enable: bool,
    /// `delete.topic.enable`.
    pub delete_topic_enable: bool,
    /// `num.partitions`.
    pub num_partitions: i32,
    /// `default.replication.factor`.
    pub default_replication_factor: i32,
    /// `max.request.partition.size.limit`: partitions in one answer of `DescribeTopicPartitions`.
    pub max_request_partition_size_limit: i32,
}

/// The data directories and the schedule of their upkeep.
#[derive(Clone, Debug, PartialEq)]
pub struct StorageConfig {
    /// `log.dirs`, or `log.dir`: at least one, each once.
    pub log_dirs: Vec<PathBuf>,
    /// `metadata.log.dir`, where the controller's journal is; if it was not set the first of `log_dirs`.
    pub metadata_log_dir: PathBuf,
    /// `num.recovery.threads.per.data.dir`.
    pub num_recovery_threads: usize,
    /// `log.retention.check.interval.ms`.
    pub retention_check_interval_ms: i64,
    /// `log.flush.offset.checkpoint.interval.ms`.
    pub flush_offset_checkpoint_interval_ms: i64,
    /// `log.flush.start.offset.checkpoint.interval.ms`.
    pub flush_start_offset_checkpoint_interval_ms: i64,
    /// `replica.high.watermark.checkpoint.interval.ms`.
    pub high_watermark_checkpoint_interval_ms: i64,
    /// `log.initial.task.delay.ms`.
    pub initial_task_delay_ms: i64,
    /// Compaction.
    pub cleaner: CleanerConfig,
    /// `milena.produce.trust.compressed`: compressed batches are stored unopened.
    pub produce_trust_compressed: bool,
}

/// The log cleaner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CleanerConfig {
    /// `log.cleaner.enable`.
    pub enable: bool,
    /// `log.cleaner.threads`; one works, none when it is 0.
    pub threads: usize,
    /// `log.cleaner.backoff.ms`.
    pub backoff_ms: i64,
    /// `log.cleaner.dedupe.buffer.size`.
    pub dedupe_buffer_size: i64,
    /// `log.cleaner.io.buffer.load.factor`.
    pub io_buffer_load_factor: f64,
    /// `log.cleaner.io.buffer.size`.
    pub io_buffer_size: usize,
    /// `log.cleaner.io.max.bytes.per.second`.
    pub io_max_bytes_per_second: f64,
}

impl CleanerConfig {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            enable: reader.bool("log.cleaner.enable"),
            threads: reader.size("log.cleaner.threads"),
            backoff_ms: reader.long("log.cleaner.backoff.ms"),
            dedupe_buffer_size: reader.long("log.cleaner.dedupe.buffer.size"),
            io_buffer_load_factor: reader.double("log.cleaner.io.buffer.load.factor"),
            io_buffer_size: reader.size("log.cleaner.io.buffer.size"),
            io_max_bytes_per_second: reader.double("log.cleaner.io.max.bytes.per.second"),
        }
    }
}

/// Fetching.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchConfig {
    /// `fetch.max.bytes`.
    pub max_bytes: i32,
    /// `max.incremental.fetch.session.cache.slots`.
    pub session_cache_slots: usize,
}

/// Idempotent producers.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducersConfig {
    /// `producer.id.expiration.ms`.
    pub id_expiration_ms: i64,
    /// `producer.id.expiration.check.interval.ms`.
    pub id_expiration_check_interval_ms: i64,
}

/// Committed offsets and their topic.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetsConfig {
    /// `offsets.topic.num.partitions`, used when the topic is created.
    pub topic_num_partitions: i32,
    /// `offsets.topic.replication.factor`, to be limited to the number of brokers.
    pub topic_replication_factor: i16,
    /// `offsets.topic.segment.bytes`.
    pub topic_segment_bytes: i32,
    /// `offsets.topic.compression.codec`, by number.
    pub topic_compression_codec: i32,
    /// `offsets.retention.minutes` in milliseconds.
    pub retention_ms: i64,
    /// `offsets.retention.check.interval.ms`.
    pub retention_check_interval_ms: i64,
    /// `offsets.commit.timeout.ms`.
    pub commit_timeout_ms: i32,
    /// `offset.metadata.max.bytes`.
    pub metadata_max_bytes: i32,
}

/// Groups of the classic protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`.
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`.
    pub max_session_timeout_ms: i32,
    /// `group.initial.rebalance.delay.ms`.
    pub initial_rebalance_delay_ms: i32,
    /// `group.max.size`.
    pub max_size: i32,
}

/// The controller's journal.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataConfig {
    /// `metadata.log.max.record.bytes.between.snapshots`.
    pub log_max_record_bytes_between_snapshots: i64,
}

impl NetworkConfig {
    pub(super) fn read(reader: &mut Reader<'_>, listeners: Vec<Listener>) -> Self {
        let config = Self {
            listeners,
            socket_request_max_bytes: reader.int("socket.request.max.bytes"),
            socket_listen_backlog_size: reader.int("socket.listen.backlog.size"),
            socket_send_buffer_bytes: buffer(reader, "socket.send.buffer.bytes"),
            socket_receive_buffer_bytes: buffer(reader, "socket.receive.buffer.bytes")
                .filter(|_| reader.is_given("socket.receive.buffer.bytes")),
            connections_max_idle_ms: reader.long("connections.max.idle.ms"),
            max_connections: reader.size("max.connections"),
            max_connections_per_ip: reader.size("max.connections.per.ip"),
            max_connections_per_ip_overrides: per_ip_overrides(reader),
            max_connection_creation_rate: u32::try_from(reader.long("max.connection.creation.rate"))
                .unwrap_or_default(),
            queued_max_request_bytes: Some(reader.long("queued.max.request.bytes"))
                .filter(|bytes| *bytes > 0),
        };
        let request_max = config.socket_request_max_bytes;
        if config.queued_max_request_bytes.is_some_and(|bytes| bytes < i64::from(request_max)) {
            let rule = format!("must be -1, or at least socket.request.max.bytes, which is {request_max}");
            reader.refuse("queued.max.request.bytes", rule);
        }
        if config.max_connections_per_ip == 0 && config.max_connections_per_ip_overrides.is_empty() {
            let rule = "must be at least 1 unless max.connections.per.ip.overrides is set";
            reader.refuse("max.connections.per.ip", rule);
        }
        config
    }
}

/// Entries `host:count`; a host without a name is the loopback address.
fn per_ip_overrides(reader: &mut Reader<'_>) -> Vec<(String, usize)> {
    let name = "max.connections.per.ip.overrides";
    let text = reader.printed(name).unwrap_or_default();
    let mut overrides = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let parsed = entry
            .rsplit_once(':')
            .map(|(host, count)| (host.trim(), count.trim().parse::<i32>()))
            .filter(|(host, _)| host.chars().all(|c| c.is_ascii_alphanumeric() || "-%._:".contains(c)))
            .and_then(|(host, count)| Some((host.to_owned(), count.ok()?)));
        let Some((host, count)) = parsed else {
            reader.refuse(name, "must be a list of address:count");
            break;
        };
        overrides.push((host, usize::try_from(count).unwrap_or(0)));
    }
    overrides
}

/// A socket buffer's size; -1 is Kafka's "the system decides".
fn buffer(reader: &mut Reader<'_>, name: &'static str) -> Option<i32> {
    Some(reader.int(name)).filter(|&size| size > 0)
}

impl TopicsConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            auto_create_topics_enable: reader.bool("auto.create.topics.enable"),
            delete_topic_enable: reader.bool("delete.topic.enable"),
            num_partitions: reader.int("num.partitions"),
            default_replication_factor: reader.int("default.replication.factor"),
            max_request_partition_size_limit: reader.int("max.request.partition.size.limit"),
        }
    }
}

/// Bytes of the cleaner's map of keys that a thread needs at the least.
const DEDUPE_BYTES_PER_THREAD_MIN: i64 = 1024 * 1024;

fn check_cleaner(reader: &mut Reader<'_>) {
    let (size_key, threads_key) = ("log.cleaner.dedupe.buffer.size", "log.cleaner.threads");
    let threads = reader.long(threads_key);
    if reader.long(size_key).checked_div(threads).is_none_or(|bytes| bytes <= DEDUPE_BYTES_PER_THREAD_MIN) {
        let key = if reader.is_given(threads_key) { threads_key } else { size_key };
        reader.refuse(key, "must leave more than 1048576 bytes for each of at least one cleaner's thread");
    }
}

impl StorageConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        check_cleaner(reader);
        let log_dirs = log_dirs(reader);
        Self {
            metadata_log_dir: metadata_log_dir(reader, &log_dirs),
            log_dirs,
            num_recovery_threads: reader.size("num.recovery.threads.per.data.dir"),
            retention_check_interval_ms: reader.long("log.retention.check.interval.ms"),
            flush_offset_checkpoint_interval_ms: reader.long("log.flush.offset.checkpoint.interval.ms"),
            flush_start_offset_checkpoint_interval_ms: reader
                .long("log.flush.start.offset.checkpoint.interval.ms"),
            high_watermark_checkpoint_interval_ms: reader
                .long("replica.high.watermark.checkpoint.interval.ms"),
            initial_task_delay_ms: reader.long("log.initial.task.delay.ms"),
            cleaner: CleanerConfig::read(reader),
            produce_trust_compressed: reader.bool("milena.produce.trust.compressed"),
        }
    }
}

/// `log.dirs` stands before `log.dir`, as in Kafka.
fn log_dirs(reader: &mut Reader<'_>) -> Vec<PathBuf> {
    let key = if reader.is_given("log.dirs") { "log.dirs" } else { "log.dir" };
    let text = reader.text(key).unwrap_or_default();
    let mut dirs: Vec<PathBuf> = Vec::new();
    for dir in text.split(',').map(|dir| PathBuf::from(dir.trim())) {
        if dir.as_os_str().is_empty() {
            reader.refuse(key, "must name directories, separated by commas, none of them empty");
            break;
        }
        if dirs.contains(&dir) {
            reader
                .refuse(key, format!("must name each directory once, and {} is there twice", dir.display()));
            break;
        }
        dirs.push(dir);
    }
    dirs
}

fn metadata_log_dir(reader: &mut Reader<'_>, log_dirs: &[PathBuf]) -> PathBuf {
    let key = "metadata.log.dir";
    let Some(dir) = reader.optional_text(key) else { return log_dirs.first().cloned().unwrap_or_default() };
    if dir.trim().is_empty() {
        reader.refuse(key, "must name a directory");
    }
    PathBuf::from(dir.trim())
}

impl FetchConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            max_bytes: reader.int("fetch.max.bytes"),
            session_cache_slots: reader.size("max.incremental.fetch.session.cache.slots"),
        }
    }
}

impl ProducersConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            id_expiration_ms: reader.long("producer.id.expiration.ms"),
            id_expiration_check_interval_ms: reader.long("producer.id.expiration.check.interval.ms"),
        }
    }
}

const MINUTE_MS: i64 = 60_000;

impl OffsetsConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let codec = reader.int("offsets.topic.compression.codec");
        if !(0..=4).contains(&codec) {
            let rule = "must be 0 (none), 1 (gzip), 2 (snappy), 3 (lz4) or 4 (zstd)";
            reader.refuse("offsets.topic.compression.codec", rule);
        }
        Self {
            topic_num_partitions: reader.int("offsets.topic.num.partitions"),
            topic_replication_factor: reader.short("offsets.topic.replication.factor"),
            topic_segment_bytes: reader.int("offsets.topic.segment.bytes"),
            topic_compression_codec: codec,
            retention_ms: reader.long("offsets.retention.minutes").saturating_mul(MINUTE_MS),
            retention_check_interval_ms: reader.long("offsets.retention.check.interval.ms"),
            commit_timeout_ms: reader.int("offsets.commit.timeout.ms"),
            metadata_max_bytes: reader.int("offset.metadata.max.bytes"),
        }
    }
}

impl GroupConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            min_session_timeout_ms: reader.int("group.min.session.timeout.ms"),
            max_session_timeout_ms: reader.int("group.max.session.timeout.ms"),
            initial_rebalance_delay_ms: reader.int("group.initial.rebalance.delay.ms"),
            max_size: reader.int("group.max.size"),
        }
    }
}

impl MetadataConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            log_max_record_bytes_between_snapshots: reader
                .long("metadata.log.max.record.bytes.between.snapshots"),
        }
    }
}
