use super::*;

fn two_records() -> Batch {
    let mut builder = BatchBuilder::new(1000).producer(7, 1, 5).leader_epoch(3);
    builder.push(Some(b"k"), Some(b"v"), 1000);
    builder.push_with_headers(None, None, 990, &[(b"h", Some(b"x")), (b"i", None)]);
    builder.build(42)
}

#[test]
fn a_built_batch_parses_to_the_same_header_and_records() {
    let built = two_records();
    let parsed = Batch::parse(built.bytes.clone()).unwrap();
    assert_eq!(parsed, built);
    assert!(parsed.crc_is_valid());
    assert_eq!(parsed.header.last_offset(), 43);
    assert_eq!(parsed.header.next_offset(), 44);
    assert_eq!(parsed.header.last_sequence(), 6);
    assert_eq!(parsed.header.max_timestamp, 1000);
    assert!(parsed.header.has_producer());
    let records: Vec<Record> = parsed.records().unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].key.as_deref(), Some(&b"k"[..]));
    assert_eq!(records[1].key, None);
    assert_eq!(records[1].offset_delta, 1);
    assert_eq!(records[1].timestamp_delta, -10);
    let header = |key: &'static [u8], value: Option<&'static [u8]>| {
        (Bytes::from_static(key), value.map(Bytes::from_static))
    };
    assert_eq!(records[1].headers, [header(b"h", Some(b"x")), header(b"i", None)]);
}

#[test]
fn a_head_for_another_place_changes_offset_and_epoch_alone() {
    let batch = two_records();
    let mut moved = batch.head(1 << 40, -1).to_vec();
    moved.extend_from_slice(&batch.bytes[16..]);
    let moved = Batch::parse(Bytes::from(moved)).unwrap();
    assert!(moved.crc_is_valid());
    let expected = BatchHeader { base_offset: 1 << 40, partition_leader_epoch: -1, ..batch.header };
    assert_eq!(moved.header, expected);
}

#[test]
fn a_flipped_bit_under_the_checksum_is_seen() {
    let batch = two_records();
    for at in CRC_START..batch.bytes.len() {
        let mut bytes = batch.bytes.to_vec();
        bytes[at] ^= 0x80;
        if let Ok(changed) = Batch::parse(Bytes::from(bytes)) {
            assert!(!changed.crc_is_valid(), "byte {at}");
        }
    }
}

#[test]
fn bytes_that_end_early_are_short() {
    let batch = two_records();
    for length in 0..batch.bytes.len() {
        let error = Batch::parse(batch.bytes.slice(..length)).unwrap_err();
        assert!(matches!(error, BatchError::Short { have, .. } if have == length), "{length}");
    }
}

#[test]
fn a_sequence_goes_on_at_zero_behind_the_greatest() {
    let header = BatchHeader { base_sequence: i32::MAX, last_offset_delta: 2, ..two_records().header };
    assert_eq!(header.last_sequence(), 1);
    assert_eq!(BatchHeader { base_sequence: -1, ..header }.last_sequence(), -1);
}

#[test]
fn a_count_that_the_records_do_not_have_ends_the_walk() {
    let payload = two_records().payload();
    for count in [-1, 0, 1, 3, i32::MAX] {
        let walked: Vec<_> = RecordRefs::new(&payload, count).collect();
        assert_eq!(walked.last(), Some(&Err(BatchError::Count(count))), "{count}");
        assert!(walked.len() <= 3);
        let shared: Vec<_> = Records::new(payload.clone(), count).collect();
        assert_eq!(shared.last(), Some(&Err(BatchError::Count(count))), "{count}");
    }
}
