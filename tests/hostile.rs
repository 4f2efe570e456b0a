//! Requests that are allowed and were made to hurt: their cost grows with their size, not faster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::wire::batch::BatchBuilder;
use milena::wire::compress::Codec;
use support::TestBroker;
use support::requests::{FETCH, batch, fetch_of, from, name, now_ms, of_topic, produce};
use tokio::io::AsyncReadExt;

/// Names that no topic can have.
fn bad_names(count: usize) -> Vec<TopicName> {
    (0..count).map(|number| name(&format!("?{number}"))).collect()
}

#[tokio::test]
async fn many_names_cost_as_much_as_they_are_many() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    let asked = bad_names(60_000).into_iter();
    let asked = asked.map(|name| MetadataRequestTopic::default().with_name(Some(name)));
    let request =
        MetadataRequest::default().with_topics(Some(asked.collect())).with_allow_auto_topic_creation(true);
    let answer: MetadataResponse = client.ask(ApiKey::Metadata, 9, &request).await;
    assert!(answer.topics.len() == 60_000 && answer.topics.iter().all(|topic| topic.error_code != 0));

    let twice = [bad_names(60_000), bad_names(60_000)].concat();
    let request = DeleteTopicsRequest::default().with_timeout_ms(1000).with_topic_names(twice.clone());
    let answer: DeleteTopicsResponse = client.ask(ApiKey::DeleteTopics, 5, &request).await;
    assert!(answer.responses.len() == 60_000 && answer.responses.iter().all(|topic| topic.error_code == 42));

    let topics = twice[..100_000].iter().chain(&twice[60_000..100_000]);
    let topics = topics.map(|name| CreatableTopic::default().with_name(name.clone()).with_num_partitions(1));
    let request = CreateTopicsRequest::default().with_topics(topics.take(90_000).collect());
    let answer: CreateTopicsResponse = client.ask(ApiKey::CreateTopics, 5, &request).await;
    assert_eq!(answer.topics.len(), 60_000);

    let topics = twice[..100_000].iter();
    let topics = topics.map(|name| {
        CreatePartitionsTopic::default().with_name(name.clone()).with_count(1).with_assignments(None)
    });
    let request = CreatePartitionsRequest::default().with_timeout_ms(1000).with_topics(topics.collect());
    let answer: CreatePartitionsResponse = client.ask(ApiKey::CreatePartitions, 1, &request).await;
    assert_eq!(answer.results.len(), 60_000);

    let partition = || vec![OffsetCommitRequestPartition::default()];
    let names = bad_names(45_000).into_iter().chain(std::iter::repeat_n(name("t"), 45_000));
    let topics =
        names.map(|name| OffsetCommitRequestTopic::default().with_name(name).with_partitions(partition()));
    let request = OffsetCommitRequest::default()
        .with_group_id(StrBytes::from_static_str("g").into())
        .with_generation_id_or_member_epoch(-1)
        .with_topics(topics.collect());
    let answer: OffsetCommitResponse = client.ask(ApiKey::OffsetCommit, 8, &request).await;
    assert_eq!(answer.topics.len(), 45_001);
}

#[tokio::test]
async fn what_is_asked_for_again_and_again_is_answered_once() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 100, &[]).await;
    let asked = vec![MetadataRequestTopic::default().with_name(Some(name("t"))); 50_000];
    let request = MetadataRequest::default().with_topics(Some(asked));
    let answer: MetadataResponse = client.ask(ApiKey::Metadata, 9, &request).await;
    assert_eq!(answer.topics.len(), 1);
    let broker_1 = DescribeConfigsResource::default()
        .with_resource_type(4)
        .with_resource_name(StrBytes::from_static_str("1"))
        .with_configuration_keys(None);
    let request = DescribeConfigsRequest::default().with_resources(vec![broker_1; 50_000]);
    let answer: DescribeConfigsResponse = client.ask(ApiKey::DescribeConfigs, 4, &request).await;
    assert_eq!(answer.results.len(), 1);
}

#[tokio::test]
async fn committed_offsets_are_told_again_and_again_until_the_answer_is_full() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 100, &[]).await;
    let find = FindCoordinatorRequest::default().with_key(StrBytes::from_static_str("g"));
    client.ask::<_, FindCoordinatorResponse>(ApiKey::FindCoordinator, 1, &find).await;
    let partition = |index| OffsetCommitRequestPartition::default().with_partition_index(index);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(name("t"))
        .with_partitions((0..100).map(partition).collect());
    let request = OffsetCommitRequest::default()
        .with_group_id(StrBytes::from_static_str("g").into())
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    let answer: OffsetCommitResponse = client.ask(ApiKey::OffsetCommit, 8, &request).await;
    assert!(answer.topics[0].partitions.iter().all(|partition| partition.error_code == 0));
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(StrBytes::from_static_str("g").into())
        .with_topics(None);
    let request = OffsetFetchRequest::default().with_groups(vec![group; 30_000]);
    let answer: OffsetFetchResponse = client.ask(ApiKey::OffsetFetch, 8, &request).await;
    let codes: Vec<i16> = answer.groups.iter().map(|group| group.error_code).collect();
    let told = codes.iter().filter(|code| **code == 0).count();
    assert!((1_000..20_000).contains(&told), "{told}");
    assert!(codes.is_sorted() && codes.len() == 30_000 && codes[told] == 44);
}

#[tokio::test]
async fn very_many_configurations_that_do_not_exist_are_refused_in_few_words() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    for (value, version) in [(None, 2), (Some(StrBytes::from_static_str("x")), 7)] {
        let config = |number: i32| {
            CreatableTopicConfig::default()
                .with_name(StrBytes::from_string(format!("none.{number}")))
                .with_value(value.clone())
        };
        let topic = CreatableTopic::default()
            .with_name(name("t"))
            .with_num_partitions(1)
            .with_replication_factor(1)
            .with_configs((0..150_000).map(config).collect());
        let request = CreateTopicsRequest::default().with_topics(vec![topic]);
        let asked = client.ask::<_, CreateTopicsResponse>(ApiKey::CreateTopics, version, &request);
        let answer = tokio::time::timeout(Duration::from_secs(30), asked).await.expect("an answer in time");
        let message = answer.topics[0].error_message.as_deref().unwrap_or_default();
        assert!(answer.topics[0].error_code == 40 && (1..2_000).contains(&message.len()), "{message}");
    }
}

#[tokio::test]
async fn a_fetch_of_very_many_partitions_is_answered() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    let many: Vec<_> = (0..150_000).map(|partition| from(partition, 0)).collect();
    for session in [-1, 0] {
        let mut request = fetch_of(vec![of_topic("t", many.clone())], i32::MAX);
        request.session_epoch = session;
        let answer: FetchResponse = client.ask(ApiKey::Fetch, FETCH, &request).await;
        assert_eq!(answer.responses[0].partitions.len(), 150_000);
    }
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_no_half_of_its_request_behind() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 40, &[]).await;
    let mut request = produce("t", 0, batch(&["x".repeat(100_000).as_str()]), -1);
    let partition = request.topic_data[0].partition_data[0].clone();
    request.topic_data[0].partition_data = (0..40).map(|index| partition.clone().with_index(index)).collect();
    // The answers to these fail to be written while the batches behind them are appended.
    let mut frames = Vec::new();
    for partition in 0..3 {
        let waiting = fetch_of(vec![of_topic("t", vec![from(partition, 0)])], 60_000);
        frames.extend_from_slice(&client.frame(ApiKey::Fetch, FETCH, &waiting).0);
    }
    frames.extend_from_slice(&client.frame(ApiKey::Produce, 9, &request).0);
    client.send(&frames).await;
    drop(client);
    let mut other = broker.connect().await;
    let last = async {
        while other.list_offset("t", 39, -1).await != (0, 1) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), last).await.expect("the last partition's batch");
}

#[tokio::test]
async fn a_small_request_of_batches_that_open_to_much_keeps_nobody_waiting() {
    let broker = TestBroker::start().await;
    let mut good = broker.connect().await;
    good.create("t", 40, &[]).await;
    let mut builder = BatchBuilder::new(now_ms());
    builder.push(None, Some(&vec![0; 100 << 20]), now_ms());
    let bomb = builder.build_compressed(0, Codec::Zstd, None).unwrap().bytes;
    let mut request = produce("t", 0, bomb, -1);
    let partition = request.topic_data[0].partition_data[0].clone();
    request.topic_data[0].partition_data = (0..40).map(|index| partition.clone().with_index(index)).collect();
    let mut client = broker.connect().await;
    let (frame, _) = client.frame(ApiKey::Produce, 9, &request);
    assert!(frame.len() < 500_000, "{}", frame.len());
    client.send(&frame).await;
    // A round to be sure that it is there, and one of which the time counts.
    good.send_values("t", 0, &["small"]).await;
    good.send_values("t", 0, &["small"]).await;
    let answered = tokio::time::timeout(Duration::ZERO, client.stream.readable()).await;
    assert!(answered.is_err(), "the bombs came first");
    client.read_frame().await.unwrap();
    assert_eq!(good.list_offset("t", 39, -1).await, (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_large_request_that_stops_arriving_gives_its_memory_back_by_losing_its_connection() {
    let broker = TestBroker::start().await;
    let mut stalled = broker.connect().await;
    stalled.send(&50_000_000_i32.to_be_bytes()).await;
    // The header of Produce 9, without a client id.
    stalled.send(&[0, 0, 0, 9, 0, 0, 0, 1, 255, 255, 0]).await;
    stalled.send(&vec![0; 200_000]).await;
    let mut quiet = broker.connect().await;
    let begin = tokio::time::Instant::now();
    // The clock is virtual: it jumps to the next deadline when nothing else is to be done.
    let read = stalled.stream.read_u8();
    assert!(tokio::time::timeout(Duration::from_mins(2), read).await.unwrap().is_err());
    assert!(begin.elapsed() >= Duration::from_secs(28));
    // A connection that holds nothing may be quiet for longer.
    let read = quiet.stream.read_u8();
    assert!(tokio::time::timeout(Duration::from_mins(1), read).await.is_err());
}
