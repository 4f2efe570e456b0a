//! The rules for single records: keys in compacted topics, and timestamps within their bounds.
//! Sees each record once, in order; allocates only for records that are refused, and for a bounded number of those.

use super::{ProduceRules, Refusal};
use crate::limits::RECORD_ERRORS_MAX;
use crate::types::ErrorCode;
use crate::wire::batch::BatchHeader;

/// "No timestamp" in Kafka's messages: never out of bounds.
const NO_TIMESTAMP: i64 = -1;

/// Collects what is wrong with single records, and the greatest timestamp.
pub(super) struct Checker<'a> {
    header: &'a BatchHeader,
    rules: &'a ProduceRules,
    now_ms: i64,
    max_timestamp: i64,
    refused: u64,
    has_wrong_timestamp: bool,
    errors: Vec<(i32, Option<String>)>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(header: &'a BatchHeader, rules: &'a ProduceRules, now_ms: i64) -> Self {
        Self {
            header,
            rules,
            now_ms,
            max_timestamp: NO_TIMESTAMP,
            refused: 0,
            has_wrong_timestamp: false,
            errors: Vec::new(),
        }
    }

    /// Takes the next record in.
    #[inline]
    pub(super) fn see(&mut self, index: i32, timestamp_delta: i64, has_key: bool) {
        let timestamp = self.header.record_timestamp(timestamp_delta);
        self.max_timestamp = self.max_timestamp.max(timestamp);
        if self.rules.compacted && !has_key {
            self.refuse(index, None);
        } else if self.is_wrong(timestamp) {
            self.has_wrong_timestamp = true;
            self.refuse(index, Some(timestamp));
        }
    }

    /// Takes the header's word for the records of a batch that is not opened.
    pub(super) fn trust_header(&mut self) -> Result<(), Refusal> {
        self.max_timestamp = self.header.max_timestamp;
        if !self.is_wrong(self.max_timestamp) {
            return Ok(());
        }
        let message = Some(self.wrong_timestamp(self.max_timestamp));
        Err(Refusal { message, ..Refusal::new(ErrorCode::InvalidTimestamp, WRONG_TIMESTAMP) })
    }

    /// The greatest timestamp of records that are all in order, −1 when none has one.
    pub(super) fn finish(self) -> Result<i64, Refusal> {
        if self.refused == 0 {
            return Ok(self.max_timestamp);
        }
        let (error, reason, message) = if self.has_wrong_timestamp {
            let message = format!("{} records refused, some for their timestamps", self.refused);
            (ErrorCode::InvalidTimestamp, WRONG_TIMESTAMP, message)
        } else {
            let message = format!("{} records refused: a compacted topic needs keys", self.refused);
            (ErrorCode::InvalidRecord, "records without a key", message)
        };
        Err(Refusal { message: Some(message), record_errors: self.errors, ..Refusal::new(error, reason) })
    }

    /// As Kafka decides it: differences wrap, so that a timestamp near the ends of `i64` is never in bounds, and a
    /// producer's `LogAppendTime` bit is wrong only where the bounds do not apply.
    #[inline]
    fn is_wrong(&self, timestamp: i64) -> bool {
        if self.rules.log_append_time || timestamp == NO_TIMESTAMP {
            return self.header.is_log_append_time();
        }
        let age_ms = self.now_ms.wrapping_sub(timestamp);
        age_ms > self.rules.timestamp_before_max_ms
            || age_ms.wrapping_neg() > self.rules.timestamp_after_max_ms
    }

    fn wrong_timestamp(&self, timestamp: i64) -> String {
        if self.rules.log_append_time || timestamp == NO_TIMESTAMP {
            return "a producer cannot set the timestamp type to LogAppendTime".to_owned();
        }
        let earliest = self.now_ms.saturating_sub(self.rules.timestamp_before_max_ms);
        let latest = self.now_ms.saturating_add(self.rules.timestamp_after_max_ms);
        format!("timestamp {timestamp} is not within {earliest} to {latest}")
    }

    /// Notes a record without a key, or with this wrong timestamp.
    #[cold]
    fn refuse(&mut self, index: i32, timestamp: Option<i64>) {
        self.refused = self.refused.saturating_add(1);
        if self.errors.len() < RECORD_ERRORS_MAX {
            let message = timestamp.map_or_else(
                || "a compacted topic takes no record without a key".to_owned(),
                |timestamp| self.wrong_timestamp(timestamp),
            );
            self.errors.push((index, Some(message)));
        }
    }
}

const WRONG_TIMESTAMP: &str = "wrong timestamps";
