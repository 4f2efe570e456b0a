//! The small files of a data directory, the metadata journal, and properties files. The first byte chooses the file.
#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use milena::config::{self, Sources};
use milena::controller::stored_image;
use milena::log::{checkpoint, epochs::EpochCache, snapshot, txn_index};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    match choice {
        0 => {
            if let Ok(offsets) = checkpoint::parse_offsets(rest) {
                let text = checkpoint::format_offsets(&offsets);
                assert!(checkpoint::parse_offsets(text.as_bytes()).is_ok_and(|again| again == offsets));
            }
        }
        1 => {
            if let Ok(epochs) = EpochCache::parse(rest) {
                let again = EpochCache::parse(epochs.format().as_bytes()).unwrap();
                assert_eq!(again.entries(), epochs.entries());
            }
        }
        2 => {
            let _ = snapshot::decode(rest);
        }
        3 => {
            let _ = txn_index::parse(rest, 0);
        }
        4 => journal(&[("00000000000000000000.log", rest)]),
        5 => journal(&[("00000000000000000000-0000000000.checkpoint", rest)]),
        6 => {
            let home = tempfile::tempdir().unwrap();
            let file = home.path().join("server.properties");
            std::fs::write(&file, rest).unwrap();
            let sources = Sources { file: Some(PathBuf::from(&file)), ..Sources::default() };
            let _ = config::load(&sources);
        }
        _ => {}
    }
});

fn journal(files: &[(&str, &[u8])]) {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("__cluster_metadata-0");
    std::fs::create_dir(&dir).unwrap();
    for (name, bytes) in files {
        std::fs::write(dir.join(name), bytes).unwrap();
    }
    let _ = stored_image(home.path());
}
