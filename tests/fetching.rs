//! Fetch over the wire: sessions, limits, waiting, epochs, topics that go away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use kafka_protocol::messages::fetch_request::FetchTopic;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::*;
use support::requests::{FETCH, batch, fetch, fetch_of, forgotten, from, name, of_topic, values};
use support::{RawClient, TestBroker};

#[tokio::test]
async fn what_there_is_not_stands_behind_the_rest_and_other_brokers_are_refused() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    client.send_values("t", 0, &["a"]).await;
    let asked = vec![of_topic("no", vec![from(0, 0)]), of_topic("t", vec![from(7, 0), from(0, 0)])];
    let answer = ask(&mut client, &fetch_of(asked, 0)).await;
    assert_eq!(found(&answer), [of(0, &["a"]), (0, 3, vec![]), (7, 3, vec![])]);
    let mut request = fetch("t", 0, 0);
    request.replica_id = 9.into();
    assert_eq!(found(&ask(&mut client, &request).await), [(0, 6, vec![])]);
}

/// Long enough that an answer before it was not due to the time.
const LONG_MS: i32 = 60_000;

/// A poll of a session that names only changes.
fn poll(session: i32, epoch: i32, topics: Vec<FetchTopic>) -> FetchRequest {
    let mut request = fetch_of(topics, 0);
    request.session_id = session;
    request.session_epoch = epoch;
    request
}

async fn topic_id(client: &mut RawClient, topic: &str) -> uuid::Uuid {
    let asked = MetadataRequestTopic::default().with_name(Some(name(topic)));
    let request = MetadataRequest::default().with_topics(Some(vec![asked]));
    let described: MetadataResponse = client.ask(ApiKey::Metadata, 12, &request).await;
    described.topics[0].topic_id
}

async fn ask(client: &mut RawClient, request: &FetchRequest) -> FetchResponse {
    client.ask(ApiKey::Fetch, FETCH, request).await
}

/// Partitions of an answer with their errors and values.
fn found(answer: &FetchResponse) -> Vec<(i32, i16, Vec<String>)> {
    assert_eq!(answer.error_code, 0);
    let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|partition| (partition.partition_index, partition.error_code, values(partition))).collect()
}

fn of(partition: i32, values: &[&str]) -> (i32, i16, Vec<String>) {
    (partition, 0, values.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn a_session_answers_with_news_alone_until_it_is_closed() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 3, &[]).await;
    let all = vec![of_topic("t", vec![from(0, 0), from(1, 0), from(2, 0)])];
    let first = ask(&mut client, &poll(0, 0, all)).await;
    let id = first.session_id;
    assert!(id > 0);
    assert_eq!(found(&first), [of(0, &[]), of(1, &[]), of(2, &[])]);
    assert_eq!(found(&ask(&mut client, &poll(id, 1, vec![])).await), []);
    client.send_values("t", 1, &["a"]).await;
    // What was not taken in is sent again.
    for epoch in 2..4 {
        let answer = ask(&mut client, &poll(id, epoch, vec![])).await;
        assert_eq!((answer.session_id, found(&answer)), (id, vec![of(1, &["a"])]));
    }
    let moved = vec![of_topic("t", vec![from(1, 1)])];
    assert_eq!(found(&ask(&mut client, &poll(id, 4, moved)).await), []);
    client.send_values("t", 1, &["b"]).await;
    client.send_values("t", 2, &["c"]).await;
    // Forgotten wins over wanted, as in Kafka.
    let mut forgetting = poll(id, 5, vec![of_topic("t", vec![from(1, 1)])]);
    forgetting.forgotten_topics_data = vec![forgotten("t", vec![1])];
    assert_eq!(found(&ask(&mut client, &forgetting).await), [of(2, &["c"])]);
    client.send_values("t", 1, &["d"]).await;
    let moved = vec![of_topic("t", vec![from(2, 1)])];
    assert_eq!(found(&ask(&mut client, &poll(id, 6, moved)).await), []);
    let wrong_epoch = ask(&mut client, &poll(id, 9, vec![])).await;
    assert_eq!((wrong_epoch.error_code, wrong_epoch.session_id), (71, 0));
    assert_eq!(ask(&mut client, &poll(id, -1, vec![])).await.error_code, 0);
    assert_eq!(ask(&mut client, &poll(id, 7, vec![])).await.error_code, 70);
}

#[tokio::test]
async fn without_room_for_a_session_everything_is_answered_without_one() {
    let broker = TestBroker::start_with(&[("max.incremental.fetch.session.cache.slots", "1")]).await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    let start = || poll(0, 0, vec![of_topic("t", vec![from(0, 0)])]);
    let first = ask(&mut client, &start()).await.session_id;
    let second = ask(&mut client, &start()).await;
    assert_eq!((first > 0, second.session_id, found(&second).len()), (true, 0, 1));
    // Beginning anew gives the old one up.
    let mut again = start();
    again.session_id = first;
    assert!(ask(&mut client, &again).await.session_id > 0);
    assert_eq!(ask(&mut client, &poll(first, 1, vec![])).await.error_code, 70);
}

#[tokio::test]
async fn a_session_follows_a_topic_that_is_made_again_by_name_and_never_by_id() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    client.send_values("t", 0, &["old"]).await;
    let id = topic_id(&mut client, "t").await;
    let by_id = |id| FetchTopic::default().with_topic_id(id).with_partitions(vec![from(0, 0)]);
    let by_name = ask(&mut client, &poll(0, 0, vec![of_topic("t", vec![from(0, 0)])])).await;
    let start = poll(0, 0, vec![by_id(id)]);
    let of_id: FetchResponse = client.ask(ApiKey::Fetch, 13, &start).await;
    assert_eq!((found(&by_name), found(&of_id)), (vec![of(0, &["old"])], vec![of(0, &["old"])]));
    client.delete("t").await;
    client.create("t", 1, &[]).await;
    client.send_values("t", 0, &["new"]).await;
    let named = ask(&mut client, &poll(by_name.session_id, 1, vec![])).await;
    assert_eq!(found(&named), [of(0, &["new"])]);
    for epoch in 1..3 {
        let gone: FetchResponse = client.ask(ApiKey::Fetch, 13, &poll(of_id.session_id, epoch, vec![])).await;
        assert_eq!(found(&gone), [(0, 103, vec![])]);
    }
    client.delete("t").await;
    let gone: FetchResponse = client.ask(ApiKey::Fetch, 13, &poll(of_id.session_id, 3, vec![])).await;
    assert_eq!(found(&gone), [(0, 3, vec![])]);
    let unknown = fetch_of(vec![by_id(uuid::Uuid::new_v4())], LONG_MS);
    let answer: FetchResponse = client.ask(ApiKey::Fetch, 13, &unknown).await;
    assert_eq!(found(&answer), [(0, 100, vec![])]);
}

#[tokio::test]
async fn a_waiting_fetch_is_answered_when_its_topic_goes() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    let mut other = broker.connect().await;
    for session in [-1, 0] {
        client.create("t", 1, &[]).await;
        let mut waiting = fetch("t", 0, LONG_MS);
        waiting.session_epoch = session;
        let (frame, id) = client.frame(ApiKey::Fetch, FETCH, &waiting);
        client.send(&frame).await;
        other.delete("t").await;
        let answer: FetchResponse = client.answer(FETCH, id).await;
        assert_eq!(found(&answer), [(0, 3, vec![])]);
        client.create("t", 1, &[]).await;
        let id = topic_id(&mut client, "t").await;
        let of_id = FetchTopic::default().with_topic_id(id).with_partitions(vec![from(0, 0)]);
        let mut waiting = fetch_of(vec![of_id], LONG_MS);
        waiting.session_epoch = session;
        let (frame, id) = client.frame(ApiKey::Fetch, 13, &waiting);
        client.send(&frame).await;
        other.delete("t").await;
        let answer: FetchResponse = client.answer(13, id).await;
        assert_eq!(found(&answer), [(0, 3, vec![])]);
    }
}

#[tokio::test]
async fn a_fetch_waits_for_as_many_bytes_as_it_wants_and_no_longer() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    let mut other = broker.connect().await;
    client.create("t", 1, &[]).await;
    for session in [-1, 0] {
        let end = client.list_offset("t", 0, -1).await.1;
        let mut waiting = fetch("t", end, LONG_MS);
        (waiting.session_epoch, waiting.min_bytes) = (session, batch(&["a"]).len() as i32 + 1);
        let (frame, id) = client.frame(ApiKey::Fetch, FETCH, &waiting);
        client.send(&frame).await;
        other.send_values("t", 0, &["a"]).await;
        let early = tokio::time::timeout(Duration::from_millis(200), client.stream.peek(&mut [0])).await;
        assert!(early.is_err(), "too few bytes were answered");
        other.send_values("t", 0, &["b"]).await;
        let answer: FetchResponse = client.answer(FETCH, id).await;
        assert_eq!(found(&answer), [of(0, &["a", "b"])]);
    }
}

#[tokio::test]
async fn limits_hold_but_for_the_first_batch_and_end_every_wait() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 2, &[]).await;
    for values in [["a"], ["b"], ["c"]] {
        client.send_values("t", 0, &values).await;
        client.send_values("t", 1, &values).await;
    }
    let size = batch(&["a"]).len() as i32;
    let both = |bytes: i32| {
        let part = |index| from(index, 0).with_partition_max_bytes(bytes);
        fetch_of(vec![of_topic("t", vec![part(0), part(1)])], LONG_MS)
    };
    // What cannot be had is not waited for.
    let one = ask(&mut client, &both(1).with_max_bytes(1).with_min_bytes(i32::MAX)).await;
    assert_eq!(found(&one), [of(0, &["a"]), of(1, &[])]);
    let two = ask(&mut client, &both(2 * size + 1).with_min_bytes(1 << 20)).await;
    assert_eq!(found(&two), [of(0, &["a", "b"]), of(1, &["a", "b"])]);
    let three = ask(&mut client, &both(1 << 20).with_max_bytes(4 * size + 1).with_min_bytes(1 << 20)).await;
    assert_eq!(found(&three), [of(0, &["a", "b", "c"]), of(1, &["a"])]);
    for negative in [0, -1, i32::MIN] {
        let request =
            both(negative).with_max_bytes(negative).with_min_bytes(negative).with_max_wait_ms(negative);
        assert_eq!(found(&ask(&mut client, &request).await), [of(0, &["a"]), of(1, &[])]);
    }
    // A partition that is named again is asked for once, as it was named last.
    let twice = fetch_of(vec![of_topic("t", vec![from(0, 0), from(0, 2)])], LONG_MS);
    assert_eq!(found(&ask(&mut client, &twice).await), [of(0, &["c"])]);
}

#[tokio::test]
async fn a_wrong_leader_epoch_is_told_by_every_api_that_takes_one() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    client.send_values("t", 0, &["a"]).await;
    // Another start after an unclean stop would raise it; here the partition is told directly.
    let partition = milena::types::TopicPartition::new("t", 0);
    let partition = broker.server.broker().partitions.get(&partition).unwrap();
    partition.set_leader_epoch(milena::types::LeaderEpoch(3));
    for (epoch, code) in [(-1, 0), (2, 74), (3, 0), (4, 75)] {
        let asked = vec![of_topic("t", vec![from(0, 0).with_current_leader_epoch(epoch)])];
        let answer = ask(&mut client, &fetch_of(asked, LONG_MS)).await;
        assert_eq!(answer.responses[0].partitions[0].error_code, code, "Fetch {epoch}");
        let asked = ListOffsetsPartition::default().with_current_leader_epoch(epoch).with_timestamp(-1);
        let topic = ListOffsetsTopic::default().with_name(name("t")).with_partitions(vec![asked]);
        let request = ListOffsetsRequest::default().with_topics(vec![topic]);
        let answer: ListOffsetsResponse = client.ask(ApiKey::ListOffsets, 7, &request).await;
        assert_eq!(answer.topics[0].partitions[0].error_code, code, "ListOffsets {epoch}");
        let asked = OffsetForLeaderPartition::default().with_current_leader_epoch(epoch).with_leader_epoch(0);
        let topic = OffsetForLeaderTopic::default().with_topic(name("t")).with_partitions(vec![asked]);
        let request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
        let answer: OffsetForLeaderEpochResponse =
            client.ask(ApiKey::OffsetForLeaderEpoch, 4, &request).await;
        let end = &answer.topics[0].partitions[0];
        let expected = if code == 0 { (0, 0, 1) } else { (code, -1, -1) };
        assert_eq!((end.error_code, end.leader_epoch, end.end_offset), expected, "epoch {epoch}");
    }
}

#[tokio::test]
async fn with_flush_messages_1_what_is_synced_is_acknowledged_and_wakes_readers() {
    let mut broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    let mut reader = broker.connect().await;
    client.create("t", 1, &[("flush.messages", "1")]).await;
    for round in 0..30 {
        let mut waiting = fetch("t", round, LONG_MS);
        waiting.min_bytes = batch(&["a"]).len() as i32;
        let (frame, id) = reader.frame(ApiKey::Fetch, FETCH, &waiting);
        reader.send(&frame).await;
        assert_eq!(client.send_values("t", 0, &["a"]).await, round);
        let answer: FetchResponse = reader.answer(FETCH, id).await;
        assert_eq!(found(&answer), [of(0, &["a"])]);
        assert_eq!(answer.responses[0].partitions[0].high_watermark, round + 1);
    }
    broker = broker.restart(&[]).await;
    assert_eq!(broker.connect().await.list_offset("t", 0, -1).await, (0, 30));
}
