//! The guard's shapes against the decoder that they were learned from.
//! `MILENA_WRITE_SHAPES=1 cargo test --test shapes` writes `src/wire/shapes.rs` anew; without it a stale file fails.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod bodies;
mod learn;
mod probe;
mod requests;
mod table;

use std::collections::BTreeSet;

use bodies::{Body, Random, Width};
use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use milena::wire::guard::{self, GuardError};
use milena::wire::shapes;
use requests::Row;

/// Calls `visit` for every request at every version, with a generator of its own.
fn for_each_version(mut visit: impl FnMut(&Row, i16, &mut Random)) {
    for row in requests::all() {
        for version in row.versions.clone() {
            let seed = 0x9E37_79B9_7F4A_7C15 ^ (u64::from(row.api_key as u16) << 16) ^ version as u64;
            visit(&row, version, &mut Random(seed));
        }
    }
}

#[test]
fn the_committed_shapes_are_those_of_the_decoder() {
    let learned = table::learn();
    if std::env::var_os("MILENA_WRITE_SHAPES").is_some() {
        table::write(&learned);
        return;
    }
    let mut versions = 0;
    for entry in &learned {
        let committed = shapes::of(entry.api_key, entry.version);
        assert_eq!(committed, Some(entry.shape), "{} v{} is stale", entry.name, entry.version);
        versions += 1;
    }
    let rows: i32 = shapes::versions().map(|(_, first, last)| i32::from(last - first) + 1).sum();
    assert_eq!(rows, versions, "the committed file has versions that the decoder lacks");
}

#[test]
fn every_api_that_the_crate_knows_has_a_shape() {
    let learned: BTreeSet<i16> = requests::all().iter().map(|row| row.api_key).collect();
    let known: BTreeSet<i16> = ApiKey::iter().map(|key| key as i16).collect();
    assert_eq!(learned, known);
}

#[test]
fn a_valid_body_passes_and_takes_what_the_decoder_takes() {
    for_each_version(|row, version, random| {
        let shape = shapes::of(row.api_key, version).unwrap();
        for _ in 0..200 {
            let mut body = Body::random(shape, random).bytes;
            let length = body.len();
            body.extend_from_slice(b"zz");
            let body = body.freeze();
            assert_eq!(guard::check(row.api_key, version, &body), Ok(length), "{} v{version}", row.name);
            assert_eq!((row.decode)(&body, version), Some(length), "{} v{version}", row.name);
        }
    });
}

/// What the guard lets through, the decoder takes as far as the guard said, or refuses with an error.
/// A panic of the decoder, or an allocation that the system refuses, ends the test.
fn survives(row: &Row, version: i16, body: &Bytes) -> Result<(), GuardError> {
    let taken = guard::check(row.api_key, version, body)?;
    if let Some(decoded) = (row.decode)(body, version) {
        assert_eq!(decoded, taken, "{} v{version}: {body:?}", row.name);
    }
    Ok(())
}

/// An allocation above this aborts the process instead of going unnoticed in memory that nobody touches.
fn limit_address_space() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::As).maximum;
    setrlimit(Resource::As, Rlimit { current: Some(2 << 30), maximum }).unwrap();
}

/// Replaces the count or length at `at` by one that no body of this size has room for.
fn with_length(body: &[u8], at: usize, width: Width, hostile: &[u8]) -> Bytes {
    let behind = at
        + match width {
            Width::I16 => 2,
            Width::I32 => 4,
            Width::Varint => 1,
        };
    [&body[..at], hostile, &body[behind..]].concat().into()
}

/// Lengths that are out of range wherever they stand.
fn hostile_lengths(width: Width) -> &'static [&'static [u8]] {
    match width {
        Width::I16 => &[&[0x7f, 0xff], &[0x80, 0], &[0xff, 0xfe]],
        Width::I32 => {
            &[&[0x7f, 0xff, 0xff, 0xff], &[0x80, 0, 0, 0], &[0xff, 0xff, 0xff, 0xfe], &[0, 1, 0x86, 0xa0]]
        }
        Width::Varint => &[
            &[0xff, 0xff, 0xff, 0xff, 0x0f],
            &[0xff, 0xff, 0xff, 0xff, 0x07],
            &[0xff, 0xff, 0xff, 0xff, 0xff],
            &[0xa0, 0x8d, 6],
        ],
    }
}

#[test]
fn a_hostile_count_length_or_tag_size_is_refused_at_every_place() {
    limit_address_space();
    let mut places = 0;
    for_each_version(|row, version, random| {
        let shape = shapes::of(row.api_key, version).unwrap();
        for _ in 0..20 {
            let body = Body::random(shape, random);
            for (at, width) in body.lengths {
                for hostile in hostile_lengths(width) {
                    let bytes = with_length(&body.bytes, at, width, hostile);
                    let refused = survives(row, version, &bytes);
                    assert!(
                        refused.is_err(),
                        "{} v{version}: {hostile:?} at {at} of {:?}",
                        row.name,
                        body.bytes
                    );
                }
                places += 1;
            }
        }
    });
    assert!(places > 10_000, "{places}");
}

#[test]
fn whatever_passes_the_guard_is_decoded_without_harm() {
    limit_address_space();
    let mut passed = 0;
    for_each_version(|row, version, random| {
        let shape = shapes::of(row.api_key, version).unwrap();
        for _ in 0..1_000 {
            let mut body = Body::random(shape, random).bytes;
            if body.is_empty() {
                return;
            }
            let at = random.below(body.len());
            for byte in body.iter_mut().skip(at).take(1 + random.below(5)) {
                *byte = [0xff, 0x7f, 0x80, 0x0f, 0, 1, 2, 0xfe][random.below(8)];
            }
            let cut = if random.below(8) == 0 { random.below(body.len()) } else { body.len() };
            passed += usize::from(survives(row, version, &body.freeze().slice(..cut)).is_ok());
        }
    });
    assert!(passed > 50_000, "{passed}");
}
