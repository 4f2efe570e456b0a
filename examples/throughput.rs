//! Produces and consumes small records through librdkafka and prints the rates, for orientation:
//! `cargo run --release --example throughput -- HOST:PORT [RECORDS] [BYTES]`. Two addresses, separated by a comma and
//! a space, are measured in turns, and the ratio of the first to the second is printed.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

const ROUNDS: usize = 3;
const WAIT: Duration = Duration::from_mins(1);

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| arguments.get(at).map_or(Ok(default), |text| text.parse());
    let addresses: Vec<&str> =
        arguments.first().map_or("localhost:9092", String::as_str).split(", ").collect();
    let (records, bytes) = (number(1, 3_000_000)?, number(2, 100)?);
    let mut best = vec![(0.0_f64, 0.0_f64); addresses.len()];
    for round in 0..ROUNDS {
        for (address, best) in addresses.iter().zip(&mut best) {
            let topic = format!("throughput-{}-{round}", std::process::id());
            let produced = produce(address, &topic, records, bytes)?;
            let consumed = consume(address, &topic, records)?;
            println!("{address}: produced {produced:.0} msg/s, consumed {consumed:.0} msg/s");
            *best = (best.0.max(produced), best.1.max(consumed));
        }
    }
    if let [first, second] = best[..] {
        println!(
            "ratio of the best rounds: produce {:.2}, consume {:.2}",
            first.0 / second.0,
            first.1 / second.1
        );
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a measurement needs the clock")]
fn now() -> Instant {
    Instant::now()
}

fn produce(address: &str, topic: &str, records: usize, bytes: usize) -> Result<f64, Failure> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("queue.buffering.max.messages", "1000000")
        .set("queue.buffering.max.kbytes", "1000000")
        .set("batch.num.messages", "10000")
        .set("linger.ms", "20")
        .set("acks", "1")
        .create()?;
    let payload = vec![b'x'; bytes];
    // The first record makes the topic; the clock starts when it is there.
    producer.send(BaseRecord::<(), [u8]>::to(topic).payload(&payload)).map_err(|(error, _)| error)?;
    producer.flush(WAIT)?;
    let start = now();
    for _ in 1..records {
        while let Err((error, _)) = producer.send(BaseRecord::<(), [u8]>::to(topic).payload(&payload)) {
            match error {
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => {
                    producer.poll(Duration::from_millis(1));
                }
                other => return Err(other.into()),
            }
        }
    }
    producer.flush(WAIT)?;
    Ok(records as f64 / start.elapsed().as_secs_f64())
}

fn consume(address: &str, topic: &str, records: usize) -> Result<f64, Failure> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", "throughput")
        .set("enable.auto.commit", "false")
        .set("queued.min.messages", "1000000")
        .set("fetch.message.max.bytes", "4194304")
        .create()?;
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, 0, Offset::Beginning)?;
    consumer.assign(&assignment)?;
    let mut start = None;
    let mut seen = 0;
    while seen < records {
        let message = consumer.poll(WAIT).ok_or("no record in time")??;
        start.get_or_insert_with(now);
        seen += usize::from(message.payload().is_some());
    }
    let elapsed = start.ok_or("no record")?.elapsed();
    Ok(records as f64 / elapsed.as_secs_f64())
}
