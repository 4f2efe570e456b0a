//! Kafka's snapshots of metadata, `<end offset>-<epoch>.checkpoint` (KIP-630): a header, the records that make the
//! image, a footer. One that lacks its footer or has a bad batch is no snapshot.

use std::io::{self, IoSlice};
use std::path::Path;

use bytes::Bytes;

use super::batches::{Batches, Stop};
use super::replayer::Replayer;
use super::{ControlRecords, JournalError};
use crate::controller::image::{ConfigResource, Configs, Image};
use crate::controller::machine::METADATA_VERSION;
use crate::controller::replay::{partition_record, version_of};
use crate::log::storage::{Access, Storage, write_full};
use crate::types::ProducerId;
use crate::wire::batch::{Batch, BatchBuilder};
use crate::wire::records::RecordError;
use crate::wire::records::control::{SnapshotFooterRecord, SnapshotHeaderRecord};
use crate::wire::records::control_record::ControlRecord;
use crate::wire::records::metadata::{
    ConfigRecord, FeatureLevelRecord, MetadataRecord, ProducerIdsRecord, TopicRecord,
};

/// Bytes of records after which a batch of a snapshot is closed.
const BATCH_BYTES: usize = 256 * 1024;
/// What the name of a snapshot ends with.
const SUFFIX: &str = ".checkpoint";
/// The type of the control record that ends a snapshot (`ControlRecordType`).
const FOOTER_TYPE: i16 = 4;

/// The place in the log that a snapshot stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SnapshotId {
    /// The offset after the last record that it includes.
    pub(super) end: i64,
    /// That record's leader epoch.
    pub(super) epoch: i32,
}

impl SnapshotId {
    pub(super) fn file_name(self) -> String {
        format!("{:020}-{:010}{SUFFIX}", self.end, self.epoch)
    }

    /// The id in a file's name; `None` when it is not a snapshot's.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (end, epoch) = name.strip_suffix(SUFFIX)?.split_once('-')?;
        let digits =
            |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(end, 20) || !digits(epoch, 10) {
            return None;
        }
        Some(Self { end: end.parse().ok()?, epoch: epoch.parse().ok()? })
    }
}

/// Replays a whole snapshot. Fails when it is incomplete or a record does not fit.
pub(super) fn read(storage: &dyn Storage, path: &Path, replayer: &mut Replayer) -> Result<(), JournalError> {
    walk(storage, path, |batch| replayer.batch(path, batch))
}

/// The records of a whole snapshot as they stand, for a log that begins with them.
pub(super) fn read_records(storage: &dyn Storage, path: &Path) -> Result<Vec<Bytes>, JournalError> {
    let mut records = Vec::new();
    walk(storage, path, |batch| {
        let corrupt = |error| JournalError::corrupt_at_offset(path, batch.header.base_offset, error);
        for record in batch.records().map_err(|error| corrupt(error.to_string()))? {
            let record = record.map_err(|error| corrupt(error.to_string()))?;
            if !batch.header.is_control() {
                records.extend(record.value);
                continue;
            }
            let kind = ControlRecord::type_of(record.key.as_deref().unwrap_or_default());
            if kind.map_err(|error| corrupt(error.to_string()))? == FOOTER_TYPE {
                return Ok(true);
            }
        }
        Ok(false)
    })?;
    Ok(records)
}

/// Hands over each batch; `each` says whether it was the footer.
fn walk(
    storage: &dyn Storage,
    path: &Path,
    mut each: impl FnMut(&Batch) -> Result<bool, JournalError>,
) -> Result<(), JournalError> {
    let file = storage.open(path, Access::Existing).map_err(|error| JournalError::io(path, error))?;
    let mut batches = Batches::new(file).map_err(|error| JournalError::io(path, error))?;
    let mut ended = false;
    loop {
        match batches.next() {
            Ok(Some(batch)) if !ended => ended = each(&batch)?,
            Ok(Some(_)) => {
                return Err(JournalError::corrupt(path, batches.position(), "bytes follow the footer"));
            }
            Ok(None) if ended => return Ok(()),
            Ok(None) => return Err(JournalError::corrupt(path, batches.len(), "the footer is missing")),
            Err(Stop::Io(error)) => return Err(JournalError::io(path, error)),
            Err(Stop::Bad { position, reason }) => return Err(JournalError::corrupt(path, position, reason)),
        }
    }
}

/// Writes a snapshot: under another name first, then synced, renamed, and the directory synced. `timestamp_ms` is that
/// of the last record of the log that it includes. Returns its bytes.
pub(super) fn write(
    storage: &dyn Storage,
    dir: &Path,
    id: SnapshotId,
    image: &Image,
    control: &ControlRecords,
    timestamp_ms: i64,
) -> io::Result<u64> {
    let path = dir.join(id.file_name());
    let part = dir.join(format!("{}.part", id.file_name()));
    let batches = encode(id, image, control, timestamp_ms).map_err(io::Error::other)?;
    let written = write_part(storage, &part, &batches);
    if written.is_err() {
        // What is left of it takes space away from the log; that it cannot be removed changes nothing.
        let _ = storage.remove_file(&part);
    }
    let position = written?;
    storage.rename(&part, &path)?;
    storage.sync_dir(dir)?;
    Ok(position)
}

fn write_part(storage: &dyn Storage, part: &Path, batches: &[Batch]) -> io::Result<u64> {
    let file = storage.open(part, Access::Truncate)?;
    let mut position = 0_u64;
    for batch in batches {
        write_full(&*file, &mut [IoSlice::new(&batch.bytes)], position)?;
        position = position.saturating_add(batch.bytes.len() as u64);
    }
    file.sync_data()?;
    Ok(position)
}

fn encode(
    id: SnapshotId,
    image: &Image,
    control: &ControlRecords,
    timestamp_ms: i64,
) -> Result<Vec<Batch>, RecordError> {
    let mut out = Encoder { epoch: id.epoch, timestamp_ms, next: 0, open: None, batches: Vec::new() };
    let header = SnapshotHeaderRecord { version: 0, last_contained_log_timestamp: timestamp_ms };
    let first: Vec<_> = [ControlRecord::SnapshotHeader(header)].into_iter().chain(control.iter()).collect();
    out.control(&first)?;
    out.features(image)?;
    for record in image.kept() {
        out.push(record);
    }
    out.topics(image)?;
    for (resource, configs) in image.configs() {
        out.configs(resource, configs)?;
    }
    if image.next_producer_id != ProducerId(0) {
        let record = ProducerIdsRecord {
            broker_id: -1,
            next_producer_id: image.next_producer_id.0,
            ..ProducerIdsRecord::default()
        };
        out.record(&MetadataRecord::ProducerIds(record))?;
    }
    let footer = SnapshotFooterRecord { version: 0 };
    out.control(&[ControlRecord::SnapshotFooter(footer)])?;
    Ok(out.batches)
}

struct Encoder {
    epoch: i32,
    timestamp_ms: i64,
    next: i64,
    open: Option<BatchBuilder>,
    batches: Vec<Batch>,
}

impl Encoder {
    fn builder(&self) -> BatchBuilder {
        BatchBuilder::new(self.timestamp_ms).leader_epoch(self.epoch)
    }

    fn close(&mut self) {
        if let Some(builder) = self.open.take() {
            let batch = builder.build(self.next);
            self.next = batch.header.next_offset();
            self.batches.push(batch);
        }
    }

    fn control(&mut self, records: &[ControlRecord]) -> Result<(), RecordError> {
        self.close();
        let mut builder = self.builder().control();
        for record in records {
            let (key, value) = record.encode()?;
            builder.push(Some(&key), Some(&value), self.timestamp_ms);
        }
        self.open = Some(builder);
        self.close();
        Ok(())
    }

    fn push(&mut self, record: &[u8]) {
        let mut builder = self.open.take().unwrap_or_else(|| self.builder());
        builder.push(None, Some(record), self.timestamp_ms);
        let full = builder.size_bytes() >= BATCH_BYTES;
        self.open = Some(builder);
        if full {
            self.close();
        }
    }

    fn record(&mut self, record: &MetadataRecord) -> Result<(), RecordError> {
        let bytes = record.encode(version_of(record))?;
        self.push(&bytes);
        Ok(())
    }

    /// `metadata.version` first: it says how the rest is read.
    fn features(&mut self, image: &Image) -> Result<(), RecordError> {
        let mut features: Vec<_> = image.features().iter().collect();
        features.sort_by_key(|(name, _)| *name != METADATA_VERSION);
        for (name, level) in features {
            let record = FeatureLevelRecord { name: name.clone(), feature_level: *level };
            self.record(&MetadataRecord::FeatureLevel(record))?;
        }
        Ok(())
    }

    fn topics(&mut self, image: &Image) -> Result<(), RecordError> {
        for topic in image.topics() {
            let record = TopicRecord { name: topic.name.to_string(), topic_id: topic.id.0 };
            self.record(&MetadataRecord::Topic(record))?;
            for (index, partition) in (0..).zip(&topic.partitions) {
                let record = partition_record(topic.id, index, partition);
                self.record(&MetadataRecord::Partition(record))?;
            }
        }
        Ok(())
    }

    fn configs(&mut self, resource: &ConfigResource, configs: &Configs) -> Result<(), RecordError> {
        for (name, value) in configs {
            self.record(&MetadataRecord::Config(ConfigRecord {
                resource_type: resource.kind.0,
                resource_name: resource.name.clone(),
                name: name.clone(),
                value: Some(value.clone()),
            }))?;
        }
        Ok(())
    }
}
