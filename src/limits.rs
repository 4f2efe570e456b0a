//! The bounds that have no Kafka configuration name; units last in each name.

/// Elements (array entries and tagged fields) that one request may hold before it is refused.
pub const REQUEST_ELEMENTS_MAX: usize = 1_000_000;
/// Bytes that one record batch may have after decompression (16 times Kafka's default request limit would be a bomb).
pub const BATCH_DECOMPRESSED_BYTES_MAX: usize = 256 * 1024 * 1024;
