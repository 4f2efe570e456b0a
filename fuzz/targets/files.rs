//! The small files of a data directory, the metadata journal, the records of internal topics, and properties files. The
//! first byte chooses which; what is read is written again as it was where that can be said.
#![no_main]

use std::fmt::Debug;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use milena::config::{self, Config, Sources};
use milena::controller::stored_image;
use milena::log::{checkpoint, epochs::EpochCache, snapshot, txn_index};
use milena::wire::records::control_record::ControlRecord;
use milena::wire::records::metadata::MetadataRecord;
use milena::wire::records::offsets::{GroupMetadataValue, OffsetCommitValue, OffsetsKey};
use milena::wire::records::transactions::{TransactionLogKey, TransactionLogValue};
use milena_fuzz::{bounded, seal_log};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    bounded(|| file(choice, rest));
});

fn file(choice: u8, bytes: &[u8]) {
    match choice {
        0 => {
            if let Ok(offsets) = checkpoint::parse_offsets(bytes) {
                let text = checkpoint::format_offsets(&offsets);
                assert!(checkpoint::parse_offsets(text.as_bytes()).is_ok_and(|again| again == offsets));
            }
        }
        1 => epochs(bytes),
        2 => {
            if let Ok(state) = snapshot::decode(bytes) {
                let again = snapshot::decode(&snapshot::encode(&state)).expect("a snapshot is read");
                assert_eq!(again.producers().len(), state.producers().len());
            }
        }
        3 => {
            if let Some(entries) = txn_index::parse(bytes, 0) {
                let again: Vec<u8> = entries.iter().flat_map(|entry| entry.encode()).collect();
                assert_eq!(again, bytes[..again.len()]);
            }
        }
        4 => journal("00000000000000000000.log", bytes, false),
        5 => journal("00000000000000000000-0000000000.checkpoint", bytes, false),
        6 => properties(bytes),
        7 => journal("00000000000000000000.log", bytes, true),
        8 => journal("00000000000000000000-0000000000.checkpoint", bytes, true),
        9 => again(bytes, MetadataRecord::decode, |record| record.encode(record.latest_version())),
        10 => again(bytes, OffsetsKey::decode, OffsetsKey::encode),
        11 => again(bytes, OffsetCommitValue::decode, |value| value.encode(4)),
        12 => again(bytes, GroupMetadataValue::decode, |value| value.encode(4)),
        13 => again(bytes, TransactionLogKey::decode, TransactionLogKey::encode),
        14 => again(bytes, TransactionLogValue::decode, |value| value.encode(1)),
        15 => control(bytes),
        16 => setting(bytes),
        _ => {}
    }
}

fn epochs(bytes: &[u8]) {
    if let Ok(epochs) = EpochCache::parse(bytes) {
        let again = EpochCache::parse(epochs.format().as_bytes()).expect("epochs are read");
        assert_eq!(again.entries(), epochs.entries());
    }
}

/// What is decoded comes back from its encoding.
fn again<T: Debug + PartialEq, E: Debug>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, E>,
    encode: impl Fn(&T) -> Result<Vec<u8>, E>,
) {
    let Ok(value) = decode(bytes) else { return };
    // Not every value fits every version, and strings have a longest length.
    if let Ok(encoded) = encode(&value) {
        assert!(decode(&encoded).is_ok(), "what was encoded is read: {value:?}");
    }
}

fn control(bytes: &[u8]) {
    let Some((&length, rest)) = bytes.split_first() else { return };
    let Some((key, value)) = rest.split_at_checked(usize::from(length)) else { return };
    let _ = ControlRecord::type_of(key);
    if let Ok(record) = ControlRecord::decode(key, value) {
        let (key, value) = record.encode().expect("a control record can be encoded");
        ControlRecord::decode(&key, &value).expect("and read");
    }
}

fn properties(bytes: &[u8]) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("server.properties");
    std::fs::write(&file, bytes).unwrap();
    let sources = Sources { file: Some(PathBuf::from(&file)), ..Sources::default() };
    let _ = config::load(&sources);
}

/// One setting of the broker, or of a topic.
fn setting(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((name, value)) = text.split_once('=') else { return };
    if let Ok(config) = Config::from_pairs([(name, value)]) {
        let _ = config.given(name);
    }
    let given = [(name.to_owned(), value.to_owned())].into_iter().collect();
    let _ = Config::from_pairs([]).map(|config| config.topic_config(&given));
}

fn journal(name: &str, bytes: &[u8], sealed: bool) {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("__cluster_metadata-0");
    std::fs::create_dir(&dir).unwrap();
    let mut bytes = bytes.to_vec();
    if sealed {
        seal_log(&mut bytes);
    }
    std::fs::write(dir.join(name), bytes).unwrap();
    let _ = stored_image(home.path());
}
