//! One connection's requests: guard, decoder and handler of every API, in every version that is served. A broker serves a
//! number of inputs, then a new one does, so that what they made stays small. A part of an input is a frame; most changes
//! stay within one, and some turn it into another API's or version's.
#![no_main]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use milena::api::{self, Answer, Connection, TABLE};
use milena::broker::Broker;
use milena::config::Config;
use milena::server::Server;
use milena::types::TopicName;
use milena_fuzz::{bounded, joined, parts};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Inputs that one broker serves.
const INPUTS: u32 = 2000;
/// How long an effect is waited for. Some requests say themselves how long they may take.
const WAIT: Duration = Duration::from_secs(40);
/// Topics that there are from the beginning; `fuzz/seeds.py` calls those of its requests so.
const TOPICS: [&str; 2] = ["t-00000001", "t-00000002"];
/// Stands for the id of the first topic, and of the second with another last byte.
const ID: &[u8; 15] = b"the-topics-id-0";

struct Served {
    runtime: Runtime,
    server: Server,
    ids: Vec<[u8; 16]>,
    inputs: u32,
    home: TempDir,
}

static SERVED: Mutex<Option<Served>> = Mutex::new(None);

fuzz_target!(|data: &[u8]| {
    let mut served = SERVED.lock().unwrap();
    if served.as_ref().is_some_and(|served| served.inputs >= INPUTS) {
        let Served { runtime, server, home, .. } = served.take().unwrap();
        runtime.block_on(server.stop()).unwrap();
        drop((runtime, home));
    }
    let served = served.get_or_insert_with(start);
    served.inputs += 1;
    bounded(|| serve(served, data));
});

fn start() -> Served {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let home = tempfile::tempdir().unwrap();
    let settings = [
        ("listeners", "PLAINTEXT://127.0.0.1:0"),
        ("log.dirs", home.path().to_str().unwrap()),
        ("offsets.topic.num.partitions", "2"),
    ];
    let server = runtime.block_on(Server::start(Config::from_pairs(settings).unwrap())).unwrap();
    let mut served = Served { runtime, server, ids: Vec::new(), inputs: 0, home };
    serve(&served, &joined(&[create_topics()], usize::MAX));
    let image = served.server.broker().controller.image();
    let id = |name: &&str| *image.topic(&TopicName::from(*name)).unwrap().id.0.as_bytes();
    served.ids = TOPICS.iter().map(id).collect();
    served
}

/// CreateTopics v4 of `TOPICS`, two partitions each.
fn create_topics() -> Vec<u8> {
    let mut frame = vec![0, 19, 0, 4, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, TOPICS.len() as u8];
    for name in TOPICS {
        frame.extend_from_slice(&(name.len() as u16).to_be_bytes());
        frame.extend_from_slice(name.as_bytes());
        frame.extend_from_slice(&[0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    frame.extend_from_slice(&[0, 0, 0x27, 0x10, 0]);
    frame
}

fn serve(served: &Served, data: &[u8]) {
    let address = served.server.addresses()[0].1;
    let connection =
        Arc::new(Connection { id: 1, peer: address, local: address, listener: "PLAINTEXT".into() });
    let broker = served.server.broker().clone();
    served.runtime.block_on(async {
        for frame in parts(data) {
            if !answered(&broker, &connection, &Bytes::from(with_ids(frame, &served.ids))).await {
                return;
            }
        }
    });
}

/// Whether the connection stays.
async fn answered(broker: &Arc<Broker>, connection: &Arc<Connection>, frame: &Bytes) -> bool {
    let now = broker.clock.now();
    let mut answer = match api::dispatch(broker, connection, frame, now) {
        Ok(answer) => answer,
        Err(error) => return closes(&error),
    };
    loop {
        answer = match answer {
            Answer::Then(future) => match tokio::time::timeout(WAIT, future).await {
                Ok(Ok(next)) => next,
                Ok(Err(error)) => return closes(&error),
                Err(_) => panic!("an effect that is waited for did not come"),
            },
            // As when the connection ends: the effect stands, the answer is dropped, perhaps polled once.
            Answer::Later(future) | Answer::Parked(future) => {
                let answer = tokio::time::timeout(Duration::ZERO, future).await;
                return answer.is_err()
                    || answer.is_ok_and(|answer| answer.map_or_else(|error| closes(&error), |_| true));
            }
            Answer::Now(_) | Answer::Silent => return true,
        }
    }
}

/// An answer that cannot be encoded is a defect.
fn closes(error: &api::Refused) -> bool {
    assert!(!matches!(error, api::Refused::Unencodable { .. }), "{error}");
    false
}

fn with_ids(frame: &[u8], ids: &[[u8; 16]]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let mut at = 0;
    while let Some(found) = frame[at..].windows(ID.len()).position(|window| window == ID) {
        at += found;
        if let Some(place) = frame.get_mut(at..at + 16) {
            let which = usize::from(place[15]) % (ids.len() + 1);
            if let Some(id) = ids.get(which) {
                place.copy_from_slice(id);
            }
        }
        at += 1;
    }
    frame
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut frames: Vec<Vec<u8>> = parts(&data[..size]).into_iter().map(<[u8]>::to_vec).collect();
    let (kind, seed) = (seed % 16, (seed / 16) as usize);
    let count = frames.len();
    if count == 0 || kind == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let which = seed % count;
    match kind {
        1 => frames.swap(which, (seed / 64) % count),
        2 => frames.push(frames[which].clone()),
        3 if count > 1 => drop(frames.remove(which)),
        4 | 5 => {
            let row = &TABLE[(seed / 64) % TABLE.len()];
            let (low, high) = row.served;
            let version = if kind == 4 { high } else { low + (seed / 8192) as i16 % (high - low + 1) };
            let frame = &mut frames[which];
            frame.resize(frame.len().max(4), 0);
            frame[..2].copy_from_slice(&(row.key as i16).to_be_bytes());
            frame[2..4].copy_from_slice(&version.to_be_bytes());
        }
        _ => mutate(&mut frames[which], max_size),
    }
    let made = joined(&frames, max_size);
    data[..made.len()].copy_from_slice(&made);
    made.len()
});

/// Changes a frame behind its key and version.
fn mutate(frame: &mut Vec<u8>, max_size: usize) {
    let length = frame.len();
    frame.resize((length + 64).min(max_size).max(length), 0);
    let Some(body) = frame.get_mut(4..) else { return };
    let space = body.len();
    let length = fuzzer_mutate(body, length.saturating_sub(4), space);
    frame.truncate(4 + length);
}
