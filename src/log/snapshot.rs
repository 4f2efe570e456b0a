//! `<offset>.snapshot`: the producer state as of an offset, in the bytes of Kafka's `ProducerSnapshot.json` version 1.
//! Pure.

use super::bytes::{i16_at, i32_at, i64_at, u32_at};
use super::producers::{BatchMeta, ProducerEntry, ProducerState};

const VERSION: i16 = 1;
/// Version, checksum.
const CRC_ENDS: usize = 6;
/// Version, checksum, count.
const HEAD_BYTES: usize = 10;
const ENTRY_BYTES: usize = 46;
/// Bytes that a snapshot may have: some 5 million producers.
pub(crate) const SNAPSHOT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The bytes of a snapshot of `state`; producers in the order of their ids.
pub fn encode(state: &ProducerState) -> Vec<u8> {
    let producers = state.producers();
    let mut body = Vec::with_capacity(producers.len().saturating_mul(ENTRY_BYTES).saturating_add(4));
    body.extend(i32::try_from(producers.len()).unwrap_or(i32::MAX).to_be_bytes());
    for (id, entry) in producers {
        let last = entry.last_batch();
        body.extend(id.to_be_bytes());
        body.extend(entry.epoch.to_be_bytes());
        body.extend(last.map_or(-1, |batch| batch.last_sequence).to_be_bytes());
        body.extend(last.map_or(-1, |batch| batch.last_offset).to_be_bytes());
        body.extend(last.map_or(0, |batch| batch.offset_delta).to_be_bytes());
        body.extend(entry.last_timestamp.to_be_bytes());
        body.extend(entry.coordinator_epoch.to_be_bytes());
        body.extend(entry.txn_first_offset.unwrap_or(-1).to_be_bytes());
    }
    let mut bytes = Vec::with_capacity(body.len().saturating_add(CRC_ENDS));
    bytes.extend(VERSION.to_be_bytes());
    bytes.extend(crc32c::crc32c(&body).to_be_bytes());
    bytes.extend(body);
    bytes
}

/// Reads a snapshot; the error says what is wrong with it.
pub fn decode(bytes: &[u8]) -> Result<ProducerState, &'static str> {
    if i16_at(bytes, 0) != Some(VERSION) {
        return Err("has an unknown version");
    }
    let body = bytes.get(CRC_ENDS..).ok_or("is too short")?;
    if u32_at(bytes, 2) != Some(crc32c::crc32c(body)) {
        return Err("has a wrong checksum");
    }
    let count = i32_at(body, 0).and_then(|count| usize::try_from(count).ok()).ok_or("has no count")?;
    let entries = bytes.get(HEAD_BYTES..).ok_or("is too short")?;
    if Some(entries.len()) != count.checked_mul(ENTRY_BYTES) {
        return Err("has another length than its count says");
    }
    let mut state = ProducerState::default();
    for bytes in entries.chunks_exact(ENTRY_BYTES) {
        let (id, entry) = decode_entry(bytes).ok_or("is too short")?;
        state.restore(id, entry);
    }
    Ok(state)
}

fn decode_entry(bytes: &[u8]) -> Option<(i64, ProducerEntry)> {
    let last_offset = i64_at(bytes, 14)?;
    let timestamp = i64_at(bytes, 26)?;
    let last = (last_offset >= 0).then_some(BatchMeta {
        last_sequence: i32_at(bytes, 10)?,
        last_offset,
        offset_delta: i32_at(bytes, 22)?,
        timestamp,
    });
    let txn_first_offset = i64_at(bytes, 38).filter(|&offset| offset >= 0);
    let entry =
        ProducerEntry::restored(i16_at(bytes, 8)?, i32_at(bytes, 34)?, timestamp, txn_first_offset, last);
    Some((i64_at(bytes, 0)?, entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The snapshot of `txn-open-0` of a Kafka 4.3.0.
    const OPEN_TXN: [u8; 56] = [
        0x00, 0x01, 0xd9, 0xdc, 0x9e, 0x24, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0,
        0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x04, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
        0, 0, 0, 0,
    ];

    #[test]
    fn a_snapshot_of_kafka_reads_and_is_written_back_to_the_byte() {
        let state = decode(&OPEN_TXN).unwrap();
        let entry = &state.producers()[&7];
        assert_eq!((entry.epoch, entry.txn_first_offset, entry.coordinator_epoch), (0, Some(0), -1));
        assert_eq!(entry.last_timestamp, 1_700_000_000_004);
        let last = entry.last_batch().unwrap();
        assert_eq!((last.first_offset(), last.last_offset, last.last_sequence), (0, 4, 4));
        assert_eq!(state.first_unstable(5), Some(0));
        assert_eq!(encode(&state), OPEN_TXN);
    }

    #[test]
    fn a_snapshot_without_producers_has_ten_bytes() {
        let empty = [0x00, 0x01, 0x48, 0x67, 0x4b, 0xc7, 0, 0, 0, 0];
        assert_eq!(encode(&ProducerState::default()), empty);
        assert!(decode(&empty).unwrap().is_empty());
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        for index in 0..OPEN_TXN.len() {
            let mut bytes = OPEN_TXN;
            bytes[index] ^= 0x40;
            assert!(decode(&bytes).is_err(), "byte {index}");
        }
        assert!(decode(&OPEN_TXN[..55]).is_err());
        assert!(decode(&[]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let mut bytes = bytes;
            let _ = decode(&bytes);
            if bytes.len() >= HEAD_BYTES {
                bytes[..2].clone_from_slice(&[0, 1]);
                let crc = crc32c::crc32c(&bytes[CRC_ENDS..]);
                bytes[2..6].clone_from_slice(&crc.to_be_bytes());
                let _ = decode(&bytes);
            }
        }
    }
}
