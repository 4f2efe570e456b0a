//! When records reach stable storage.

use milena::types::Offset;

use crate::live::Live;
use crate::support::requests::now_ms;

#[tokio::test]
async fn flush_messages_1_has_records_on_stable_storage_before_they_are_acknowledged() {
    let mut live = Live::start().await;
    live.append(10, now_ms()).await;
    assert_eq!(live.synced(), Offset(0));
    live.set(&[("flush.messages", "1")]).await;
    for n in 1..5 {
        live.append(10, now_ms()).await;
        assert_eq!(live.synced(), Offset(n + 1));
    }
}

#[tokio::test]
async fn flush_messages_counts_the_records_that_wait() {
    let mut live = Live::start().await;
    live.set(&[("flush.messages", "3")]).await;
    for _ in 0..2 {
        live.append(10, now_ms()).await;
    }
    assert_eq!(live.synced(), Offset(0));
    live.append(10, now_ms()).await;
    live.until("the sync", |live| live.synced() == Offset(3)).await;
}

#[tokio::test]
async fn flush_ms_has_records_on_stable_storage_after_that_time() {
    let mut live = Live::start().await;
    live.append(10, now_ms()).await;
    live.set(&[("flush.ms", "300")]).await;
    live.until("the sync of what waited already", |live| live.synced() == Offset(1)).await;
    let appended = live.mono_ms();
    live.append(10, now_ms()).await;
    live.until("the sync", |live| live.synced() == Offset(2)).await;
    let waited = live.mono_ms() - appended;
    assert!(waited >= 300, "{waited}");
    live.set(&[("flush.ms", "9223372036854775807")]).await;
    live.append(10, now_ms()).await;
    assert_eq!(live.synced(), Offset(2));
}

#[tokio::test]
async fn the_brokers_flush_interval_and_else_its_schedule_hold_for_topics_without_one() {
    for key in ["log.flush.interval.ms", "log.flush.scheduler.interval.ms"] {
        let mut live = Live::start_with(&[(key, "50")]).await;
        live.append(10, now_ms()).await;
        live.until(key, |live| live.synced() == Offset(1)).await;
    }
    let both = [("log.flush.interval.ms", "3600000"), ("log.flush.scheduler.interval.ms", "1")];
    let mut live = Live::start_with(&both).await;
    live.append(10, now_ms()).await;
    live.set(&[("flush.ms", "3600001")]).await;
    assert_eq!(live.synced(), Offset(0));
}
