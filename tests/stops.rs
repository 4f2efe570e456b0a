//! What a stop, clean or not, leaves to the next start, and that nobody keeps a broker from stopping.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use kafka_protocol::messages::*;
use support::process::Process;
use support::requests::{FETCH, PRODUCE, batch, fetch, produce, values};
use support::{RawClient, TestBroker};

#[tokio::test]
async fn a_topic_that_is_made_again_does_not_inherit_where_the_old_one_began() {
    let mut broker = Process::start(&[]);
    let mut client = RawClient::connect(broker.bootstrap().parse().unwrap()).await;
    client.create("t", 1, &[]).await;
    client.send_values("t", 0, &["a", "b", "c"]).await;
    client.delete_records("t", 3).await;
    client.delete("t").await;
    client.create("t", 1, &[]).await;
    client.send_values("t", 0, &["d"]).await;
    broker.kill();
    broker.start_again();
    let mut client = RawClient::connect(broker.bootstrap().parse().unwrap()).await;
    let answer: FetchResponse = client.ask(ApiKey::Fetch, FETCH, &fetch("t", 0, 0)).await;
    assert_eq!(values(&answer.responses[0].partitions[0]), ["d"]);
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answers_does_not_keep_the_broker_from_stopping() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    client.send_values("t", 0, &["x".repeat(900_000).as_str()]).await;
    let frames: Vec<u8> =
        (0..100).flat_map(|_| client.frame(ApiKey::Fetch, FETCH, &fetch("t", 0, 0)).0).collect();
    client.send(&frames).await;
    // The queue is full when the first answer waits at the client and the others behind it.
    assert_eq!(client.stream.peek(&mut [0]).await.unwrap(), 1);
    tokio::time::timeout(Duration::from_secs(15), broker.server.stop()).await.expect("a stop").unwrap();
}

#[tokio::test]
async fn a_client_that_takes_its_answers_slowly_does_not_keep_the_broker_from_stopping() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    client.send_values("t", 0, &["x".repeat(900_000).as_str()]).await;
    let (frame, _) = client.frame(ApiKey::Fetch, FETCH, &fetch("t", 0, 0));
    client.send(&frame.repeat(5000)).await;
    assert_eq!(client.stream.peek(&mut [0]).await.unwrap(), 1);
    let slowly = async {
        while client.read_frame().await.is_some() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        std::future::pending::<()>().await;
    };
    let stop = tokio::time::timeout(Duration::from_secs(15), broker.server.stop());
    tokio::select! {
        stopped = stop => stopped.expect("a stop").unwrap(),
        () = slowly => {}
    }
}

#[tokio::test]
async fn a_client_that_never_pauses_does_not_keep_the_broker_from_stopping() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    let (frame, _) = client.frame(ApiKey::Produce, PRODUCE, &produce("t", 0, batch(&["a"]), 0));
    let many = frame.repeat(1000);
    let endless = async {
        use tokio::io::AsyncWriteExt;
        while client.stream.write_all(&many).await.is_ok() {}
    };
    let stop = tokio::time::timeout(Duration::from_secs(15), broker.server.stop());
    let (stopped, ()) = tokio::join!(stop, endless);
    stopped.expect("a stop").unwrap();
}

#[tokio::test]
async fn requests_in_flight_are_answered_when_the_broker_stops() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    let (waiting, waiting_id) = client.frame(ApiKey::Fetch, FETCH, &fetch("t", 1, 500));
    let (sent, sent_id) = client.frame(ApiKey::Produce, PRODUCE, &produce("t", 0, batch(&["a"]), -1));
    client.send(&[sent, waiting].concat()).await;
    let produced: ProduceResponse = client.answer(PRODUCE, sent_id).await;
    assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
    let stop = broker.server.stop();
    let (stopped, fetched) = tokio::join!(stop, client.answer::<FetchResponse>(FETCH, waiting_id));
    stopped.unwrap();
    assert_eq!(fetched.responses[0].partitions[0].error_code, 0);
    assert!(client.read_frame().await.is_none());
}
