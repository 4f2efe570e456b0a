//! The bounds that have no Kafka configuration name; units last in each name.

/// Elements (array entries and tagged fields) that one request may hold before it is refused.
pub const REQUEST_ELEMENTS_MAX: usize = 200_000;
/// Bytes that one record batch may have after decompression: without a bound a small request could take all memory.
pub const BATCH_DECOMPRESSED_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes that all requests which are still arriving may hold together, where `queued.max.request.bytes` does not say. A
/// buffer that grows takes up to twice what is counted.
pub const REQUEST_MEMORY_BYTES_MAX: usize = 160 * 1024 * 1024;
/// Bytes of one request that are not counted against [`REQUEST_MEMORY_BYTES_MAX`].
pub const REQUEST_BYTES_FREE: usize = 4 * 1024;
/// Bytes of a connection's first request that may arrive before its header has to be whole and one that is served.
pub const FIRST_REQUEST_BYTES_MAX: usize = 64 * 1024;
/// Bytes of answers in memory that may wait for all sockets together before connections that have some are not served,
/// those whose clients take nothing are closed, and requests that may lead to large ones wait.
pub const ANSWER_MEMORY_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Bytes of one connection's answers that are counted against [`ANSWER_MEMORY_BYTES_MAX`] as one: a few small ones cost
/// nothing.
pub const ANSWER_BYTES_UNIT: usize = 8 * 1024;
/// Milliseconds that a request waits for memory before its connection is closed.
pub const ADMISSION_WAIT_MS_MAX: u64 = 30_000;
/// The same for a connection that holds some while it waits for more: many of them could have all.
pub const ADMISSION_HOLDER_WAIT_MS_MAX: u64 = 5_000;
/// Milliseconds that requests may hold memory for which others wait, while those before them are not answered or their
/// answers not taken.
pub const HELD_UP_SHORT_MS_MAX: u64 = 2_000;
/// Requests of one connection that may be unanswered; the connection is not read while there are more.
pub const UNANSWERED_REQUESTS_MAX: usize = 1024;
/// Fetch requests of one connection that wait for records; the connection is not read while there are more. Each takes
/// some 3 KB, and Kafka has one at a time.
pub const PARKED_REQUESTS_MAX: usize = 4;
/// Bytes of answers that may wait for one connection's socket; the connection is not read while there are more.
pub const QUEUED_ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Requests of one connection that are handled before other connections get their turn.
pub const REQUESTS_PER_TURN_MAX: usize = 32;
/// Bytes of requests of one connection that are handled before other connections get their turn.
pub const REQUEST_BYTES_PER_TURN_MAX: usize = 256 * 1024;
/// How many of these bytes a byte of an answer counts for that was made in memory: it costs more than one that is read.
pub const ANSWER_BYTE_COST: usize = 4;
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
/// Bytes of one batch, as it came and opened, that are appended on a runtime's worker; a larger one goes to the pool for
/// blocking work.
pub const APPEND_INLINE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of one Produce request that are appended without giving other connections their turn.
pub const PRODUCE_INLINE_BYTES_MAX: usize = 1024 * 1024;
/// Milliseconds for which batches of one Produce request are appended in the same way.
pub const PRODUCE_INLINE_MS_MAX: i64 = 10;
/// Seconds that a request may take to arrive, however slowly; one that takes longer has to bring
/// [`REQUEST_BYTES_PER_S_MIN`] in each of them on average, and in as many further ones.
pub const SLOW_REQUEST_S_MAX: u32 = 30;
/// Bytes that a request which takes longer has to bring in a second.
pub const REQUEST_BYTES_PER_S_MIN: usize = 1024;
/// The same for a request that holds memory while others wait for some.
pub const SLOW_REQUEST_SHORT_S_MAX: u32 = 2;
/// Bytes that such a request has to bring in a second, or its tenth part if that is more.
pub const REQUEST_BYTES_PER_S_SHORT_MIN: usize = 64 * 1024;
/// Milliseconds without taking any of its answers after which a client loses its connection while the memory for answers
/// is short.
pub const UNTAKEN_SHORT_MS_MAX: u64 = 2_000;
/// Producers that one answer of DescribeProducers tells of.
pub const PRODUCERS_PER_ANSWER_MAX: usize = 1_000_000;
/// Bytes of what one answer tells of groups: their members, or their committed offsets. A few bytes of a request ask for
/// all of a group, again and again.
pub const GROUP_ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Configurations that one answer of DescribeConfigs looks up; the resource that goes over it is the last that is described.
pub const CONFIGS_PER_ANSWER_MAX: usize = 1_000_000;
/// Resources whose configurations are described on a runtime's worker; more go to the pool for blocking work.
pub const DESCRIBE_INLINE_RESOURCES_MAX: usize = 100;
/// Partitions of all fetch sessions together, and of all Fetch requests that wait without one: each costs some 300 bytes.
pub const FETCH_PARTITIONS_MAX: usize = 500_000;
/// Partitions of a Fetch without a session that may wait although there are too many.
pub const FETCH_PARTITIONS_FREE: usize = 10;
/// Producers that one partition remembers: those that wrote the longest ago are forgotten, as if they had expired.
pub const PRODUCERS_PER_PARTITION_MAX: usize = 100_000;
/// Producers that all partitions together remember: each costs some 300 bytes. When there are so many, a partition takes
/// a new one in place of its own that wrote the longest ago.
pub const PRODUCERS_MAX: usize = 1_000_000;
/// Producers of one partition, those that wrote last, that stay however many all partitions remember.
pub const PRODUCERS_PER_PARTITION_KEPT: usize = 50;
/// Bytes of memory that all groups, their members and their committed offsets may take, by estimate; new ones are refused
/// above it.
pub const GROUP_MEMORY_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Files of logs that stay open, where the system allows many. Opening one again costs a few microseconds; each costs
/// a descriptor and the kernel's memory for it.
pub const LOG_FILES_MAX: u64 = 1_000;
/// Open files that are neither connections nor files of logs.
pub const OTHER_FILES_MAX: u64 = 64;
