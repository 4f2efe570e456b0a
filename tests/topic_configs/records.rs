//! What configurations demand of records, and what they do to them.

use milena::wire::batch::BatchBuilder;

use crate::live::{Live, an_hour_ago, one_record};
use crate::support::requests::now_ms;

const MESSAGE_TOO_LARGE: i16 = 10;
const INVALID_TIMESTAMP: i16 = 32;

#[tokio::test]
async fn max_message_bytes_bounds_a_batch() {
    let mut live = Live::start().await;
    let batch = one_record(200, now_ms());
    assert_eq!(live.produce(batch.clone()).await.error_code, 0);
    let size = batch.len();
    live.set(&[("max.message.bytes", &(size - 1).to_string())]).await;
    assert_eq!(live.produce(batch.clone()).await.error_code, MESSAGE_TOO_LARGE);
    live.set(&[("max.message.bytes", &size.to_string())]).await;
    assert_eq!(live.produce(batch).await.error_code, 0);
}

#[tokio::test]
async fn message_timestamp_type_stamps_batches_with_the_time_of_their_append() {
    let mut live = Live::start().await;
    let old = an_hour_ago();
    assert_eq!(live.produce(one_record(10, old)).await.log_append_time_ms, -1);
    live.set(&[("message.timestamp.type", "LogAppendTime")]).await;
    let before = now_ms();
    let stamped = live.produce(one_record(10, old)).await.log_append_time_ms;
    assert!((before..=now_ms()).contains(&stamped), "{stamped}");
    live.set(&[("message.timestamp.type", "CreateTime")]).await;
    assert_eq!(live.produce(one_record(10, old)).await.log_append_time_ms, -1);
    let times: Vec<(bool, i64)> = live
        .stored()
        .iter()
        .map(|batch| (batch.header.is_log_append_time(), batch.header.max_timestamp))
        .collect();
    assert_eq!(times, [(false, old), (true, stamped), (false, old)]);
}

#[tokio::test]
async fn message_timestamp_before_max_ms_refuses_records_that_are_too_old() {
    let mut live = Live::start().await;
    let old = || one_record(10, an_hour_ago());
    assert_eq!(live.produce(old()).await.error_code, 0);
    live.set(&[("message.timestamp.before.max.ms", "3000000")]).await;
    let refused = live.produce(old()).await;
    assert_eq!(refused.error_code, INVALID_TIMESTAMP);
    assert_eq!(refused.record_errors[0].batch_index, 0);
    assert_eq!(live.produce(one_record(10, now_ms())).await.error_code, 0);
    live.set(&[("message.timestamp.type", "LogAppendTime")]).await;
    assert_eq!(live.produce(old()).await.error_code, 0, "the producer's time does not matter then");
}

#[tokio::test]
async fn message_timestamp_after_max_ms_refuses_records_of_the_future() {
    let mut live = Live::start().await;
    let future = || one_record(10, now_ms() + 1_800_000);
    assert_eq!(live.produce(future()).await.error_code, 0);
    live.set(&[("message.timestamp.after.max.ms", "600000")]).await;
    assert_eq!(live.produce(future()).await.error_code, INVALID_TIMESTAMP);
    live.set(&[("message.timestamp.after.max.ms", "86400000")]).await;
    assert_eq!(live.produce(one_record(10, now_ms() + 80_000_000)).await.error_code, 0);
}

#[tokio::test]
async fn a_cleanup_policy_with_compact_demands_keys() {
    let mut live = Live::start().await;
    let without_key = || BatchBuilder::new(now_ms()).push(None, Some(b"v"), now_ms()).build(0).bytes;
    assert_eq!(live.produce(without_key()).await.error_code, 0);
    live.set(&[("cleanup.policy", "compact")]).await;
    assert_eq!(live.produce(without_key()).await.error_code, 87);
    live.set(&[("cleanup.policy", "delete")]).await;
    assert_eq!(live.produce(without_key()).await.error_code, 0);
}

#[tokio::test]
async fn min_insync_replicas_counts_no_more_than_the_partitions_replicas() {
    let mut live = Live::start().await;
    live.set(&[("min.insync.replicas", "2")]).await;
    assert_eq!(live.produce(one_record(10, now_ms())).await.error_code, 0);
}
