//! A record batch on its way: what a producer sends is validated and stored, what is stored is read; and each codec's
//! bytes. The first byte chooses what the rest is, the second one the topic's rules.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use milena::replica::validate::{ProduceRules, codec_before_7, validate};
use milena::wire::batch::{
    Batch, BatchBuilder, HEADER_BYTES, RecordHeads, RecordRefs, first_record_at_or_after,
};
use milena::wire::compress::{Codec, compress, decompress};
use milena_fuzz::{bounded, seal};

const LIMIT_BYTES: usize = 1 << 24;
const CODECS: [Codec; 4] = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
const NOW_MS: i64 = 1_800_000_000_000;

fuzz_target!(|data: &[u8]| {
    let Some((&[choice, rules], rest)) = data.split_first_chunk::<2>() else { return };
    bounded(|| match choice {
        0..=3 => codec(CODECS[usize::from(choice)], rules, rest),
        4..=7 => round_trip(CODECS[usize::from(choice - 4)], rest),
        // A header, and behind it what its records are once they are opened.
        8..=11 => with_batch(rest, |batch, payload| {
            if let Ok(payload) = compress(CODECS[usize::from(choice - 8)], payload, None) {
                batch.truncate(HEADER_BYTES);
                batch[22] = batch[22] & !7 | (choice - 7);
                batch.extend_from_slice(&payload);
                seal(batch);
                whole(batch, rules);
            }
        }),
        12 => records(rest),
        13..=127 => with_batch(rest, |batch, _| {
            seal(batch);
            whole(batch, rules);
        }),
        _ => whole(rest, rules),
    });
});

fn with_batch(bytes: &[u8], work: impl FnOnce(&mut Vec<u8>, &[u8])) {
    if let Some((_, payload)) = bytes.split_at_checked(HEADER_BYTES) {
        work(&mut bytes.to_vec(), payload);
    }
}

/// What is compressed, to whatever it opens, and the records in it in both of the ways that there are.
fn codec(codec: Codec, count: u8, bytes: &[u8]) {
    let count = i32::from(count) * 7;
    let opened = decompress(codec, bytes, LIMIT_BYTES);
    let streamed = RecordHeads::new(codec, bytes, count).map(|heads| heads.take_while(Result::is_ok).count());
    if let Ok(opened) = opened {
        assert!(opened.len() <= LIMIT_BYTES);
        let in_memory = RecordRefs::new(&opened, count).take_while(Result::is_ok).count();
        assert_eq!(streamed.ok(), Some(in_memory), "a batch has as many records in a stream as in memory");
    }
}

fn round_trip(codec: Codec, bytes: &[u8]) {
    let packed = compress(codec, bytes, None).expect("what is in memory can be compressed");
    assert_eq!(decompress(codec, &packed, bytes.len()).expect("and opened"), bytes);
    if let Some(too_few) = bytes.len().checked_sub(1) {
        decompress(codec, &packed, too_few).expect_err("the limit holds");
    }
}

/// Records that are read are written again as they were, but for the offsets.
fn records(opened: &[u8]) {
    let mut builder = BatchBuilder::new(0);
    let mut seen = Vec::new();
    for record in RecordRefs::new(opened, i32::MAX) {
        let Ok(record) = record else { break };
        let headers: Vec<_> = record.headers().collect();
        builder.push_with_headers(record.key, record.value, record.timestamp_delta, &headers);
        seen.push(record);
    }
    if builder.is_empty() {
        return;
    }
    let again = builder.build(0);
    assert!(again.crc_is_valid());
    let payload = again.payload();
    for (index, (record, before)) in
        RecordRefs::new(&payload, again.header.records_count).zip(&seen).enumerate()
    {
        let record = record.expect("what was written is read");
        assert_eq!(record.offset_delta, index as i32);
        assert_eq!((record.key, record.value), (before.key, before.value));
        assert!(record.headers().eq(before.headers()));
    }
}

fn whole(bytes: &[u8], rules: u8) {
    let bytes = Bytes::copy_from_slice(bytes);
    let _ = codec_before_7(&bytes);
    stored(&bytes);
    let rules = ProduceRules {
        max_message_bytes: if rules & 0x80 == 0 { 1 << 20 } else { 200 },
        compacted: rules & 1 != 0,
        log_append_time: rules & 2 != 0,
        timestamp_before_max_ms: if rules & 4 == 0 { i64::MAX } else { 3_600_000 },
        compression: match rules >> 3 & 7 {
            0..=2 => None,
            3 => Some(Codec::None),
            codec => Some(CODECS[usize::from(codec - 4)]),
        },
        trust_compressed: rules & 0x40 != 0,
        ..ProduceRules::default()
    };
    let Ok(valid) = validate(bytes, &rules, NOW_MS) else { return };
    assert!(valid.crc_is_valid(), "what is stored has a valid checksum");
    let again = Batch::parse(valid.bytes.clone()).expect("what is stored is a batch");
    assert_eq!(again.header, valid.header);
    if !rules.trust_compressed {
        let records = valid.records().expect("what is stored opens");
        let count = records.map(|record| record.expect("what is stored is read")).count();
        assert_eq!(count as i32, valid.header.records_count);
    }
    stored(&valid.bytes);
}

/// What reading and compaction do with a batch.
fn stored(bytes: &Bytes) {
    let Ok(batch) = Batch::parse(bytes.clone()) else { return };
    let _ = batch.crc_is_valid();
    let _ = first_record_at_or_after(&batch, batch.header.max_timestamp);
    if let Ok(records) = batch.records() {
        for record in records {
            let Ok(record) = record else { break };
            let _ = (record.key, record.value, record.headers);
        }
    }
    if let Ok(heads) = batch.record_heads() {
        let _ = heads.take_while(Result::is_ok).count();
    }
}
