//! Rebuilds a shard's machine from its log. Bytes of a log are not trusted: a record that does not parse is told
//! and skipped, a batch that does not parse fails the load, and nothing is written.

use std::sync::Arc;

use bytes::Bytes;

use super::group_log::GroupLog;
use super::machine::{Effects, Machine};
use super::records;
use super::settings::Settings;
use crate::limits::GROUP_LOAD_READ_BYTES;
use crate::types::{ErrorCode, Now, Offset, ProducerId};
use crate::wire::batch::Batch;

/// What a load found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Groups that exist now.
    pub groups: usize,
    /// Records that were replayed.
    pub records: usize,
    /// Records of a known type that did not parse, and were skipped.
    pub broken_records: usize,
}

/// Replays the whole log, up to the offset that is returned. The effects are those of waking the groups up; they are still to be appended.
pub(crate) fn load(
    log: &dyn GroupLog,
    settings: Arc<Settings>,
    now: Now,
) -> Result<(Machine, Effects, LoadReport, Offset), ErrorCode> {
    let mut machine = Machine::new(settings, log.batch_bytes_max());
    let mut report = LoadReport::default();
    let (mut next, end) = log.bounds()?;
    while next < end {
        let mut chunk = log.read(next, GROUP_LOAD_READ_BYTES)?;
        if chunk.is_empty() {
            break;
        }
        while !chunk.is_empty() {
            let batch = Batch::parse(chunk.clone()).map_err(|error| {
                tracing::error!(%error, position = %next, "a batch of a group's log does not parse");
                ErrorCode::CorruptMessage
            })?;
            if !batch.crc_is_valid() {
                tracing::error!(position = %next, "a batch of a group's log fails its checksum");
                return Err(ErrorCode::CorruptMessage);
            }
            chunk = chunk.slice(batch.bytes.len()..);
            // A batch always moves on, so hostile offsets cannot make this a loop.
            let after = Offset(batch.header.next_offset()).max(next.plus(1));
            if batch.header.next_offset() > next.0 {
                replay_batch(&batch, &mut machine, &mut report, now)?;
            }
            next = after;
        }
    }
    let effects = machine.loaded(now);
    report.groups = machine.groups_count();
    Ok((machine, effects, report, end))
}

fn replay_batch(
    batch: &Batch,
    machine: &mut Machine,
    report: &mut LoadReport,
    now: Now,
) -> Result<(), ErrorCode> {
    let header = &batch.header;
    let records = batch.records().map_err(|error| {
        tracing::error!(%error, base_offset = header.base_offset, "a batch of a group's log cannot be opened");
        ErrorCode::CorruptMessage
    })?;
    let producer = if header.is_transactional() { ProducerId(header.producer_id) } else { ProducerId::NONE };
    for record in records {
        let record = record.map_err(|error| {
            tracing::error!(%error, base_offset = header.base_offset, "a record of a group's log is broken");
            ErrorCode::CorruptMessage
        })?;
        let position = header.base_offset.saturating_add(i64::from(record.offset_delta));
        if header.is_control() {
            if let Some(commit) = record.key.as_ref().and_then(ends_transaction) {
                machine.replay_marker(ProducerId(header.producer_id), commit, position);
            }
            continue;
        }
        let Some(key) = &record.key else { continue };
        match records::decode(key, record.value.as_deref()) {
            Ok(Some(record)) => {
                machine.replay(&record, producer, position, now);
                report.records += 1;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, position, "a record of a group's log does not parse and is skipped");
                report.broken_records += 1;
            }
        }
    }
    Ok(())
}

/// What a control record says: true for a commit marker, false for an abort, `None` for any other kind.
fn ends_transaction(key: &Bytes) -> Option<bool> {
    match key.get(..4)? {
        [_, _, 0, 0] => Some(false),
        [_, _, 0, 1] => Some(true),
        _ => None,
    }
}
