use std::io::Read;

use proptest::prelude::*;

use super::*;
use crate::limits::RECORD_ERRORS_MAX;
use crate::wire::batch::{HEADER_BYTES, Record};
use crate::wire::compress::compress;

const NOW: i64 = 1_700_000_000_000;
const CODECS: [Codec; 4] = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

fn builder() -> BatchBuilder {
    let mut builder = BatchBuilder::new(NOW);
    builder.push(Some(b"k"), Some(b"v"), NOW);
    builder.push_with_headers(Some(b"l"), None, NOW - 5, &[(b"h", None), (b"", Some(b"x"))]);
    builder
}

fn plain() -> Bytes {
    builder().build(0).bytes
}

/// The batch with a changed header, length kept, checksum made anew.
fn changed(bytes: &Bytes, change: impl FnOnce(&mut BatchHeader)) -> Bytes {
    let mut header = BatchHeader::read(bytes).unwrap();
    change(&mut header);
    let mut changed = header.to_bytes().to_vec();
    changed.extend_from_slice(&bytes[HEADER_BYTES..]);
    let crc = crc32c::crc32c(&changed[21..]);
    changed.splice(17..21, crc.to_be_bytes());
    Bytes::from(changed)
}

/// A batch of one record that reads `payload`.
fn of_payload(codec: Codec, payload: &[u8]) -> Bytes {
    of_compressed(codec, &compress(codec, payload, None).unwrap())
}

/// A batch of one record that `compressed` holds.
fn of_compressed(codec: Codec, compressed: &[u8]) -> Bytes {
    let mut bytes = plain()[..HEADER_BYTES].to_vec();
    bytes.extend_from_slice(compressed);
    changed(&Bytes::from(bytes.clone()), |header| {
        header.batch_length = (bytes.len() - LOG_OVERHEAD) as i32;
        header.attributes = codec as i16;
        header.last_offset_delta = 0;
        header.records_count = 1;
    })
}

/// Records whose offset deltas are `deltas`.
fn with_deltas(deltas: &[u8], codec: Codec) -> Bytes {
    let payload: Vec<u8> =
        deltas.iter().flat_map(|delta| [16, 0, 0, delta * 2, 2, b'k', 2, b'v', 0]).collect();
    changed(&of_payload(codec, &payload), |header| {
        header.last_offset_delta = deltas.len() as i32 - 1;
        header.records_count = deltas.len() as i32;
    })
}

fn check(records: &Bytes) -> Result<Batch, Refusal> {
    validate(records.clone(), &ProduceRules::default(), NOW)
}

fn error(records: &Bytes, rules: &ProduceRules) -> ErrorCode {
    let refusal = validate(records.clone(), rules, NOW).unwrap_err();
    assert!(!refusal.reason.is_empty());
    refusal.error
}

fn records(batch: &Batch) -> Vec<Record> {
    assert!(batch.crc_is_valid());
    assert_eq!(batch.header, BatchHeader::parse(&batch.bytes).unwrap());
    assert_eq!(batch.bytes.len(), batch.header.size_bytes());
    batch.records().unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_sound_batch_is_stored_as_it_came_without_a_copy() {
    for codec in Codec::ALL {
        let sent = builder().producer(5, 0, 7).build_compressed(0, codec, None).unwrap().bytes;
        let stored = check(&sent).unwrap();
        assert_eq!(stored.bytes.as_ptr(), sent.as_ptr(), "{codec:?}");
        assert_eq!(stored.bytes.len(), sent.len());
    }
}

#[test]
fn records_without_a_whole_batch_are_invalid() {
    let whole = plain();
    for length in [0, 10, 16, 17, 60, whole.len() - 1] {
        assert_eq!(
            error(&whole.slice(..length), &ProduceRules::default()),
            ErrorCode::InvalidRecord,
            "{length}"
        );
    }
}

#[test]
fn a_second_batch_is_invalid_but_a_cut_one_is_left_away() {
    let batch = plain();
    let with = |rest: &[u8]| Bytes::from([&batch[..], rest].concat());
    assert_eq!(error(&with(&batch), &ProduceRules::default()), ErrorCode::InvalidRecord);
    for rest in [&b"12345"[..], &batch[..40]] {
        assert_eq!(check(&with(rest)).unwrap().bytes, batch);
    }
    // What cannot be the beginning of a batch is corrupt.
    assert_eq!(error(&with(&[0; 40]), &ProduceRules::default()), ErrorCode::CorruptMessage);
    let mut of_format_5 = batch.to_vec();
    of_format_5[16] = 5;
    assert_eq!(error(&with(&of_format_5), &ProduceRules::default()), ErrorCode::CorruptMessage);
}

#[test]
fn record_formats_that_are_not_written_any_more_are_invalid_and_unknown_ones_corrupt() {
    for (magic, expected) in [
        (0, ErrorCode::InvalidRecord),
        (1, ErrorCode::InvalidRecord),
        (3, ErrorCode::CorruptMessage),
        (0xff, ErrorCode::CorruptMessage),
    ] {
        let mut bytes = plain().to_vec();
        bytes[16] = magic;
        assert_eq!(error(&Bytes::from(bytes), &ProduceRules::default()), expected, "{magic}");
    }
}

#[test]
fn a_length_that_no_batch_has_is_corrupt() {
    for length in [i32::MIN, -1, 0, 13, 14, 20, 48, 49] {
        let mut bytes = plain().to_vec();
        bytes.splice(8..12, length.to_be_bytes());
        // Keep the rest from being taken for another batch.
        bytes.truncate(HEADER_BYTES + 3);
        assert_eq!(
            error(&Bytes::from(bytes), &ProduceRules::default()),
            ErrorCode::CorruptMessage,
            "{length}"
        );
    }
}

#[test]
fn the_size_is_looked_at_before_the_checksum_and_the_base_offset_before_the_size() {
    let small = ProduceRules { max_message_bytes: plain().len() as i32 - 1, ..ProduceRules::default() };
    let fits = ProduceRules { max_message_bytes: plain().len() as i32, ..ProduceRules::default() };
    let mut broken = plain().to_vec();
    broken[20] ^= 1;
    let broken = Bytes::from(broken);
    assert!(validate(plain(), &fits, NOW).is_ok());
    assert_eq!(error(&plain(), &small), ErrorCode::MessageTooLarge);
    assert_eq!(error(&broken, &small), ErrorCode::MessageTooLarge);
    assert_eq!(error(&broken, &fits), ErrorCode::CorruptMessage);
    let moved = changed(&plain(), |header| header.base_offset = 5);
    assert_eq!(error(&moved, &small), ErrorCode::InvalidRecord);
}

#[test]
fn a_header_that_a_client_cannot_send_is_invalid() {
    let changes: [fn(&mut BatchHeader); 8] = [
        |header| header.last_offset_delta = -1,
        |header| header.last_offset_delta = 2,
        |header| header.records_count = 0,
        |header| (header.records_count, header.last_offset_delta) = (0, -1),
        |header| (header.records_count, header.last_offset_delta) = (-1, -2),
        |header| (header.records_count, header.last_offset_delta) = (i32::MIN, i32::MAX),
        |header| header.attributes = 0x20,
        |header| (header.producer_id, header.base_sequence) = (5, -1),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let bytes = changed(&plain(), change);
        assert_eq!(error(&bytes, &ProduceRules::default()), ErrorCode::InvalidRecord, "{index}");
    }
    let empty = changed(&of_payload(Codec::None, &[]), |header| {
        (header.records_count, header.last_offset_delta) = (0, -1);
    });
    assert_eq!(error(&empty, &ProduceRules::default()), ErrorCode::InvalidRecord);
    // Kafka lets these pass; the producer's state decides about an epoch.
    let allowed: [fn(&mut BatchHeader); 4] = [
        |header| (header.producer_id, header.base_sequence) = (5, 0),
        |header| (header.producer_epoch, header.base_sequence) = (3, 5),
        |header| (header.producer_id, header.base_sequence) = (-5, -2),
        |header| header.partition_leader_epoch = 77,
    ];
    for change in allowed {
        let bytes = changed(&plain(), change);
        assert_eq!(check(&bytes).unwrap().bytes, bytes);
    }
}

#[test]
fn a_count_that_the_records_do_not_have_is_invalid() {
    for codec in Codec::ALL {
        for count in [1, 3, i32::MAX] {
            let sent = builder().build_compressed(0, codec, None).unwrap().bytes;
            let bytes = changed(&sent, |header| {
                (header.records_count, header.last_offset_delta) = (count, count - 1);
            });
            assert_eq!(
                error(&bytes, &ProduceRules::default()),
                ErrorCode::InvalidRecord,
                "{codec:?} {count}"
            );
        }
    }
}

#[test]
fn a_record_that_does_not_follow_the_format_is_invalid() {
    let sound = [14, 0, 0, 0, 2, b'k', 0, 0];
    assert!(check(&of_payload(Codec::None, &sound)).is_ok());
    let broken: [&[u8]; 12] = [
        &[],
        &[0],
        &[1, 0, 0, 0, 2, b'k', 0, 0],
        &[14, 0, 0, 0, 2, b'k', 0],
        &[12, 0, 0, 0, 2, b'k', 0, 0],
        &[16, 0, 0, 0, 2, b'k', 0, 0, 7],
        &[14, 0, 0, 0, 200, b'k', 0, 0],
        &[14, 0, 0, 0, 2, b'k', 0, 1],
        &[14, 0, 0, 0, 2, b'k', 0, 4],
        &[18, 0, 0, 0, 2, b'k', 0, 2, 1, 0],
        &[0xff; 20],
        &[28, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0],
    ];
    for payload in broken {
        for codec in Codec::ALL {
            let bytes = of_payload(codec, payload);
            assert_eq!(
                error(&bytes, &ProduceRules::default()),
                ErrorCode::InvalidRecord,
                "{codec:?} {payload:?}"
            );
        }
    }
}

#[test]
fn what_cannot_be_decompressed_gets_the_error_that_kafka_gives() {
    for attributes in 1..8 {
        let bytes = changed(&plain(), |header| header.attributes = attributes);
        assert_eq!(error(&bytes, &ProduceRules::default()), ErrorCode::UnknownServerError, "{attributes}");
    }
}

#[test]
fn a_batch_that_opens_to_more_than_the_limit_is_too_large() {
    // One record of 2^29 bytes with a key of 2^28, and of that only zeros follow.
    let start = [0x80, 0x80, 0x80, 0x80, 0x04, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x02];
    let zeros = std::io::repeat(0).take(BATCH_DECOMPRESSED_BYTES_MAX as u64);
    let payload = zstd::stream::encode_all(start.chain(zeros), 1).unwrap();
    let bomb = of_compressed(Codec::Zstd, &payload);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    assert_eq!(error(&bomb, &ProduceRules::default()), ErrorCode::MessageTooLarge);
}

#[test]
fn who_has_little_time_is_told_that_a_batch_opens_to_more_and_others_open_it() {
    let mut builder = BatchBuilder::new(NOW);
    builder.push(None, Some(&vec![0; 100_000]), NOW);
    for codec in CODECS {
        let small = builder.build_compressed(0, codec, None).unwrap().bytes;
        let rules = ProduceRules::default();
        let refusal = validate_within(small.clone(), &rules, NOW, 50_000).unwrap_err();
        assert!(refusal.opens_to_too_much, "{codec:?}");
        assert!(validate_within(small, &rules, NOW, 200_000).is_ok(), "{codec:?}");
    }
    assert!(!validate(Bytes::new(), &ProduceRules::default(), NOW).unwrap_err().opens_to_too_much);
}

#[test]
fn a_compacted_topic_names_every_record_without_a_key() {
    let compacted = ProduceRules { compacted: true, trust_compressed: true, ..ProduceRules::default() };
    let mut builder = BatchBuilder::new(NOW);
    builder.push(Some(b""), None, NOW).push(None, Some(b"v"), NOW).push(Some(b"k"), None, NOW);
    builder.push(None, None, NOW);
    for codec in Codec::ALL {
        let bytes = builder.build_compressed(0, codec, None).unwrap().bytes;
        assert!(check(&bytes).is_ok());
        let refusal = validate(bytes, &compacted, NOW).unwrap_err();
        assert_eq!(refusal.error, ErrorCode::InvalidRecord);
        assert!(refusal.message.unwrap().contains('2'));
        let indexes: Vec<i32> = refusal.record_errors.iter().map(|error| error.0).collect();
        assert_eq!(indexes, [1, 3], "{codec:?}");
        assert!(refusal.record_errors.iter().all(|error| error.1.is_some()));
    }
}

#[test]
fn the_number_of_blamed_records_is_bounded() {
    let compacted = ProduceRules { compacted: true, ..ProduceRules::default() };
    let mut builder = BatchBuilder::new(NOW);
    for _ in 0..=RECORD_ERRORS_MAX {
        builder.push(None, None, NOW);
    }
    let refusal = validate(builder.build(0).bytes, &compacted, NOW).unwrap_err();
    assert_eq!(refusal.record_errors.len(), RECORD_ERRORS_MAX);
    assert!(refusal.message.unwrap().contains(&(RECORD_ERRORS_MAX + 1).to_string()));
}

#[test]
fn timestamps_out_of_bounds_are_refused_record_by_record() {
    let rules = ProduceRules {
        timestamp_before_max_ms: 1000,
        timestamp_after_max_ms: 50,
        compacted: true,
        ..ProduceRules::default()
    };
    let mut builder = BatchBuilder::new(NOW);
    for (key, timestamp) in [
        (Some(&b"k"[..]), NOW - 1000),
        (Some(b"k"), NOW - 1001),
        (Some(b"k"), NOW + 50),
        (Some(b"k"), NOW + 51),
        (None, NOW),
        (Some(b"k"), -1),
        (Some(b"k"), i64::MIN),
        (Some(b"k"), i64::MAX),
    ] {
        builder.push(key, None, timestamp);
    }
    for codec in Codec::ALL {
        let bytes = builder.build_compressed(0, codec, None).unwrap().bytes;
        let refusal = validate(bytes, &rules, NOW).unwrap_err();
        assert_eq!(refusal.error, ErrorCode::InvalidTimestamp);
        let indexes: Vec<i32> = refusal.record_errors.iter().map(|error| error.0).collect();
        assert_eq!(indexes, [1, 3, 4, 6, 7], "{codec:?}");
    }
}

#[test]
fn with_the_default_bounds_only_the_future_and_the_ends_of_time_are_refused() {
    for (timestamp, expected) in [
        (NOW + 3_600_000, true),
        (NOW + 3_600_001, false),
        (0, true),
        (-2, true),
        (i64::MIN, false),
        (i64::MAX, false),
    ] {
        let mut builder = BatchBuilder::new(timestamp);
        builder.push(None, None, timestamp);
        let stored = check(&builder.build(0).bytes);
        assert_eq!(stored.is_ok(), expected, "{timestamp}");
    }
}

#[test]
fn a_wrong_greatest_timestamp_is_corrected_whatever_the_codec() {
    for codec in Codec::ALL {
        let sent = builder().build_compressed(0, codec, None).unwrap().bytes;
        for wrong in [-1, 5, NOW + 100_000_000] {
            let bytes = changed(&sent, |header| header.max_timestamp = wrong);
            let stored = check(&bytes).unwrap();
            assert!(stored.crc_is_valid());
            assert_eq!(stored.bytes, sent, "{codec:?} {wrong}");
        }
    }
}

#[test]
fn attribute_bits_without_a_meaning_stay_unless_the_header_is_written_anew() {
    let odd = changed(&plain(), |header| header.attributes = 0x40c0);
    assert_eq!(check(&odd).unwrap().bytes, odd);
    let wrong = changed(&odd, |header| header.max_timestamp = 5);
    assert_eq!(check(&wrong).unwrap().header.attributes, 0x40);
}

#[test]
fn the_log_append_time_bit_of_a_client_is_cleared_where_its_timestamp_is_in_bounds() {
    // Kafka 4.3 refuses the bit only where it does not check the timestamp.
    let sent = changed(&plain(), |header| (header.attributes, header.max_timestamp) = (8, NOW - 100));
    let stored = check(&sent).unwrap();
    assert!(stored.crc_is_valid());
    assert_eq!((stored.header.attributes, stored.header.max_timestamp), (0, NOW - 100));
    for (timestamp, log_append_time) in [(NOW + 5_000_000, false), (-1, false), (NOW, true)] {
        let sent = changed(&plain(), |header| (header.attributes, header.max_timestamp) = (8, timestamp));
        let rules = ProduceRules { log_append_time, ..ProduceRules::default() };
        let refusal = validate(sent, &rules, NOW).unwrap_err();
        assert_eq!(refusal.error, ErrorCode::InvalidTimestamp, "{timestamp} {log_append_time}");
        assert_eq!(refusal.record_errors.len(), 2);
    }
}

#[test]
fn a_topic_with_log_append_time_stamps_the_batch_and_ignores_its_timestamps() {
    let rules = ProduceRules { log_append_time: true, timestamp_before_max_ms: 0, ..ProduceRules::default() };
    for codec in Codec::ALL {
        for trust_compressed in [false, true] {
            let rules = ProduceRules { trust_compressed, ..rules.clone() };
            let sent = builder().build_compressed(0, codec, None).unwrap();
            let stored = validate(sent.bytes.clone(), &rules, NOW + 9).unwrap();
            assert_eq!(records(&stored), records(&sent));
            assert!(stored.header.is_log_append_time());
            assert_eq!(stored.header.codec(), Ok(codec));
            assert_eq!(stored.header.max_timestamp, NOW + 9);
            assert_eq!(stored.header.base_timestamp, NOW);
            assert_eq!(stored.bytes[HEADER_BYTES..], sent.bytes[HEADER_BYTES..]);
        }
    }
}

#[test]
fn wrong_offset_deltas_of_compressed_records_are_rewritten_and_those_of_others_kept() {
    let plain = with_deltas(&[5, 9, 1], Codec::None);
    assert_eq!(check(&plain).unwrap().bytes, plain);
    for codec in CODECS {
        let stored = check(&with_deltas(&[5, 9, 1], codec)).unwrap();
        assert_eq!(stored.header.codec(), Ok(codec));
        let deltas: Vec<i32> = records(&stored).iter().map(|record| record.offset_delta).collect();
        assert_eq!(deltas, [0, 1, 2], "{codec:?}");
    }
}

#[test]
fn a_topic_with_its_own_codec_stores_every_batch_with_it() {
    for source in Codec::ALL {
        for target in Codec::ALL {
            let rules = ProduceRules {
                compression: Some(target),
                compression_level: Some(1),
                trust_compressed: true,
                ..ProduceRules::default()
            };
            let sent = builder().producer(5, 3, 7).build_compressed(0, source, None).unwrap();
            // Unknown bits go, and the greatest timestamp becomes the true one.
            let odd = changed(&sent.bytes, |header| header.attributes |= 0x4080);
            let stored = validate(odd, &rules, NOW).unwrap();
            assert_eq!(records(&stored), records(&sent));
            let expected = BatchHeader {
                attributes: if source == target { 0x4080 | target as i16 } else { target as i16 },
                batch_length: stored.header.batch_length,
                crc: stored.header.crc,
                ..sent.header
            };
            assert_eq!(stored.header, expected, "{source:?} {target:?}");
        }
    }
}

#[test]
fn a_rewritten_batch_keeps_its_transaction_and_takes_the_time_of_the_append() {
    let rules =
        ProduceRules { compression: Some(Codec::Lz4), log_append_time: true, ..ProduceRules::default() };
    let sent = builder().producer(5, 3, 7).transactional().build(0);
    let stored = validate(sent.bytes.clone(), &rules, NOW + 9).unwrap();
    assert!(stored.header.is_transactional() && stored.crc_is_valid());
    assert!(stored.header.is_log_append_time());
    assert_eq!(stored.header.max_timestamp, NOW + 9);
    // As with Kafka the records keep what their producer said, which no reader sees.
    assert_eq!(stored.header.base_timestamp, sent.header.base_timestamp);
    let deltas = |batch| records(batch).iter().map(|record| record.timestamp_delta).collect::<Vec<_>>();
    assert_eq!(deltas(&stored), deltas(&sent));
}

#[test]
fn the_timestamps_of_a_rewritten_batch_count_from_its_first_record() {
    let rules = ProduceRules { compression: Some(Codec::Gzip), ..ProduceRules::default() };
    let mut builder = BatchBuilder::new(NOW);
    builder.push(None, None, NOW - 1000).push(None, None, NOW - 2000);
    let stored = validate(builder.build(0).bytes, &rules, NOW).unwrap();
    assert_eq!((stored.header.base_timestamp, stored.header.max_timestamp), (NOW - 1000, NOW - 1000));
    assert_eq!(records(&stored)[1].timestamp_delta, -1000);
}

#[test]
fn a_batch_that_grows_over_the_limit_when_rewritten_is_too_large() {
    let mut builder = BatchBuilder::new(NOW);
    builder.push(None, Some(&[0; 1000]), NOW);
    let bytes = builder.build_compressed(0, Codec::Gzip, None).unwrap().bytes;
    let rules =
        ProduceRules { compression: Some(Codec::None), max_message_bytes: 500, ..ProduceRules::default() };
    assert_eq!(error(&bytes, &rules), ErrorCode::MessageTooLarge);
}

#[test]
fn trusted_batches_are_not_opened() {
    let trusting = ProduceRules { trust_compressed: true, ..ProduceRules::default() };
    let junk = changed(&plain(), |header| header.attributes = Codec::Zstd as i16);
    assert_eq!(validate(junk.clone(), &trusting, NOW).unwrap().bytes, junk);
    let late = changed(&junk, |header| header.max_timestamp = NOW + 3_600_001);
    assert_eq!(error(&late, &trusting), ErrorCode::InvalidTimestamp);
    assert_eq!(
        error(&junk, &ProduceRules { compacted: true, ..trusting.clone() }),
        ErrorCode::UnknownServerError
    );
    let uncompressed = ProduceRules { compression: Some(Codec::None), ..trusting };
    assert_eq!(error(&junk, &uncompressed), ErrorCode::UnknownServerError);
    // A batch that is opened to be rewritten is checked as well.
    let mut builder = BatchBuilder::new(NOW);
    builder.push(None, None, NOW + 3_600_001);
    let late = builder.build_compressed(0, Codec::Zstd, None).unwrap().bytes;
    let late = changed(&late, |header| header.max_timestamp = NOW);
    assert_eq!(error(&late, &uncompressed), ErrorCode::InvalidTimestamp);
}

fn rules() -> impl Strategy<Value = ProduceRules> {
    let codec = prop::option::of(prop::sample::select(Codec::ALL.to_vec()));
    (any::<bool>(), any::<bool>(), any::<bool>(), codec, 60..400_i32).prop_map(
        |(compacted, log_append_time, trust_compressed, compression, max_message_bytes)| ProduceRules {
            max_message_bytes,
            compacted,
            log_append_time,
            compression,
            trust_compressed,
            ..ProduceRules::default()
        },
    )
}

proptest! {
    #[test]
    fn whatever_is_accepted_is_sound(
        rules in rules(),
        codec in prop::sample::select(Codec::ALL.to_vec()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        damage_payload in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        repair in any::<bool>(),
    ) {
        let mut payload = builder().build(0).payload().to_vec();
        for (at, value) in damage_payload {
            let at = at.index(payload.len());
            payload[at] = value;
        }
        let bytes = of_payload(codec, &payload);
        let mut bytes = changed(&bytes, |h| (h.records_count, h.last_offset_delta) = (2, 1)).to_vec();
        for (at, value) in damage {
            // Behind the length and the format: those have their own tests.
            let at = 21 + at.index(bytes.len() - 21);
            bytes[at] = value;
        }
        let mut bytes = Bytes::from(bytes);
        if repair {
            bytes = changed(&bytes, |_| ());
        }
        if let Ok(stored) = validate(bytes, &rules, NOW) {
            prop_assert!(stored.crc_is_valid());
            prop_assert_eq!(&Batch::parse(stored.bytes.clone()).unwrap(), &stored);
            prop_assert!(stored.bytes.len() <= rules.max_message_bytes as usize);
            prop_assert_eq!(stored.header.is_log_append_time(), rules.log_append_time);
            if let Some(codec) = rules.compression {
                prop_assert_eq!(stored.header.codec(), Ok(codec));
            }
            if !rules.trust_compressed {
                let records: Vec<Record> = stored.records().unwrap().collect::<Result<_, _>>().unwrap();
                prop_assert!(records.iter().all(|record| !rules.compacted || record.key.is_some()));
                if !rules.log_append_time {
                    let timestamps = records.iter().map(|r| stored.header.record_timestamp(r.timestamp_delta));
                    prop_assert_eq!(timestamps.max().unwrap().max(-1), stored.header.max_timestamp);
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_accepted_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..200), rules in rules()) {
        let _ = validate(Bytes::from(bytes.clone()), &rules, NOW);
        if bytes.len() > 16 {
            bytes[16] = 2;
            let length = bytes.len() as i32 - 12;
            bytes.splice(8..12, length.to_be_bytes());
            bytes.splice(0..8, [0; 8]);
            let bytes = Bytes::from(bytes);
            let bytes = if bytes.len() < HEADER_BYTES { bytes } else { changed(&bytes, |_| ()) };
            let _ = validate(bytes, &rules, NOW);
        }
    }
}
