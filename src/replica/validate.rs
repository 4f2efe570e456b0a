//! The first phase of an append: what a producer's bytes alone decide, with the topic's rules and the moment handed in.
//! Gives back the batch as it will be stored (only offset and leader epoch are missing) or the refusal that Kafka 4.3
//! answers. Never looks at a log: sequences, duplicates and epochs are checked when the batch is applied.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod timestamps;

use bytes::Bytes;

use crate::limits::BATCH_DECOMPRESSED_BYTES_MAX;
use crate::types::ErrorCode;
use crate::wire::batch::{Batch, BatchBuilder, BatchError, BatchHeader, LOG_OVERHEAD, RecordRefs};
use crate::wire::compress::{Codec, CompressError, decompress};
use timestamps::Checker;

/// A topic's configuration as far as it concerns the bytes of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProduceRules {
    /// `max.message.bytes`: a whole batch, as received and as stored.
    pub max_message_bytes: i32,
    /// True when `cleanup.policy` holds `compact`: every record needs a key.
    pub compacted: bool,
    /// True when `message.timestamp.type` is `LogAppendTime`.
    pub log_append_time: bool,
    /// `message.timestamp.before.max.ms`.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub timestamp_after_max_ms: i64,
    /// `compression.type`: `None` keeps the producer's, `Some(Codec::None)` is `uncompressed`.
    pub compression: Option<Codec>,
    /// `compression.<codec>.level` of that codec; `None` is the codec's default.
    pub compression_level: Option<i32>,
    /// `milena.produce.trust.compressed`: compressed batches are not opened, except where keys have to be seen.
    pub trust_compressed: bool,
}

impl Default for ProduceRules {
    /// Kafka's defaults.
    fn default() -> Self {
        Self {
            max_message_bytes: 1_048_588,
            compacted: false,
            log_append_time: false,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 3_600_000,
            compression: None,
            compression_level: None,
            trust_compressed: false,
        }
    }
}

/// What a partition answers instead of appending.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The partition's error code.
    pub error: ErrorCode,
    /// The partition's error message; as with Kafka, most refusals have none.
    pub message: Option<String>,
    /// Records that are to blame (KIP-467): index in the batch, and why.
    pub record_errors: Vec<(i32, Option<String>)>,
    /// Whether the answer names the partition's log start offset: with Kafka only what is found once the log is asked.
    pub names_log_start: bool,
    /// Whether the records open to more bytes than were allowed.
    pub opens_to_too_much: bool,
    /// Why, for the broker's own log.
    pub reason: &'static str,
}

impl Refusal {
    fn new(error: ErrorCode, reason: &'static str) -> Self {
        let names_log_start = !matches!(error, ErrorCode::CorruptMessage | ErrorCode::MessageTooLarge);
        let (message, record_errors) = (None, Vec::new());
        Self { error, message, record_errors, names_log_start, opens_to_too_much: false, reason }
    }

    fn corrupt(message: String, reason: &'static str) -> Self {
        Self { message: Some(message), ..Self::new(ErrorCode::CorruptMessage, reason) }
    }
}

impl From<BatchError> for Refusal {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Compress(error) => error.into(),
            BatchError::Codec(_) => Self::new(ErrorCode::UnknownServerError, "unknown compression type"),
            BatchError::Record { reason, .. } => Self::new(ErrorCode::InvalidRecord, reason),
            BatchError::Count(_) => {
                Self::new(ErrorCode::InvalidRecord, "the count is not that of the records")
            }
            _ => Self::new(ErrorCode::CorruptMessage, "the header is not that of a batch"),
        }
    }
}

impl From<CompressError> for Refusal {
    fn from(error: CompressError) -> Self {
        match error {
            CompressError::TooLarge { .. } => Self {
                opens_to_too_much: true,
                ..Self::new(ErrorCode::MessageTooLarge, "too large after decompression")
            },
            // Kafka has no error of its own for this either.
            CompressError::Corrupt(_) => Self::new(ErrorCode::UnknownServerError, "cannot be decompressed"),
            CompressError::Failed(_) => Self::new(ErrorCode::UnknownServerError, "cannot be compressed"),
        }
    }
}

/// Checks the records that a producer sent to one partition (empty for null) and gives the batch to store: the
/// received bytes as they are, a copy with corrected timestamps and checksum, or a batch written anew because codec
/// or offset deltas have to change. `now_ms` is the time of the append.
///
/// Left to the caller: [`codec_before_7`], and transactional batches without a transactional id.
pub fn validate(records: Bytes, rules: &ProduceRules, now_ms: i64) -> Result<Batch, Refusal> {
    validate_within(records, rules, now_ms, BATCH_DECOMPRESSED_BYTES_MAX)
}

/// As [`validate`], for who has no time for records that open to more than `opened_bytes_max`: a refusal that says
/// `opens_to_too_much` is none yet.
///
/// # Errors
/// Those of [`validate`].
pub fn validate_within(
    records: Bytes,
    rules: &ProduceRules,
    now_ms: i64,
    opened_bytes_max: usize,
) -> Result<Batch, Refusal> {
    let batch = only_batch(records)?;
    let source = check_bytes(&batch, rules)?;
    check_header(&batch.header)?;
    let target = rules.compression.unwrap_or(source);

    let mut checker = Checker::new(&batch.header, rules, now_ms);
    let mut in_order = true;
    if source == Codec::None {
        for (index, record) in (0..).zip(RecordRefs::new(&batch.payload(), batch.header.records_count)) {
            let record = record?;
            checker.see(index, record.timestamp_delta, record.key.is_some());
        }
    } else if rules.trust_compressed && target == source && !rules.compacted {
        checker.trust_header()?;
    } else {
        for (index, head) in (0..).zip(batch.record_heads_within(opened_bytes_max)?) {
            let head = head?;
            checker.see(index, head.timestamp_delta, head.has_key);
            in_order &= head.offset_delta == index;
        }
    }
    let max_timestamp = checker.finish()?;

    if target != source || !in_order {
        return rebuild(&batch, (source, target), rules, now_ms, opened_bytes_max);
    }
    let max_timestamp = if rules.log_append_time { now_ms } else { max_timestamp };
    Ok(batch.with_timestamps(rules.log_append_time, max_timestamp))
}

/// What holds for the codec in Produce versions below 7, before everything else: Zstandard came with version 7
/// (KIP-110).
///
/// # Errors
/// `UNSUPPORTED_COMPRESSION_TYPE` for Zstandard, `UNKNOWN_SERVER_ERROR` for a codec that does not exist.
pub fn codec_before_7(records: &[u8]) -> Result<(), Refusal> {
    let magic = records.get(16).copied();
    let Some(attributes) = records.get(22).filter(|_| magic == Some(2)) else { return Ok(()) };
    let refused = |error, reason| Err(Refusal { names_log_start: false, ..Refusal::new(error, reason) });
    match attributes & 0b111 {
        0..=3 => Ok(()),
        4 => refused(ErrorCode::UnsupportedCompressionType, "Zstandard needs Produce version 7"),
        _ => refused(ErrorCode::UnknownServerError, "unknown compression type"),
    }
}

/// The one batch that `records` has to hold. As with Kafka a further batch is refused, but one that is cut is not.
fn only_batch(records: Bytes) -> Result<Batch, Refusal> {
    let invalid =
        |reason| Refusal { names_log_start: false, ..Refusal::new(ErrorCode::InvalidRecord, reason) };
    let Some((magic, size)) = frame(&records)? else {
        return Err(invalid("there is no whole batch"));
    };
    if magic != 2 {
        return Err(invalid("record formats 0 and 1 are not written any more"));
    }
    let (bytes, rest) = (records.slice(..size), records.slice(size..));
    if frame(&rest).map_err(|refusal| Refusal { message: None, ..refusal })?.is_some() {
        return Err(invalid("there is more than one batch"));
    }
    Ok(Batch { header: BatchHeader::read(&bytes)?, bytes })
}

/// Format and size of the batch or message at the start of `bytes`; `None` when it is cut.
/// Fails when its length or format cannot be one's.
fn frame(bytes: &[u8]) -> Result<Option<(i8, usize)>, Refusal> {
    /// The least that a message of format 0 says of its length.
    const LENGTH_MIN: i32 = 14;
    let Some(length) = bytes.get(8..).and_then(<[u8]>::first_chunk::<4>) else { return Ok(None) };
    let length = i32::from_be_bytes(*length);
    if length < LENGTH_MIN {
        let message = format!("a batch cannot have a length of {length} bytes; {LENGTH_MIN} is the least");
        return Err(Refusal::corrupt(message, "the length is not that of a batch"));
    }
    let Some(&[magic]) = bytes.get(16..).and_then(<[u8]>::first_chunk::<1>) else { return Ok(None) };
    let magic = i8::from_be_bytes([magic]);
    if !(0..=2).contains(&magic) {
        let message = format!("there is no record format {magic}");
        return Err(Refusal::corrupt(message, "the format is not that of a batch"));
    }
    let size = LOG_OVERHEAD.saturating_add(length.unsigned_abs() as usize);
    Ok(if bytes.len() < size { None } else { Some((magic, size)) })
}

/// What holds for the bytes before their meaning is looked at; gives the codec.
fn check_bytes(batch: &Batch, rules: &ProduceRules) -> Result<Codec, Refusal> {
    if batch.header.base_offset != 0 {
        return Err(Refusal::new(ErrorCode::InvalidRecord, "the base offset is not 0"));
    }
    check_size(batch, rules)?;
    if !batch.crc_is_valid() {
        return Err(Refusal::new(ErrorCode::CorruptMessage, "the checksum is wrong"));
    }
    Ok(batch.header.codec()?)
}

fn check_size(batch: &Batch, rules: &ProduceRules) -> Result<(), Refusal> {
    if batch.bytes.len() > usize::try_from(rules.max_message_bytes).unwrap_or(0) {
        return Err(Refusal::new(ErrorCode::MessageTooLarge, "larger than max.message.bytes"));
    }
    Ok(())
}

/// What a client may say in a header.
fn check_header(header: &BatchHeader) -> Result<(), Refusal> {
    let reason = if header.records_count <= 0 {
        "there are no records"
    } else if header.last_offset_delta != header.records_count.saturating_sub(1) {
        "the count does not agree with the offsets"
    } else if header.is_control() {
        "clients cannot write control records"
    } else if header.has_producer() && header.base_sequence < 0 {
        "a producer id needs a sequence number"
    } else {
        return Ok(());
    };
    Err(Refusal::new(ErrorCode::InvalidRecord, reason))
}

/// Writes a checked batch anew, with offsets without gaps, true timestamps and the target codec.
fn rebuild(
    batch: &Batch,
    (source, target): (Codec, Codec),
    rules: &ProduceRules,
    now_ms: i64,
    opened_bytes_max: usize,
) -> Result<Batch, Refusal> {
    let header = &batch.header;
    let payload = batch.payload();
    let opened = match source {
        Codec::None => payload,
        codec => Bytes::from(decompress(codec, &payload, opened_bytes_max)?),
    };
    let mut builder: Option<BatchBuilder> = None;
    let mut headers = Vec::new();
    for record in RecordRefs::new(&opened, header.records_count) {
        let record = record?;
        let timestamp = header.record_timestamp(record.timestamp_delta);
        headers.clear();
        headers.extend(record.headers());
        let builder = builder.get_or_insert_with(|| {
            let builder = BatchBuilder::new(timestamp).producer(
                header.producer_id,
                header.producer_epoch,
                header.base_sequence,
            );
            if header.is_transactional() { builder.transactional() } else { builder }
        });
        builder.push_with_headers(record.key, record.value, timestamp, &headers);
    }
    let builder = builder.ok_or(Refusal::new(ErrorCode::InvalidRecord, "there are no records"))?;
    let rebuilt = builder.build_compressed(0, target, rules.compression_level)?;
    // The time of the append stands in the header alone; as with Kafka the records keep their producer's.
    let rebuilt = if rules.log_append_time { rebuilt.with_timestamps(true, now_ms) } else { rebuilt };
    check_size(&rebuilt, rules)?;
    Ok(rebuilt)
}

#[cfg(test)]
mod tests;
