//! What configurations do to the files of a log: when segments end, what goes, and when.

use kafka_protocol::messages::{ApiKey, ProduceResponse};

use crate::live::{Live, an_hour_ago, one_record};
use crate::support::requests::{PRODUCE, now_ms, produce};

/// Retention is looked at at each tick of the schedule.
const EAGER: &[(&str, &str)] = &[("log.retention.check.interval.ms", "1")];

const EARLIEST: i64 = -2;

#[tokio::test]
async fn segment_bytes_ends_segments() {
    let mut live = Live::start().await;
    for _ in 0..2 {
        live.append(700_000, now_ms()).await;
    }
    assert_eq!(live.segments(), [0]);
    live.set(&[("segment.bytes", "1048576")]).await;
    for _ in 0..2 {
        live.append(700_000, now_ms()).await;
    }
    assert_eq!(live.segments(), [0, 2, 3]);
}

#[tokio::test]
async fn internal_segment_bytes_stands_before_segment_bytes() {
    let mut live = Live::start().await;
    live.append(100, now_ms()).await;
    live.set(&[("internal.segment.bytes", "400"), ("segment.bytes", "1048576")]).await;
    for _ in 0..4 {
        live.append(100, now_ms()).await;
    }
    assert_eq!(live.segments(), [0, 2, 4]);
}

#[tokio::test]
async fn segment_ms_ends_segments_by_the_time_of_their_records() {
    let mut live = Live::start().await;
    let start = an_hour_ago();
    live.append(10, start).await;
    live.append(10, start + 1000).await;
    live.set(&[("segment.ms", "500")]).await;
    live.append(10, start + 1100).await;
    live.append(10, start + 1600).await;
    live.append(10, start + 1601).await;
    assert_eq!(live.segments(), [0, 2, 4], "more than 500 ms after the first record");
}

#[tokio::test]
async fn segment_jitter_ms_ends_segments_sooner() {
    let mut live = Live::start().await;
    let start = an_hour_ago();
    live.set(&[("segment.ms", "1000")]).await;
    for n in 0..100 {
        live.append(1, start + n * 100).await;
    }
    let without = live.segments().len();
    assert_eq!(without, 10, "11 records each");
    live.set(&[("segment.jitter.ms", "900")]).await;
    for n in 100..200 {
        live.append(1, start + n * 100).await;
    }
    assert!(live.segments().len() > 2 * without, "{:?}", live.segments());
}

#[tokio::test]
async fn segment_index_bytes_ends_segments_whose_index_is_full() {
    let mut live = Live::start().await;
    live.set(&[("index.interval.bytes", "0")]).await;
    let start = an_hour_ago();
    for n in 0..20 {
        live.append(10, start).await;
        assert_eq!(live.segments(), [0], "{n}");
    }
    // Ten places of 8 bytes; records of one time take one of the time index's six.
    live.set(&[("segment.index.bytes", "80")]).await;
    for _ in 0..23 {
        live.append(10, start).await;
    }
    // The first batch of a segment has no entry.
    assert_eq!(live.segments(), [0, 20, 31, 42]);
}

#[tokio::test]
async fn index_interval_bytes_says_how_dense_the_offset_index_is() {
    let mut live = Live::start().await;
    let start = an_hour_ago();
    for _ in 0..20 {
        live.append(300, start).await;
    }
    live.set(&[("segment.ms", "1000"), ("index.interval.bytes", "600")]).await;
    for _ in 0..20 {
        live.append(300, start + 2000).await;
    }
    live.append(300, start + 4000).await;
    assert_eq!(live.segments(), [0, 20, 40]);
    let entries = |base: i64| live.file_bytes(&format!("{base:020}.index")) / 8;
    assert_eq!(entries(0), 1, "20 batches of about 380 bytes, an entry after 4096 bytes");
    assert_eq!(entries(20), 9, "an entry after 600 bytes, which is with every second batch but the first");
}

#[tokio::test]
async fn retention_ms_and_file_delete_delay_ms_take_old_segments_away() {
    let mut live = Live::start_with(EAGER).await;
    for _ in 0..3 {
        live.append(100, an_hour_ago()).await;
    }
    assert_eq!(live.segments(), [0]);
    live.set(&[("retention.ms", "60000"), ("file.delete.delay.ms", "1500")]).await;
    let set = live.mono_ms();
    live.until("the renamed files", |live| live.files(".log.deleted").len() == 1).await;
    assert_eq!(live.segments(), [3]);
    assert_eq!(live.client.list_offset("t", 0, EARLIEST).await, (0, 3));
    live.until("their end", |live| live.files(".deleted").is_empty()).await;
    assert!(live.mono_ms() - set >= 1500);
    live.append(100, now_ms()).await;
    assert_eq!(live.client.list_offset("t", 0, EARLIEST).await, (0, 3));
}

#[tokio::test]
async fn retention_bytes_takes_the_oldest_segments_away_and_leaves_that_much() {
    let mut live = Live::start_with(EAGER).await;
    live.set(&[("internal.segment.bytes", "1000"), ("file.delete.delay.ms", "0")]).await;
    for _ in 0..10 {
        live.append(600, now_ms()).await;
    }
    assert_eq!(live.segments().len(), 10);
    let each = live.file_bytes("00000000000000000000.log");
    live.set(&[("retention.bytes", &(each * 3).to_string())]).await;
    live.until("three segments", |live| live.segments() == [7, 8, 9]).await;
    assert_eq!(live.client.list_offset("t", 0, EARLIEST).await, (0, 7));
}

#[tokio::test]
async fn only_a_cleanup_policy_with_delete_lets_retention_take_segments() {
    let mut live = Live::start_with(EAGER).await;
    live.set(&[("cleanup.policy", "compact"), ("retention.ms", "60000")]).await;
    live.append(100, an_hour_ago()).await;
    // A topic beside it loses its records, which tells that retention was enforced in the meantime.
    live.client.create("old", 1, &[("retention.ms", "60000")]).await;
    let request = produce("old", 0, one_record(10, an_hour_ago()), -1);
    let answer: ProduceResponse = live.client.ask(ApiKey::Produce, PRODUCE, &request).await;
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    live.until("the end of the old records", |live| {
        let old = live.broker.directory.path().join("old-0");
        old.join("00000000000000000001.log").exists()
    })
    .await;
    assert_eq!(live.segments(), [0]);
    live.set(&[("cleanup.policy", "compact,delete")]).await;
    live.until("a log start of 1", |live| live.segments() == [1]).await;
}

#[tokio::test]
async fn a_deleted_topics_directory_stays_for_file_delete_delay_ms() {
    let mut live = Live::start().await;
    live.append(100, now_ms()).await;
    live.set(&[("file.delete.delay.ms", "1500")]).await;
    let deleted = live.mono_ms();
    live.client.delete("t").await;
    assert!(!live.directory().exists());
    let waiting = |live: &Live| {
        let entries = std::fs::read_dir(live.broker.directory.path()).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().path().to_string_lossy().ends_with("-delete")).count()
    };
    assert_eq!(waiting(&live), 1);
    live.until("its end", |live| waiting(live) == 0).await;
    assert!(live.mono_ms() - deleted >= 1500);
}

#[tokio::test]
async fn preallocate_gives_the_next_segment_its_full_size_until_it_ends() {
    let mut live = Live::start().await;
    live.append(100, now_ms()).await;
    let first = live.file_bytes("00000000000000000000.log");
    live.set(&[("preallocate", "true"), ("segment.bytes", "1048576"), ("segment.ms", "500")]).await;
    live.append(100, now_ms() + 1000).await;
    assert_eq!(live.segments(), [0, 1]);
    assert_eq!(live.file_bytes("00000000000000000000.log"), first);
    assert_eq!(live.file_bytes("00000000000000000001.log"), 1_048_576);
    live.append(100, now_ms() + 2000).await;
    assert_eq!(live.file_bytes("00000000000000000001.log"), first, "cut at the roll");
    let Live { broker, .. } = live;
    let broker = broker.restart(&[]).await;
    let last = broker.directory.path().join("t-0/00000000000000000002.log");
    assert_eq!(std::fs::metadata(last).unwrap().len(), first, "cut at the stop");
    assert_eq!(broker.connect().await.list_offset("t", 0, -1).await, (0, 3));
}
