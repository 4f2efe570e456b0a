//! Bytes that lie, against the real binary: each is answered with an error, as Kafka does, or closes its connection; a good
//! client is served on, and the process takes no memory for what was only announced.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::produce_request::PartitionProduceData;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::api::TABLE;
use milena::wire::batch::{Batch, HEADER_BYTES, LOG_OVERHEAD};
use support::process::Process;
use support::requests::{PRODUCE, batch, name, now_ms, produce};
use support::{RawClient, framed};
use tokio::io::AsyncWriteExt;

/// More than a batch may come to once it is opened.
const BOMB_MIB: usize = 257;
/// What the process may take beside what it had before, wherever nothing but lies came in.
const SPARE_KIB: u64 = 200_000;

fn address(broker: &Process) -> SocketAddr {
    broker.bootstrap().parse().unwrap()
}

async fn connect(broker: &Process) -> RawClient {
    RawClient::connect(address(broker)).await
}

/// A client that means well is served.
async fn assert_serves(broker: &Process) {
    let mut good = connect(broker).await;
    let before = good.list_offset("good", 0, -1).await.1;
    assert_eq!(good.send_values("good", 0, &["x"]).await, before);
}

async fn started(settings: &[(&str, &str)]) -> Process {
    let broker = Process::start(settings);
    connect(&broker).await.create("good", 1, &[]).await;
    assert_serves(&broker).await;
    broker
}

/// Runs `work` and tells how far the process's memory peaked above what it had, in KiB.
async fn grown<T>(broker: &Process, work: impl Future<Output = T>) -> (T, u64) {
    let before = broker.peak_memory_kib();
    let result = work.await;
    (result, broker.peak_memory_kib().saturating_sub(before))
}

// Batches

/// A batch around a payload: the header of one record, with its length and checksum right.
fn batch_of(codec: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = batch(&["x"])[..HEADER_BYTES].to_vec();
    bytes[22] = codec;
    bytes.extend_from_slice(payload);
    sealed(bytes)
}

/// Puts bytes in the place of others.
fn put(target: &mut [u8], at: usize, bytes: &[u8]) {
    for (old, new) in target[at..].iter_mut().zip(bytes) {
        *old = *new;
    }
}

/// With length and checksum put right.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = (bytes.len() - LOG_OVERHEAD) as u32;
    put(&mut bytes, 8, &length.to_be_bytes());
    let crc = crc32c::crc32c(&bytes[21..]);
    put(&mut bytes, 17, &crc.to_be_bytes());
    bytes
}

/// A record's beginning that promises so many bytes of value, of which none is here.
fn record_head(value_bytes: usize) -> Vec<u8> {
    let varint = |number: usize| {
        let mut rest = number << 1;
        let mut bytes = Vec::new();
        while rest > 127 {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        bytes
    };
    let mut body = vec![0, 0, 0, 1];
    body.extend(varint(value_bytes));
    let mut head = varint(body.len() + value_bytes + 1);
    head.extend(body);
    head
}

/// Zeros behind a record's head, by pieces of 1 MiB.
fn write_zeros(mut out: impl Write) {
    out.write_all(&record_head(BOMB_MIB << 20)).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..BOMB_MIB {
        out.write_all(&zeros).unwrap();
    }
}

fn gzip_bomb() -> Vec<u8> {
    let mut deflate = Compress::new(Compression::best(), false);
    let mut piece = |bytes: &[u8]| {
        let mut out = Vec::with_capacity(1 << 16);
        deflate.compress_vec(bytes, &mut out, FlushCompress::Full).unwrap();
        out
    };
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    bomb.extend(piece(&record_head(BOMB_MIB << 20)));
    // Behind a full flush every piece stands for itself.
    bomb.extend(piece(&vec![0; 1 << 20]).repeat(BOMB_MIB));
    bomb
}

fn snappy_bomb() -> Vec<u8> {
    let mut bomb = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    let mut block = |bytes: &[u8]| {
        let packed = snap::raw::Encoder::new().compress_vec(bytes).unwrap();
        bomb.extend_from_slice(&(packed.len() as u32).to_be_bytes());
        bomb.extend_from_slice(&packed);
    };
    block(&record_head(BOMB_MIB << 20));
    let zeros = vec![0; 1 << 20];
    for _ in 0..BOMB_MIB {
        block(&zeros);
    }
    bomb
}

fn lz4_bomb() -> Vec<u8> {
    let options = lz4::EncoderBuilder::new().block_mode(lz4::BlockMode::Independent).level(1).clone();
    let mut encoder = options.build(Vec::new()).unwrap();
    write_zeros(&mut encoder);
    encoder.finish().0
}

fn zstd_bomb() -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    write_zeros(&mut encoder);
    encoder.finish().unwrap()
}

async fn refused(client: &mut RawClient, records: Vec<u8>) -> (i16, String) {
    let request = produce("good", 0, Bytes::from(records), -1);
    let answer: ProduceResponse = client.ask(ApiKey::Produce, PRODUCE, &request).await;
    let partition = &answer.responses[0].partition_responses[0];
    (partition.error_code, partition.error_message.as_deref().unwrap_or_default().to_owned())
}

/// Snappy packs no more than twenty to one, so its bomb is large.
const LARGE: [(&str, &str); 1] = [("message.max.bytes", "20000000")];

async fn a_bomb_is_refused(codec: u8, bomb: Vec<u8>) {
    let broker = started(&LARGE).await;
    let mut client = connect(&broker).await;
    let size_kib = bomb.len() as u64 / 1024;
    let ((error, _), grown_kib) = grown(&broker, refused(&mut client, batch_of(codec, &bomb))).await;
    assert_eq!(error, 10);
    assert!(grown_kib < 40_000 + 4 * size_kib, "{grown_kib} KiB for a bomb of {size_kib} KiB");
    assert_serves(&broker).await;
}

#[tokio::test]
async fn a_gzip_bomb_is_refused() {
    a_bomb_is_refused(1, gzip_bomb()).await;
}

#[tokio::test]
async fn a_snappy_bomb_is_refused() {
    a_bomb_is_refused(2, snappy_bomb()).await;
}

#[tokio::test]
async fn an_lz4_bomb_is_refused() {
    a_bomb_is_refused(3, lz4_bomb()).await;
}

#[tokio::test]
async fn a_zstd_bomb_is_refused() {
    a_bomb_is_refused(4, zstd_bomb()).await;
}

#[tokio::test]
async fn many_bombs_at_once_take_the_memory_of_few() {
    let broker = started(&LARGE).await;
    let bombs = [batch_of(4, &zstd_bomb()), batch_of(3, &lz4_bomb())];
    let sends = async {
        let mut answers = Vec::new();
        for number in 0..12 {
            let (mut client, bomb) = (connect(&broker).await, bombs[number % 2].clone());
            answers.push(tokio::spawn(async move { refused(&mut client, bomb).await.0 }));
        }
        for answer in answers {
            assert_eq!(answer.await.unwrap(), 10);
        }
    };
    let ((), grown_kib) = grown(&broker, sends).await;
    assert!(grown_kib < SPARE_KIB, "{grown_kib} KiB");
    assert_serves(&broker).await;
}

#[tokio::test]
async fn compressed_sizes_that_are_announced_and_not_there_take_no_memory() {
    let broker = started(&[]).await;
    let snappy_block = [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0; 40]].concat();
    let snappy_java = [&b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\x7f\xff\xff\xff"[..], &[0; 40]].concat();
    let lies: [(&str, u8, Vec<u8>); 9] = [
        ("a raw block of 200 MiB", 2, [&[0x80, 0x80, 0x80, 0x64][..], &[0; 40]].concat()),
        ("a raw block of 4 GiB", 2, snappy_block),
        ("a framed block of 2 GiB", 2, snappy_java),
        // Windows of 128 MiB and of 2 GiB, then a block of which nothing is there.
        ("a zstd window of 128 MiB", 4, vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x88, 5, 0, 2]),
        ("a zstd window of 2 GiB", 4, vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8, 5, 0, 2]),
        // One segment of 2^60 bytes, and of 256 MiB.
        ("a zstd segment", 4, vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x10, 5, 0, 2]),
        ("a smaller zstd segment", 4, vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x10, 5, 0, 2]),
        ("an lz4 block of 2 GiB", 3, vec![4, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73, 0xff, 0xff, 0xff, 0x7f]),
        ("a gzip header alone", 1, vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]),
    ];
    let sends = async {
        for (what, codec, payload) in &lies {
            for _ in 0..20 {
                let mut client = connect(&broker).await;
                let (error, _) = refused(&mut client, batch_of(*codec, payload)).await;
                assert!([-1, 2, 10, 87].contains(&error), "{what}: {error}");
            }
        }
    };
    let ((), grown_kib) = grown(&broker, sends).await;
    assert!(grown_kib < 60_000, "{grown_kib} KiB");
    assert_serves(&broker).await;
}

/// A batch of one record with bytes put in at a place of its header.
fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut lying = batch(&["a value"]).to_vec();
    put(&mut lying, at, bytes);
    sealed(lying)
}

#[tokio::test]
async fn a_batch_that_lies_about_itself_is_refused_as_by_kafka() {
    let broker = started(&[]).await;
    let good = batch(&["a value"]).to_vec();
    let (mut crc, mut longer, mut shorter, mut negative) =
        (good.clone(), good.clone(), good.clone(), good.clone());
    crc[20] ^= 1;
    put(&mut longer, 8, &10_000_i32.to_be_bytes());
    put(&mut shorter, 8, &60_i32.to_be_bytes());
    put(&mut negative, 8, &(-1_i32).to_be_bytes());
    let mut record_length = good.clone();
    record_length[HEADER_BYTES] = 0x7e;
    let endless = [&good[..HEADER_BYTES], &[0xff; 30]].concat();
    let far = now_ms() + 10_000_000;
    let lies: [(&str, Vec<u8>, i16); 22] = [
        ("its checksum", crc, 2),
        ("its length, which is more", longer, 87),
        ("its length, which is less", shorter, 2),
        ("a negative length", negative, 2),
        ("half of it", good[..good.len() / 2].to_vec(), 87),
        ("no header", good[..20].to_vec(), 87),
        ("magic 0", with(16, &[0]), 87),
        ("magic 1", with(16, &[1]), 87),
        ("magic 3", with(16, &[3]), 2),
        ("a count of none", with(57, &0_i32.to_be_bytes()), 87),
        ("a count of two", with(57, &2_i32.to_be_bytes()), 87),
        ("a count of very many", with(57, &i32::MAX.to_be_bytes()), 87),
        ("a negative count", with(57, &(-1_i32).to_be_bytes()), 87),
        ("a last offset that its count does not reach", with(23, &5_i32.to_be_bytes()), 87),
        ("a negative last offset", with(23, &(-1_i32).to_be_bytes()), 87),
        ("a first offset", [&5_i64.to_be_bytes()[..], &good[8..]].concat(), 87),
        ("a codec that there is not", with(22, &[5]), -1),
        ("a control batch", with(22, &[0x20]), 87),
        ("a time ahead of the clock", with(27, &far.to_be_bytes()), 32),
        ("a record's length", sealed(record_length), 87),
        ("a record's length without an end", sealed(endless), 87),
        ("a batch and another", [&good[..], &good[..]].concat(), 87),
    ];
    let mut client = connect(&broker).await;
    let mut wrong = Vec::new();
    for (what, lying, error) in lies {
        let found = refused(&mut client, lying).await;
        if found.0 != error {
            wrong.push(format!("{what}: {found:?} instead of {error}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_serves(&broker).await;
}

// Names

/// Names that lead out of a directory, or are none.
fn tricks() -> Vec<String> {
    let mut names = [
        "../x",
        ".",
        "..",
        "",
        "a/b",
        "/etc/passwd",
        "a\\b",
        "a\0b",
        "\0",
        "..%2f",
        "é",
        " ",
        "a b",
        "a\nb",
        "~",
        "$HOME",
        "a:b",
        "a*",
    ]
    .map(str::to_owned)
    .to_vec();
    names.extend([250, 32_767].map(|length| "x".repeat(length)));
    names
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_no_topics_and_leave_nothing_on_the_disk() {
    let broker = started(&[]).await;
    let names_on_disk = || {
        let listed = std::fs::read_dir(broker.directory()).unwrap();
        let mut names: Vec<_> = listed.map(|entry| entry.unwrap().file_name()).collect();
        names.retain(|name| !name.to_string_lossy().ends_with(".tmp"));
        names.sort();
        names
    };
    let before = names_on_disk();
    let mut client = connect(&broker).await;
    for trick in tricks() {
        let short: String = trick.chars().take(20).collect();
        let topic = CreatableTopic::default().with_name(name(&trick)).with_num_partitions(1);
        let request = CreateTopicsRequest::default()
            .with_topics(vec![topic.with_replication_factor(1)])
            .with_timeout_ms(1000);
        let created: CreateTopicsResponse = client.ask(ApiKey::CreateTopics, 7, &request).await;
        assert_eq!(created.topics[0].error_code, 17, "{short}");
        let asked = vec![MetadataRequestTopic::default().with_name(Some(name(&trick)))];
        let request =
            MetadataRequest::default().with_topics(Some(asked)).with_allow_auto_topic_creation(true);
        let answer: MetadataResponse = client.ask(ApiKey::Metadata, 9, &request).await;
        assert_eq!(answer.topics[0].error_code, 17, "{short}");
        let request = produce(&trick, 0, batch(&["x"]), -1);
        let answer: ProduceResponse = client.ask(ApiKey::Produce, PRODUCE, &request).await;
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 3, "{short}");
        let request =
            DeleteTopicsRequest::default().with_timeout_ms(1000).with_topic_names(vec![name(&trick)]);
        let answer: DeleteTopicsResponse = client.ask(ApiKey::DeleteTopics, 5, &request).await;
        assert_eq!(answer.responses[0].error_code, 3, "{short}");
    }
    assert_eq!(names_on_disk(), before);
    assert_serves(&broker).await;
}

#[tokio::test]
async fn a_name_that_differs_from_another_by_dots_and_underscores_alone_is_refused() {
    let broker = started(&[]).await;
    let mut client = connect(&broker).await;
    client.create("a.b_c", 1, &[]).await;
    for colliding in ["a_b_c", "a.b.c", "a_b.c"] {
        let topic = CreatableTopic::default().with_name(name(colliding)).with_num_partitions(1);
        let request = CreateTopicsRequest::default()
            .with_topics(vec![topic.with_replication_factor(1)])
            .with_timeout_ms(1000);
        let created: CreateTopicsResponse = client.ask(ApiKey::CreateTopics, 5, &request).await;
        assert_eq!(created.topics[0].error_code, 17, "{colliding}");
    }
    assert_serves(&broker).await;
}

/// A request's bytes: a header of version 1, or 2 with tagged fields, and the body as it is.
fn request(key: ApiKey, version: i16, client_id: Option<&[u8]>, tags: &[u8], body: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    message.extend_from_slice(&(key as i16).to_be_bytes());
    message.extend_from_slice(&version.to_be_bytes());
    message.extend_from_slice(&7_i32.to_be_bytes());
    match client_id {
        Some(id) => {
            message.extend_from_slice(&(id.len() as i16).to_be_bytes());
            message.extend_from_slice(id);
        }
        None => message.extend_from_slice(&[0xff, 0xff]),
    }
    if key.request_header_version(version) >= 2 {
        message.extend_from_slice(tags);
    }
    message.extend_from_slice(body);
    framed(&message).to_vec()
}

/// The answer to bytes on a connection of their own; `None` when it was closed.
async fn answer(address: SocketAddr, bytes: &[u8]) -> Option<Bytes> {
    let mut client = RawClient::connect(address).await;
    // The broker may have closed before all was sent.
    let _ = client.stream.write_all(bytes).await;
    let _ = client.stream.shutdown().await;
    client.read_frame().await
}

#[tokio::test]
async fn names_that_are_not_utf_8_are_no_topics_and_close_their_connection_at_most() {
    let broker = started(&[]).await;
    let bad = [0, 2, 0xff, 0xfe];
    let metadata = [&[0, 0, 0, 1][..], &bad, &[1]].concat();
    let create =
        [&[0, 0, 0, 1][..], &bad, &[0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], &[0, 0, 3, 0xe8, 0]].concat();
    let fetch_offsets = [&bad[..], &[0xff, 0xff, 0xff, 0xff]].concat();
    for (key, version, body) in [
        (ApiKey::Metadata, 4, &metadata),
        (ApiKey::CreateTopics, 4, &create),
        (ApiKey::FindCoordinator, 0, &bad.to_vec()),
        (ApiKey::OffsetFetch, 5, &fetch_offsets),
    ] {
        let bytes = request(key, version, None, &[0], body);
        let answered = answer(address(&broker), &bytes).await;
        // Kafka puts a character for what is none in its place.
        let replaced = "\u{fffd}\u{fffd}".as_bytes();
        let names_it = |answer: &Bytes| answer.windows(replaced.len()).any(|part| part == replaced);
        if let Some(answer) = answered.filter(|_| key == ApiKey::Metadata || key == ApiKey::CreateTopics) {
            assert!(names_it(&answer), "{key:?}: {answer:?}");
        }
    }
    let mut client = connect(&broker).await;
    let all = MetadataRequest::default().with_topics(None);
    let listed: MetadataResponse = client.ask(ApiKey::Metadata, 9, &all).await;
    assert!(listed.topics.iter().all(|topic| topic.name.as_ref().unwrap().is_ascii()));
    assert_serves(&broker).await;
}

#[tokio::test]
async fn client_ids_of_any_length_and_bytes_are_served() {
    let broker = started(&[]).await;
    let body = [0, 0, 0, 0];
    let (long, none) = (vec![b'x'; 32_767], vec![0xff; 32_767]);
    for id in [&b""[..], &[0xff, 0xfe], &[0], &long, &none, b"../x", b"%s%n"] {
        let bytes = request(ApiKey::Metadata, 4, Some(id), &[], &[&body[..], &[0]].concat());
        assert!(answer(address(&broker), &bytes).await.is_some(), "{} bytes", id.len());
    }
    // A longer one than there is.
    let mut bytes = request(ApiKey::Metadata, 4, Some(b"abc"), &[], &body);
    put(&mut bytes, 12, &i16::MAX.to_be_bytes());
    assert!(answer(address(&broker), &bytes).await.is_none());
    assert_serves(&broker).await;
}

fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

#[tokio::test]
async fn group_ids_of_32_kb_are_kept_over_a_restart_as_any_other() {
    let mut broker = started(&[]).await;
    let mut client = connect(&broker).await;
    let long = "g".repeat(32_767);
    for group in [&long, "../g", "a\0b", "é"] {
        let partition = OffsetCommitRequestPartition::default().with_committed_offset(1);
        let topic =
            OffsetCommitRequestTopic::default().with_name(name("good")).with_partitions(vec![partition]);
        let commit = OffsetCommitRequest::default()
            .with_group_id(text(group).into())
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic]);
        let find = FindCoordinatorRequest::default().with_key(text(group));
        client.ask::<_, FindCoordinatorResponse>(ApiKey::FindCoordinator, 1, &find).await;
        let answer: OffsetCommitResponse = client.ask(ApiKey::OffsetCommit, 8, &commit).await;
        assert_eq!(answer.topics[0].partitions[0].error_code, 0);
    }
    let (error, _) = join(&mut client, &long, None).await;
    assert_eq!(error, 79);
    broker.kill();
    broker.start_again();
    let mut client = connect(&broker).await;
    for group in [&long, "../g", "a\0b", "é"] {
        let fetch = OffsetFetchRequest::default().with_group_id(text(group).into()).with_topics(None);
        let answer: OffsetFetchResponse = client.ask(ApiKey::OffsetFetch, 7, &fetch).await;
        assert_eq!(answer.topics[0].partitions[0].committed_offset, 1);
    }
    assert_serves(&broker).await;
}

async fn join(client: &mut RawClient, group: &str, instance: Option<&str>) -> (i16, String) {
    let request = JoinGroupRequest::default()
        .with_group_id(text(group).into())
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(1000)
        .with_group_instance_id(instance.map(text))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![JoinGroupRequestProtocol::default().with_name(text("range"))]);
    let answer: JoinGroupResponse = client.ask(ApiKey::JoinGroup, 7, &request).await;
    (answer.error_code, answer.member_id.to_string())
}

#[tokio::test]
async fn an_instance_id_that_leaves_no_room_for_a_member_id_is_refused_as_by_kafka() {
    let broker = started(&[]).await;
    let mut client = connect(&broker).await;
    let find = FindCoordinatorRequest::default().with_key(text("g"));
    client.ask::<_, FindCoordinatorResponse>(ApiKey::FindCoordinator, 1, &find).await;
    let (error, member) = join(&mut client, "g", Some(&"i".repeat(32_767))).await;
    assert_eq!((error, member.as_str()), (-1, ""));
    let (error, member) = join(&mut client, "g", Some("../i\0")).await;
    assert!(error == 0 && member.starts_with("../i\0-"), "{error} {member}");
    assert_serves(&broker).await;
}

// Counts

/// 100,000 partitions of a topic that has one.
const MANY: i32 = 100_000;

#[tokio::test]
async fn a_hundred_thousand_partitions_in_one_request_are_answered_one_by_one() {
    let broker = started(&[]).await;
    let mut client = connect(&broker).await;
    let ask_all = async {
        let mut data = produce("good", 0, Bytes::new(), -1);
        let partition =
            |index| PartitionProduceData::default().with_index(index).with_records(Some(Bytes::new()));
        data.topic_data[0].partition_data = (1..=MANY).map(partition).collect();
        let answer: ProduceResponse = client.ask(ApiKey::Produce, PRODUCE, &data).await;
        let partitions = &answer.responses[0].partition_responses;
        assert!(partitions.len() == 100_000 && partitions.iter().all(|found| found.error_code == 3));

        let partition =
            |index| ListOffsetsPartition::default().with_partition_index(index).with_timestamp(-1);
        let topic = ListOffsetsTopic::default().with_name(name("good"));
        let topic = topic.with_partitions((1..=MANY).map(partition).collect());
        let request = ListOffsetsRequest::default().with_topics(vec![topic]);
        let answer: ListOffsetsResponse = client.ask(ApiKey::ListOffsets, 7, &request).await;
        let partitions = &answer.topics[0].partitions;
        assert!(partitions.len() == 100_000 && partitions.iter().all(|found| found.error_code == 3));

        let partition = |index| DeleteRecordsPartition::default().with_partition_index(index);
        let topic = DeleteRecordsTopic::default().with_name(name("good"));
        let topic = topic.with_partitions((1..=MANY).map(partition).collect());
        let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(1000);
        let answer: DeleteRecordsResponse = client.ask(ApiKey::DeleteRecords, 2, &request).await;
        let partitions = &answer.topics[0].partitions;
        assert!(partitions.len() == 100_000 && partitions.iter().all(|found| found.error_code == 3));

        let partition = |index| OffsetForLeaderPartition::default().with_partition(index);
        let topic = OffsetForLeaderTopic::default().with_topic(name("good"));
        let topic = topic.with_partitions((1..=MANY).map(partition).collect());
        let request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
        let answer: OffsetForLeaderEpochResponse =
            client.ask(ApiKey::OffsetForLeaderEpoch, 4, &request).await;
        let partitions = &answer.topics[0].partitions;
        assert!(partitions.len() == 100_000 && partitions.iter().all(|found| found.error_code == 3));
    };
    let ((), grown_kib) = grown(&broker, ask_all).await;
    assert!(grown_kib < SPARE_KIB, "{grown_kib} KiB");
    assert_serves(&broker).await;
}

#[tokio::test]
async fn a_hundred_thousand_partitions_asked_of_the_coordinator_and_the_controller_are_answered() {
    let broker = started(&[]).await;
    let mut client = connect(&broker).await;
    let find = FindCoordinatorRequest::default().with_key(text("g"));
    client.ask::<_, FindCoordinatorResponse>(ApiKey::FindCoordinator, 1, &find).await;
    let ask_all = async {
        let partition = |index| OffsetCommitRequestPartition::default().with_partition_index(index);
        let topic = OffsetCommitRequestTopic::default().with_name(name("good"));
        let commit = OffsetCommitRequest::default()
            .with_group_id(text("g").into())
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic.with_partitions((0..MANY).map(partition).collect())]);
        let answer: OffsetCommitResponse = client.ask(ApiKey::OffsetCommit, 8, &commit).await;
        let failed = answer.topics[0].partitions.iter().filter(|found| found.error_code == 3).count();
        assert_eq!((answer.topics[0].partitions.len(), failed), (100_000, 99_999));

        let partition = |index| OffsetDeleteRequestPartition::default().with_partition_index(index);
        let topic = OffsetDeleteRequestTopic::default().with_name(name("good"));
        let request = OffsetDeleteRequest::default()
            .with_group_id(text("g").into())
            .with_topics(vec![topic.with_partitions((0..MANY).map(partition).collect())]);
        let answer: OffsetDeleteResponse = client.ask(ApiKey::OffsetDelete, 0, &request).await;
        assert_eq!(answer.error_code, 0);

        let topic = TopicRequest::default().with_name(name("good"));
        let request = DescribeProducersRequest::default()
            .with_topics(vec![topic.with_partition_indexes((0..MANY).collect())]);
        let answer: DescribeProducersResponse = client.ask(ApiKey::DescribeProducers, 0, &request).await;
        assert_eq!(answer.topics[0].partitions.len(), 100_000);

        let topic = TopicPartitions::default().with_topic(name("good")).with_partitions((0..MANY).collect());
        let request =
            ElectLeadersRequest::default().with_timeout_ms(1000).with_topic_partitions(Some(vec![topic]));
        let answer: ElectLeadersResponse = client.ask(ApiKey::ElectLeaders, 2, &request).await;
        assert_eq!(answer.replica_election_results[0].partition_result.len(), 100_000);
    };
    let ((), grown_kib) = grown(&broker, ask_all).await;
    assert!(grown_kib < SPARE_KIB, "{grown_kib} KiB");
    assert_serves(&broker).await;
}

#[tokio::test]
async fn topics_of_more_than_ten_thousand_partitions_a_request_are_refused_as_by_kafka() {
    let broker = started(&[]).await;
    let mut client = connect(&broker).await;
    let create = |counts: &[i32]| {
        let topics = counts.iter().enumerate().map(|(number, count)| {
            CreatableTopic::default()
                .with_name(name(&format!("many-{number}")))
                .with_num_partitions(*count)
                .with_replication_factor(1)
        });
        CreateTopicsRequest::default().with_topics(topics.collect()).with_timeout_ms(10_000)
    };
    for counts in [&[MANY][..], &[10_001], &[6_000, 6_000], &[i32::MAX]] {
        let answer: CreateTopicsResponse = client.ask(ApiKey::CreateTopics, 7, &create(counts)).await;
        assert!(answer.topics.iter().all(|topic| topic.error_code == 44), "{counts:?}");
    }
    let topic = CreatePartitionsTopic::default().with_name(name("good")).with_count(i32::MAX);
    let request = CreatePartitionsRequest::default()
        .with_topics(vec![topic.with_assignments(None)])
        .with_timeout_ms(10_000);
    let answer: CreatePartitionsResponse = client.ask(ApiKey::CreatePartitions, 3, &request).await;
    assert_ne!(answer.results[0].error_code, 0);
    assert_serves(&broker).await;
}

/// Bodies that announce more than they hold, or whose zeros and ones mean whatever they mean to an API.
fn lying_bodies() -> Vec<Vec<u8>> {
    let repeated = |bytes: &[u8], times: usize| bytes.repeat(times);
    vec![
        Vec::new(),
        repeated(&[0], 1),
        repeated(&[0], 400),
        repeated(&[1], 400),
        repeated(&[2], 400),
        repeated(&[0xff], 400),
        repeated(&[0x7f, 0xff, 0xff, 0xff], 100),
        repeated(&[0, 1, 0, 0], 100),
        repeated(&[0, 0, 0, 1], 100),
        // The largest compact count and length, and a varint without an end.
        repeated(&[0xff, 0xff, 0xff, 0xff, 0x0f], 80),
        repeated(&[0x80], 400),
        [repeated(&[0], 30), repeated(&[0xff, 0xff, 0xff, 0xff, 0x07], 40)].concat(),
        [repeated(&[0], 8), repeated(&[0x7f, 0xff, 0xff, 0xff], 80)].concat(),
    ]
}

#[tokio::test]
async fn bodies_that_lie_are_answered_or_closed_in_every_version_of_every_api() {
    let broker = started(&[]).await;
    let at = address(&broker);
    let ask_all = async {
        for row in TABLE {
            for version in row.served.0..=row.served.1 {
                let asked = lying_bodies().into_iter().map(|body| {
                    let bytes = request(row.key, version, None, &[0], &body);
                    tokio::spawn(async move { answer(at, &bytes).await })
                });
                for answered in asked.collect::<Vec<_>>() {
                    let answered = answered.await.unwrap_or_else(|_| panic!("{} {version}", row.name));
                    assert!(answered.is_none_or(|answer| answer.len() < 100_000), "{}", row.name);
                }
            }
        }
    };
    let ((), grown_kib) = grown(&broker, ask_all).await;
    assert!(grown_kib < SPARE_KIB, "{grown_kib} KiB");
    assert_serves(&broker).await;
}

#[tokio::test]
async fn tagged_fields_that_lie_close_the_connection_in_header_and_body() {
    let broker = started(&[]).await;
    // Metadata 9 of no topics, up to its tagged fields.
    let body = [1, 0, 0, 0];
    let good = request(
        ApiKey::Metadata,
        9,
        None,
        &[1, 0xff, 0x7f, 3, 1, 2, 3],
        &[&body[..], &[1, 9, 1, 0xff]].concat(),
    );
    assert!(answer(address(&broker), &good).await.is_some());
    let lies: [(&str, &[u8]); 6] = [
        ("very many", &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("a count without an end", &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ("a size beyond the request", &[1, 0, 0x7f, 1]),
        ("the largest size", &[1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("a tag without a size", &[1, 0]),
        ("fewer than announced", &[3, 0, 0]),
    ];
    for (what, tags) in lies {
        let in_body = request(ApiKey::Metadata, 9, None, &[0], &[&body[..], tags].concat());
        assert!(answer(address(&broker), &in_body).await.is_none(), "{what} in the body");
        let in_header = request(ApiKey::Metadata, 9, None, tags, &[]);
        assert!(answer(address(&broker), &in_header).await.is_none(), "{what} in the header");
    }
    assert_serves(&broker).await;
}

#[tokio::test]
async fn very_many_tagged_fields_and_small_elements_are_refused_before_they_take_memory() {
    let broker = started(&[]).await;
    // Five million tagged fields of no bytes, tags rising, in two bytes each and more.
    let mut tags = vec![0xc0, 0x96, 0xb1, 0x02];
    tags.extend((0..5_000_000_u32).flat_map(|_| [0x7f, 0]));
    let in_body = request(ApiKey::Metadata, 9, None, &[0], &[&[1, 0, 0, 0][..], &tags].concat());
    // A topic of ten million partitions, four bytes each, in a request of 40 MB.
    let mut many = vec![0, 0, 0, 1, 0, 4];
    many.extend_from_slice(b"good");
    many.extend_from_slice(&10_000_000_i32.to_be_bytes());
    many.resize(many.len() + 40_000_000, 0);
    let producers = request(ApiKey::DescribeProducers, 0, None, &[0], &{
        let mut body = vec![2, 5];
        body.extend_from_slice(b"good");
        body.extend_from_slice(&[0x81, 0xad, 0xe2, 0x04]);
        body.resize(body.len() + 40_000_000, 0);
        body
    });
    let deleted = request(ApiKey::OffsetDelete, 0, None, &[], &[&[0, 1, b'g'][..], &many].concat());
    let sends = async {
        for (what, bytes) in
            [("tagged fields", &in_body), ("DescribeProducers", &producers), ("OffsetDelete", &deleted)]
        {
            assert!(answer(address(&broker), bytes).await.is_none(), "{what}");
        }
    };
    let ((), grown_kib) = grown(&broker, sends).await;
    // The largest of them has to be there as a whole.
    assert!(grown_kib < SPARE_KIB, "{grown_kib} KiB");
    assert_serves(&broker).await;
}

#[tokio::test]
async fn what_lies_inside_of_what_is_passed_on_is_not_opened() {
    let broker = started(&[]).await;
    // A batch within a record's value, and that within another's: bytes, as any.
    let mut inner = batch(&["x"]);
    for _ in 0..200 {
        let mut builder = milena::wire::batch::BatchBuilder::new(now_ms());
        builder.push(Some(&inner), Some(&inner[..inner.len().min(1000)]), now_ms());
        inner = builder.build(0).bytes;
        if inner.len() > 500_000 {
            break;
        }
    }
    let mut client = connect(&broker).await;
    let request = produce("good", 0, inner.clone(), -1);
    let answer: ProduceResponse = client.ask(ApiKey::Produce, PRODUCE, &request).await;
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    let fetched: FetchResponse =
        client.ask(ApiKey::Fetch, 12, &support::requests::fetch("good", 1, 1000)).await;
    let records = fetched.responses[0].partitions[0].records.clone().unwrap();
    assert_eq!(Batch::parse(records).unwrap().payload(), Batch::parse(inner).unwrap().payload());
    tokio::time::timeout(Duration::from_secs(20), assert_serves(&broker)).await.unwrap();
}
