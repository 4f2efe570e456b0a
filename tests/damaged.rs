//! Records that were damaged on the disk after a clean stop, when no start checks them: who reads them gets what stands
//! before them, then an error or bytes that their own checksum betrays; everything else goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::path::PathBuf;

use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::*;
use milena::config::Config;
use milena::server::Server;
use milena::wire::batch::Batch;
use support::requests::{FETCH, fetch, values};
use support::{RawClient, TestBroker};

const CORRUPT_MESSAGE: i16 = 2;
const BATCHES: usize = 6;

/// A broker that was stopped after it took `BATCHES` batches, had its log damaged, and was started again.
async fn damaged(topic: &str, damage: impl FnOnce(&mut Vec<u8>, &[usize])) -> (TestBroker, RawClient) {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    // A start reads what lies behind the last entry of the index; damage is to lie before it.
    client.create(topic, 1, &[("index.interval.bytes", "1")]).await;
    for number in 0..BATCHES {
        client.send_values(topic, 0, &[&format!("value-{number}")]).await;
    }
    let TestBroker { server, directory } = broker;
    server.stop().await.unwrap();
    let path: PathBuf = directory.path().join(format!("{topic}-0/00000000000000000000.log"));
    let mut bytes = std::fs::read(&path).unwrap();
    let mut places = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        places.push(at);
        at += Batch::parse(bytes[at..].to_vec().into()).unwrap().bytes.len();
    }
    damage(&mut bytes, &places);
    std::fs::write(&path, bytes).unwrap();
    let path = directory.path().to_str().unwrap();
    let pairs = [("listeners", "PLAINTEXT://127.0.0.1:0"), ("log.dirs", path)];
    let server = Server::start(Config::from_pairs(pairs).unwrap()).await.unwrap();
    let client = RawClient::connect(server.addresses()[0].1).await;
    (TestBroker { server, directory }, client)
}

async fn read(client: &mut RawClient, topic: &str, offset: i64) -> PartitionData {
    let answer: FetchResponse = client.ask(ApiKey::Fetch, FETCH, &fetch(topic, offset, 0)).await;
    assert_eq!(answer.error_code, 0);
    answer.responses[0].partitions[0].clone()
}

#[tokio::test]
async fn records_before_damaged_headers_are_read_and_the_damaged_ones_are_refused() {
    // The format, the length, and the base offset of the fourth batch.
    for (place, wrong) in [(16, 7), (8, 0xff), (7, 1)] {
        let (broker, mut client) = damaged("t", |bytes, at| bytes[at[3] + place] = wrong).await;
        let found = read(&mut client, "t", 0).await;
        assert_eq!((found.error_code, values(&found).len()), (0, 3), "{place}");
        let found = read(&mut client, "t", 3).await;
        assert_eq!(
            (found.error_code, found.records.unwrap_or_default().len()),
            (CORRUPT_MESSAGE, 0),
            "{place}"
        );
        assert_eq!(client.send_values("t", 0, &["new"]).await, 6, "{place}");
        assert_eq!(values(&read(&mut client, "t", 6).await), ["new"], "{place}");
        client.create("other", 1, &[]).await;
        assert_eq!(client.send_values("other", 0, &["good"]).await, 0, "{place}");
        broker.server.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_flipped_bit_in_records_reaches_the_reader_with_the_checksum_that_betrays_it() {
    let (broker, mut client) = damaged("t", |bytes, at| bytes[at[3] + 65] ^= 1).await;
    let mut rest = read(&mut client, "t", 0).await.records.unwrap();
    let mut valid = Vec::new();
    while !rest.is_empty() {
        let batch = Batch::parse(rest.clone()).unwrap();
        rest = rest.slice(batch.bytes.len()..);
        valid.push(batch.crc_is_valid());
    }
    assert_eq!(valid, [true, true, true, false, true, true]);
    broker.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_log_that_lost_its_end_after_a_clean_stop_goes_on_where_it_ends() {
    let (broker, mut client) = damaged("t", |bytes, at| bytes.truncate(at[4] + 20)).await;
    assert_eq!(values(&read(&mut client, "t", 0).await).len(), 4);
    assert_eq!(client.send_values("t", 0, &["new"]).await, 4);
    assert_eq!(values(&read(&mut client, "t", 4).await), ["new"]);
    broker.server.stop().await.unwrap();
}
