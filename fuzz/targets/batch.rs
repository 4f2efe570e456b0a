//! A record batch as a producer sends it, its records, and each codec's bytes. The first byte chooses what the rest is.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use milena::wire::batch::{Batch, RecordRefs, first_record_at_or_after};
use milena::wire::compress::{Codec, decompress};

const LIMIT_BYTES: usize = 1 << 20;
const CODECS: [Codec; 4] = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    match CODECS.get(usize::from(choice)) {
        Some(codec) => {
            if let Ok(opened) = decompress(*codec, rest, LIMIT_BYTES) {
                assert!(opened.len() <= LIMIT_BYTES);
                for record in RecordRefs::new(&opened, i32::from(choice) * 7) {
                    if record.is_err() {
                        break;
                    }
                }
            }
        }
        None => batch(rest),
    }
});

fn batch(bytes: &[u8]) {
    let Ok(batch) = Batch::parse(Bytes::copy_from_slice(bytes)) else { return };
    let _ = batch.crc_is_valid();
    let _ = first_record_at_or_after(&batch, batch.header.max_timestamp);
    if let Ok(records) = batch.records() {
        // As many as the header claims, at most: it is a claim.
        for record in records {
            let Ok(record) = record else { break };
            let _ = (record.key, record.value);
        }
    }
    if let Ok(heads) = batch.record_heads() {
        for head in heads {
            if head.is_err() {
                break;
            }
        }
    }
}
