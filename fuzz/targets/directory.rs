//! A broker's start on a data directory whose files hold whatever they hold, and its stop: a refusal in words, or a broker
//! that stops cleanly and starts again. The first byte says whether checksums are put right; the files follow.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use milena::config::Config;
use milena::server::Server;
use milena_fuzz::{bounded, parts, seal_log};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// A part's place in an input is its file's place here; `fuzz/seeds.py` reads this list.
const NAMES: [&str; 23] = [
    "meta.properties",
    ".kafka_cleanshutdown",
    "recovery-point-offset-checkpoint",
    "replication-offset-checkpoint",
    "log-start-offset-checkpoint",
    "cleaner-offset-checkpoint",
    "__cluster_metadata-0/quorum-state",
    "__cluster_metadata-0/partition.metadata",
    "__cluster_metadata-0/leader-epoch-checkpoint",
    "__cluster_metadata-0/00000000000000000000.log",
    "__cluster_metadata-0/00000000000000000000-0000000000.checkpoint",
    "__consumer_offsets-0/partition.metadata",
    "__consumer_offsets-0/leader-epoch-checkpoint",
    "__consumer_offsets-0/00000000000000000000.log",
    "plain-0/partition.metadata",
    "plain-0/leader-epoch-checkpoint",
    "plain-0/00000000000000000000.log",
    "plain-0/00000000000000000000.index",
    "plain-0/00000000000000000000.timeindex",
    "plain-0/00000000000000000010.snapshot",
    "plain-0/00000000000000000000.log.swap",
    "plain-0/00000000000000000000.log.cleaned",
    "bootstrap.checkpoint",
];

fuzz_target!(|data: &[u8]| {
    let Some((&flags, rest)) = data.split_first() else { return };
    let home = tempfile::tempdir().unwrap();
    for (name, part) in NAMES.iter().zip(parts(rest)) {
        if part.is_empty() {
            continue;
        }
        let mut bytes = part.to_vec();
        if flags & 1 == 0 && (name.contains(".log") || name.ends_with(".checkpoint")) {
            seal_log(&mut bytes);
        }
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let path = home.path().to_str().unwrap();
    bounded(|| {
        let started = || {
            Server::start(
                Config::from_pairs([("listeners", "PLAINTEXT://127.0.0.1:0"), ("log.dirs", path)]).unwrap(),
            )
        };
        RUNTIME.block_on(async {
            let Ok(server) = started().await else { return };
            server.stop().await.expect("what started stops");
            let server = started().await.expect("what stopped starts again");
            server.stop().await.expect("and stops");
        });
    });
});
