//! The bounds that have no Kafka configuration name; units last in each name.

/// Elements (array entries and tagged fields) that one request may hold before it is refused.
pub const REQUEST_ELEMENTS_MAX: usize = 200_000;
/// Bytes that one record batch may have after decompression: without a bound a small request could take all memory.
pub const BATCH_DECOMPRESSED_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes that all requests which are still arriving may hold together.
pub const REQUEST_MEMORY_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Bytes of one request that are not counted against [`REQUEST_MEMORY_BYTES_MAX`].
pub const REQUEST_BYTES_FREE: usize = 64 * 1024;
/// Milliseconds that a request waits for memory before its connection is closed.
pub const ADMISSION_WAIT_MS_MAX: u64 = 30_000;
/// Requests of one connection that may be unanswered; the connection is not read while there are more.
pub const UNANSWERED_REQUESTS_MAX: usize = 1024;
/// Bytes of answers that may wait for one connection's socket; the connection is not read while there are more.
pub const QUEUED_ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Requests of one connection that are handled before other connections get their turn.
pub const REQUESTS_PER_TURN_MAX: usize = 32;
/// Bytes of requests of one connection that are handled before other connections get their turn.
pub const REQUEST_BYTES_PER_TURN_MAX: usize = 256 * 1024;
/// Slices that one write to a socket carries.
pub const WRITE_SLICES_MAX: usize = 64;
/// Bytes that one write to a socket carries, unless a single answer is larger.
pub const WRITE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes in memory that are enough for the next write to a socket: stored ones behind them are not read yet.
pub const BROUGHT_BYTES_MIN: usize = 128 * 1024;
/// Milliseconds that answers get to leave after the client stopped sending.
pub const DRAIN_MS_MAX: u64 = 100;
/// Milliseconds that requests in flight get to be answered when the broker stops.
pub const SHUTDOWN_DRAIN_MS_MAX: u64 = 3_000;
/// Records of one batch that a Produce answer blames one by one; the rest is counted in its message.
pub const RECORD_ERRORS_MAX: usize = 1000;
/// Members of one group that were told their id and have not come back with it.
pub const GROUP_PENDING_MEMBERS_MAX: usize = 10_000;
/// Records of one coordinator shard that are appended and not committed yet, before it refuses to decide more.
pub const GROUP_RECORDS_UNCOMMITTED_MAX: i64 = 50_000;
/// Bytes that a coordinator shard reads from its log at once while it loads.
pub const GROUP_LOAD_READ_BYTES: usize = 1024 * 1024;
/// Bytes of one batch that are appended on a runtime's worker; a larger one goes to the pool for blocking work.
pub const APPEND_INLINE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of one Produce request that are appended without giving other connections their turn.
pub const PRODUCE_INLINE_BYTES_MAX: usize = 1024 * 1024;
/// Milliseconds that a request which holds memory may stop arriving before its connection is closed.
pub const STALLED_REQUEST_MS_MAX: u64 = 30_000;
/// Producers that one answer of DescribeProducers tells of.
pub const PRODUCERS_PER_ANSWER_MAX: usize = 1_000_000;
/// Bytes of what one answer tells of groups: their members, or their committed offsets. A few bytes of a request ask for
/// all of a group, again and again.
pub const GROUP_ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Configurations that one answer of DescribeConfigs looks up; the resource that goes over it is the last that is described.
pub const CONFIGS_PER_ANSWER_MAX: usize = 1_000_000;
/// Resources whose configurations are described on a runtime's worker; more go to the pool for blocking work.
pub const DESCRIBE_INLINE_RESOURCES_MAX: usize = 100;
