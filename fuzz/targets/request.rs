//! One connection's requests: guard, decoder and handler of every API. A broker serves a number of inputs, then a new one
//! does, so that what they made stays small.
#![no_main]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Buf, Bytes};
use libfuzzer_sys::fuzz_target;
use milena::api::{self, Answer, Connection};
use milena::config::Config;
use milena::server::Server;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Inputs that one broker serves.
const INPUTS: u32 = 2000;
/// How long an effect is waited for.
const WAIT: Duration = Duration::from_secs(20);

struct Served {
    runtime: Runtime,
    server: Server,
    inputs: u32,
    _home: TempDir,
}

static SERVED: Mutex<Option<Served>> = Mutex::new(None);

fn start() -> Served {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let home = tempfile::tempdir().unwrap();
    let settings = [("listeners", "PLAINTEXT://127.0.0.1:0"), ("log.dirs", home.path().to_str().unwrap())];
    let server = runtime.block_on(Server::start(Config::from_pairs(settings).unwrap())).unwrap();
    Served { runtime, server, inputs: 0, _home: home }
}

fuzz_target!(|data: &[u8]| {
    let mut served = SERVED.lock().unwrap();
    if served.as_ref().is_some_and(|served| served.inputs >= INPUTS) {
        let Served { runtime, server, .. } = served.take().unwrap();
        runtime.block_on(server.stop()).unwrap();
    }
    let served = served.get_or_insert_with(start);
    served.inputs += 1;
    let address = served.server.addresses()[0].1;
    let connection = Arc::new(Connection { id: 1, peer: address, local: address, listener: "PLAINTEXT".into() });
    let broker = served.server.broker().clone();
    served.runtime.block_on(async {
        for frame in frames(data) {
            let now = broker.clock.now();
            let Ok(mut answer) = api::dispatch(&broker, &connection, &frame, now) else { return };
            loop {
                answer = match answer {
                    Answer::Then(future) => match tokio::time::timeout(WAIT, future).await {
                        Ok(Ok(next)) => next,
                        Ok(Err(_)) => return,
                        Err(_) => panic!("an effect that is waited for did not come"),
                    },
                    // As when the connection ends: the effect stands, the answer is dropped, perhaps polled once.
                    Answer::Later(future) => {
                        let _ = tokio::time::timeout(Duration::ZERO, future).await;
                        break;
                    }
                    Answer::Now(_) | Answer::Silent => break,
                }
            }
        }
    });
});

/// The frames of an input: a length of two bytes before each.
fn frames(data: &[u8]) -> Vec<Bytes> {
    let mut rest = Bytes::copy_from_slice(data);
    let mut frames = Vec::new();
    while rest.len() > 2 {
        let length = usize::from(rest.get_u16()).min(rest.len());
        frames.push(rest.split_to(length));
    }
    frames
}
