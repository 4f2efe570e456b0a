//! `compression.type`: in which codec batches are stored.

use milena::wire::batch::{Batch, BatchBuilder};
use milena::wire::compress::Codec;

use crate::live::{Live, an_hour_ago};
use crate::support::requests::now_ms;

const CODECS: [(&str, Codec); 5] = [
    ("uncompressed", Codec::None),
    ("gzip", Codec::Gzip),
    ("snappy", Codec::Snappy),
    ("lz4", Codec::Lz4),
    ("zstd", Codec::Zstd),
];

/// Ten records whose timestamps rise by a second, with headers, that compress well but not to nothing.
fn ten(codec: Codec, from_ms: i64) -> Batch {
    let mut builder = BatchBuilder::new(from_ms);
    for n in 0..10_i64 {
        let value: Vec<u8> = (0..400_i64).map(|i| (i * i * (n + 3) / 7 % 50) as u8).collect();
        let headers: &[(&[u8], Option<&[u8]>)] = &[(b"h", Some(b"v")), (b"none", None)];
        builder.push_with_headers(Some(&[n as u8]), Some(&value), from_ms + n * 1000, headers);
    }
    builder.build_compressed(0, codec, None).unwrap()
}

/// Key, value, headers, offset and timestamp of each record, as a reader computes them.
fn contents(batch: &Batch) -> Vec<(i64, i64, String)> {
    let header = &batch.header;
    let records = batch.records().unwrap().map(Result::unwrap);
    records
        .map(|record| {
            let offset = header.base_offset + i64::from(record.offset_delta);
            let timestamp = if header.is_log_append_time() {
                header.max_timestamp
            } else {
                header.record_timestamp(record.timestamp_delta)
            };
            (offset, timestamp, format!("{:?} {:?} {:?}", record.key, record.value, record.headers))
        })
        .collect()
}

#[tokio::test]
async fn each_codec_becomes_each_other_and_nothing_else_of_the_batch_changes() {
    let mut live = Live::start().await;
    let start = an_hour_ago();
    let mut expected = Vec::new();
    for (name, target) in
        CODECS.into_iter().map(|(name, codec)| (name, Some(codec))).chain([("producer", None)])
    {
        live.set(&[("compression.type", name)]).await;
        for (_, source) in CODECS {
            let sent = ten(source, start);
            let answer = live.produce(sent.bytes.clone()).await;
            let base = expected.len() as i64 * 10;
            assert_eq!((answer.error_code, answer.base_offset), (0, base), "{source:?} to {name}");
            expected.push((target.unwrap_or(source), sent));
        }
    }
    let stored = live.stored();
    assert_eq!(stored.len(), expected.len());
    for (at, (stored, (codec, sent))) in stored.iter().zip(&expected).enumerate() {
        let base = at as i64 * 10;
        let header = &stored.header;
        assert_eq!(header.codec().unwrap(), *codec, "batch {at}");
        assert_eq!((header.base_offset, header.last_offset(), header.records_count), (base, base + 9, 10));
        assert_eq!(header.max_timestamp, start + 9000);
        let moved: Vec<_> =
            contents(sent).into_iter().map(|(offset, time, rest)| (offset + base, time, rest)).collect();
        assert_eq!(contents(stored), moved, "batch {at}");
    }
}

#[tokio::test]
async fn with_log_append_time_a_recompressed_batch_carries_the_brokers_time() {
    let mut live = Live::start().await;
    for (name, codec) in CODECS {
        live.set(&[("compression.type", name), ("message.timestamp.type", "LogAppendTime")]).await;
        for (_, source) in CODECS {
            let before = now_ms();
            let answer = live.produce(ten(source, an_hour_ago()).bytes).await;
            assert_eq!(answer.error_code, 0, "{source:?} to {name}");
            assert!((before..=now_ms()).contains(&answer.log_append_time_ms));
            let stored = live.stored().pop().unwrap();
            assert_eq!((stored.header.codec().unwrap(), stored.header.is_log_append_time()), (codec, true));
            assert_eq!(stored.header.max_timestamp, answer.log_append_time_ms);
            let base = answer.base_offset;
            let offsets: Vec<_> = contents(&stored).iter().map(|(offset, ..)| *offset).collect();
            assert_eq!(offsets, (base..base + 10).collect::<Vec<_>>());
        }
    }
}

/// The size in which the last batch was stored.
async fn size_at(live: &mut Live, name: &str, level: &str) -> usize {
    let key = format!("compression.{name}.level");
    live.set(&[("compression.type", name), (&key, level)]).await;
    assert_eq!(live.produce(ten(Codec::None, an_hour_ago()).bytes).await.error_code, 0);
    live.stored().pop().unwrap().bytes.len()
}

#[tokio::test]
async fn a_level_changes_how_hard_a_codec_tries() {
    let mut live = Live::start().await;
    // Level 9 of LZ4 is Java's name for the fast compressor.
    for (name, low, high) in [("gzip", "1", "9"), ("lz4", "9", "12"), ("zstd", "-50", "19")] {
        let (fast, small) = (size_at(&mut live, name, low).await, size_at(&mut live, name, high).await);
        assert!(small < fast, "{name}: {small} bytes at level {high}, {fast} at level {low}");
    }
}

#[tokio::test]
async fn the_brokers_compression_type_and_level_hold_for_topics_without_their_own() {
    let settings = [("compression.type", "zstd"), ("compression.zstd.level", "19")];
    let mut live = Live::start_with(&settings).await;
    assert_eq!(live.produce(ten(Codec::Gzip, an_hour_ago()).bytes).await.error_code, 0);
    let stored = live.stored().pop().unwrap();
    assert_eq!(stored.header.codec().unwrap(), Codec::Zstd);
    assert_eq!(stored.bytes.len(), size_at(&mut live, "zstd", "19").await);
    assert!(stored.bytes.len() < size_at(&mut live, "zstd", "1").await);
}
