use proptest::prelude::*;

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
fn a_header_that_is_no_batch_of_format_2_is_refused() {
    let changed = |at: usize, field: &[u8]| {
        let mut bytes = two_records().bytes.to_vec();
        bytes.splice(at..at + field.len(), field.iter().copied());
        Batch::parse(Bytes::from(bytes)).unwrap_err()
    };
    assert_eq!(changed(16, &[1]), BatchError::Magic(1));
    assert_eq!(changed(8, &48_i32.to_be_bytes()), BatchError::Length(48));
    assert_eq!(changed(8, &i32::MIN.to_be_bytes()), BatchError::Length(i32::MIN));
    assert_eq!(changed(23, &(-1_i32).to_be_bytes()), BatchError::LastOffsetDelta(-1));
}

#[test]
fn a_batch_that_is_too_old_is_not_opened_to_search_it() {
    let mut batch = two_records();
    batch.header.attributes = Codec::Zstd as i16;
    assert_eq!(first_record_at_or_after(&batch, batch.header.max_timestamp + 1), Ok(None));
    assert!(first_record_at_or_after(&batch, batch.header.max_timestamp).is_err());
}

#[test]
fn a_field_that_reaches_into_the_next_record_is_refused_whatever_the_window() {
    // The value of the only header of the first record claims a byte more than the record has.
    let opened = [18, 0, 0, 0, 1, 1, 2, 0, 4, b'x', 14, 0, 0, 2, 1, 1, 0, 0];
    let reads = |window| {
        let mut heads = RecordHeads::with_window(Codec::None, &opened, 2, window).unwrap();
        heads.next().unwrap().is_ok()
    };
    assert!(!reads(1));
    assert!(!reads(100));
    assert!(RecordRefs::new(&opened, 2).next().unwrap().is_err());
}

#[test]
fn a_negative_count_of_headers_is_refused_whatever_the_window() {
    let opened = [12, 0, 0, 0, 1, 1, 1];
    for window in [1, 100] {
        let mut heads = RecordHeads::with_window(Codec::None, &opened, 1, window).unwrap();
        assert!(heads.next().unwrap().is_err(), "{window}");
    }
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

#[test]
fn the_first_record_at_or_after_a_time_is_found_inside_every_kind_of_batch() {
    let mut builder = BatchBuilder::new(100);
    for timestamp in [100, 90, 120, 110, 130] {
        builder.push(Some(b"key"), Some(&[0; 100]), timestamp);
    }
    for codec in Codec::ALL {
        let batch = builder.build_compressed(50, codec, None).unwrap();
        assert!(batch.crc_is_valid());
        let find = |timestamp| first_record_at_or_after(&batch, timestamp).unwrap();
        assert_eq!(find(i64::MIN), Some((50, 100)));
        assert_eq!(find(101), Some((52, 120)));
        assert_eq!(find(121), Some((54, 130)));
        assert_eq!(find(131), None);
        assert_eq!(first_record_at_or_after_from(&batch, 95, 51), Ok(Some((52, 120))));
        assert_eq!(first_record_at_or_after_from(&batch, 95, 55), Ok(None));
    }
}

#[test]
fn with_the_time_of_the_append_every_record_has_the_time_of_the_batch() {
    let mut builder = BatchBuilder::new(100).log_append_time();
    builder.push(None, None, 100).push(None, None, 150);
    let batch = builder.build(7);
    assert_eq!(first_record_at_or_after(&batch, 120), Ok(Some((7, 150))));
    assert_eq!(first_record_at_or_after(&batch, 151), Ok(None));
}

#[test]
fn records_that_cannot_be_decompressed_are_an_error() {
    let mut builder = BatchBuilder::new(0);
    builder.push(Some(b"key"), None, 0);
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let batch = builder.build_compressed(0, codec, None).unwrap();
        let mut bytes = batch.bytes.to_vec();
        bytes.truncate(HEADER_BYTES + 8);
        bytes.splice(8..12, 57_i32.to_be_bytes());
        let cut = Batch::parse(Bytes::from(bytes)).unwrap();
        let expected = BatchError::Compress(CompressError::Corrupt(codec));
        assert_eq!(cut.records().err(), Some(expected), "{codec:?}");
        let heads = cut.record_heads().map_or_else(Some, |heads| heads.filter_map(Result::err).last());
        assert_eq!(heads, Some(expected), "{codec:?}");
    }
}

#[test]
fn unknown_codecs_are_named() {
    let batch = two_records();
    for bits in 5..8 {
        let header = BatchHeader { attributes: bits, ..batch.header };
        let batch = Batch { header, bytes: batch.bytes.clone() };
        assert_eq!(batch.records().err(), Some(BatchError::Codec(bits)));
        assert_eq!(batch.record_heads().err(), Some(BatchError::Codec(bits)));
    }
}

type Contents = (Option<Vec<u8>>, Option<Vec<u8>>, i64, Vec<(Vec<u8>, Option<Vec<u8>>)>);

fn contents() -> impl Strategy<Value = Vec<Contents>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let optional = || prop::option::of(bytes());
    let headers = prop::collection::vec((bytes(), optional()), 0..3);
    prop::collection::vec((optional(), optional(), any::<i64>(), headers), 0..12)
}

fn build(contents: &[Contents], codec: Codec) -> Batch {
    let mut builder = BatchBuilder::new(1_700_000_000_000);
    for (key, value, timestamp, headers) in contents {
        let headers: Vec<_> = headers.iter().map(|(key, value)| (&key[..], value.as_deref())).collect();
        builder.push_with_headers(key.as_deref(), value.as_deref(), *timestamp, &headers);
    }
    builder.build_compressed(9, codec, None).unwrap()
}

/// What a walk gives, errors included.
fn heads_of_slices(opened: &[u8], count: i32) -> Vec<Result<RecordHead, BatchError>> {
    let head = |record: RecordRef<'_>| RecordHead {
        offset_delta: record.offset_delta,
        timestamp_delta: record.timestamp_delta,
        has_key: record.key.is_some(),
    };
    RecordRefs::new(opened, count).map(|record| record.map(head)).collect()
}

proptest! {
    #[test]
    fn what_is_pushed_comes_back_whatever_the_codec(contents in contents()) {
        for codec in Codec::ALL {
            let batch = Batch::parse(build(&contents, codec).bytes).unwrap();
            prop_assert!(batch.crc_is_valid());
            prop_assert_eq!(batch.header.codec(), Ok(codec));
            let records: Vec<Record> = batch.records().unwrap().collect::<Result<_, _>>().unwrap();
            let heads: Vec<RecordHead> = batch.record_heads().unwrap().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(records.len(), contents.len());
            prop_assert_eq!(heads.len(), contents.len());
            for (index, (key, value, timestamp, headers)) in contents.iter().enumerate() {
                let record = &records[index];
                prop_assert_eq!(record.offset_delta as usize, index);
                prop_assert_eq!(batch.header.record_timestamp(record.timestamp_delta), *timestamp);
                prop_assert_eq!(record.key.as_deref(), key.as_deref());
                prop_assert_eq!(record.value.as_deref(), value.as_deref());
                prop_assert_eq!(record.headers.len(), headers.len());
                for (found, (key, value)) in record.headers.iter().zip(headers) {
                    prop_assert_eq!((&found.0[..], found.1.as_deref()), (&key[..], value.as_deref()));
                }
                prop_assert_eq!(heads[index].offset_delta, record.offset_delta);
                prop_assert_eq!(heads[index].timestamp_delta, record.timestamp_delta);
                prop_assert_eq!(heads[index].has_key, key.is_some());
            }
        }
    }

    #[test]
    fn a_walk_through_a_window_sees_what_a_walk_over_the_whole_sees(
        contents in contents(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        count in -1..14_i32,
        window in 1_usize..300,
    ) {
        let mut opened = build(&contents, Codec::None).payload().to_vec();
        for (at, value) in damage.iter().filter(|_| !contents.is_empty()) {
            let at = at.index(opened.len());
            opened[at] = *value;
        }
        let whole = heads_of_slices(&opened, count);
        let windowed: Vec<_> = RecordHeads::with_window(Codec::None, &opened, count, window).unwrap().collect();
        prop_assert_eq!(whole.len(), windowed.len());
        for (whole, windowed) in whole.iter().zip(&windowed) {
            match (whole, windowed) {
                // Where bytes are missing, one walk sees a record that is cut and the other the end of its source.
                (Err(_), Err(_)) => {}
                (whole, windowed) => prop_assert_eq!(whole, windowed),
            }
        }
    }

    #[test]
    fn hostile_bytes_are_parsed_or_refused(
        contents in contents(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        for codec in Codec::ALL {
            let mut bytes = build(&contents, codec).bytes.to_vec();
            for (at, value) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            for bytes in [bytes[..cut.index(bytes.len())].to_vec(), bytes] {
                let Ok(batch) = Batch::parse(Bytes::from(bytes)) else { continue };
                let _ = (batch.crc_is_valid(), batch.header.last_sequence(), batch.header.next_offset());
                let _ = batch.records().map(|records| records.flatten().count());
                let _ = batch.record_heads().map(|heads| heads.flatten().count());
                let _ = first_record_at_or_after(&batch, 5);
            }
        }
    }
}
