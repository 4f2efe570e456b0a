//! Tests of appends that are on stable storage before they are acknowledged, by several logs at a time.

use super::*;

fn durable() -> LogConfig {
    LogConfig { flush_messages: 1, ..LogConfig::default() }
}

fn context(flusher_threads: usize) -> Arc<LogContext> {
    LogContext::new(ContextOptions { flusher_threads, ..ContextOptions::default() }).unwrap()
}

fn open(bench: &Bench, context: &Arc<LogContext>, partition: i32) -> Log {
    let mut spec = bench.spec.clone();
    spec.topic_partition = TopicPartition::new("t", partition);
    spec.dir = bench.dir().with_file_name(format!("t-{partition}"));
    Log::open(spec, context, now()).unwrap().0
}

fn wait_until(condition: impl Fn() -> bool) {
    let patience = std::time::Duration::from_secs(10);
    let step = std::time::Duration::from_millis(1);
    let tries = patience.as_millis() / step.as_millis();
    assert!(
        (0..tries).any(|_| condition() || {
            std::thread::sleep(step);
            false
        }),
        "it never came true"
    );
}

#[test]
fn a_log_that_is_synced_keeps_one_thread_however_often_it_is_asked() {
    let bench = Bench::new(durable());
    let context = context(2);
    let (mut slow, mut other) = (open(&bench, &context, 0), open(&bench, &context, 1));
    let (slow_reader, other_reader) = (slow.reader(), other.reader());
    let held = slow_reader.sync_running.lock().unwrap();
    for _ in 0..3 {
        fill(&mut slow, 1);
        // The first ask is being served when the next comes.
        wait_until(|| context.flusher.is_taken());
    }
    fill(&mut other, 1);
    wait_until(|| other_reader.synced() == Offset(2));
    assert_eq!(slow_reader.synced(), Offset(0));
    drop(held);
    context.wait_for_flusher();
    assert_eq!(slow_reader.synced(), Offset(6));
}

#[test]
fn every_append_is_synced_whatever_is_appended_meanwhile() {
    let bench = Bench::new(durable());
    let context = context(3);
    std::thread::scope(|scope| {
        for partition in 0..5 {
            let (bench, context) = (&bench, &context);
            scope.spawn(move || {
                let mut log = open(bench, context, partition);
                let reader = log.reader();
                for round in 1..=40 {
                    fill(&mut log, round % 4 + 1);
                    if round % 3 == 0 {
                        let end = log.end();
                        wait_until(|| reader.synced() >= end);
                    }
                }
                let end = log.end();
                wait_until(|| reader.synced() == end);
            });
        }
    });
}
