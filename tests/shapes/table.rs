//! Learns all shapes, and writes them as the source file that is committed.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use milena::wire::guard::Shape;

use crate::learn::Learner;
use crate::requests;

/// One request at one version.
pub(crate) struct Learned {
    pub(crate) name: &'static str,
    pub(crate) api_key: i16,
    pub(crate) version: i16,
    pub(crate) shape: &'static [Shape],
}

/// The shapes of all requests at all versions, by key and version.
pub(crate) fn learn() -> Vec<Learned> {
    let mut learned = vec![];
    for row in requests::all() {
        for version in row.versions.clone() {
            let learner = Learner { probe: row.probe, version };
            let shape =
                learner.request().unwrap_or_else(|| panic!("{} v{version} is not understood", row.name));
            learned.push(Learned { name: row.name, api_key: row.api_key, version, shape });
        }
    }
    learned
}

/// Writes `src/wire/shapes.rs`, neighbouring versions of one shape as one row.
pub(crate) fn write(learned: &[Learned]) {
    let mut text = HEAD.to_owned();
    for same in learned.chunk_by(|a, b| a.api_key == b.api_key && a.shape == b.shape) {
        let (first, last) = (&same[0], &same[same.len() - 1]);
        let versions = if first.version == last.version {
            format!("v{}", first.version)
        } else {
            format!("v{} to v{}", first.version, last.version)
        };
        writeln!(text, "// {} {versions}", first.name).unwrap();
        let body = source(first.shape);
        writeln!(text, "({}, {}, {}, {body}),", first.api_key, first.version, last.version).unwrap();
    }
    text.push_str("];\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wire/shapes.rs");
    std::fs::write(&path, text).unwrap();
    let formatted = Command::new("rustfmt").args(["--edition", "2024"]).arg(&path).status().unwrap();
    assert!(formatted.success());
}

/// The shapes as Rust.
fn source(shapes: &[Shape]) -> String {
    let shapes: Vec<String> = shapes.iter().map(shape).collect();
    format!("&[{}]", shapes.join(", "))
}

fn shape(shape: &Shape) -> String {
    match shape {
        Shape::Fixed(bytes) => format!("Fixed({bytes})"),
        Shape::String => "String".to_owned(),
        Shape::Bytes => "Bytes".to_owned(),
        Shape::Compact => "Compact".to_owned(),
        Shape::Array(element) => format!("Array({})", source(element)),
        Shape::CompactArray(element) => format!("CompactArray({})", source(element)),
        Shape::Optional(value) => format!("Optional({})", source(value)),
        Shape::Tags(known) => {
            let known: Vec<String> =
                known.iter().map(|(tag, value)| format!("({tag}, {})", source(value))).collect();
            format!("Tags(&[{}])", known.join(", "))
        }
    }
}

const HEAD: &str = "\
//! What the decoders of the protocol crate and of `messages` read for every request at every version: the guard walks
//! it. Learned from them and written by `tests/shapes`, which fails when this is stale; not edited by hand.

use super::guard::Shape::{self, Array, Bytes, Compact, CompactArray, Fixed, Optional, String, Tags};

/// The shape of a request's body; `None` when the decoder does not have the version.
pub fn of(api_key: i16, version: i16) -> Option<&'static [Shape]> {
    let behind = ROWS.partition_point(|&(key, first, _, _)| (key, first) <= (api_key, version));
    let &(key, _, last, shape) = ROWS.get(behind.checked_sub(1)?)?;
    (key == api_key && version <= last).then_some(shape)
}

/// API key, first and last version of every row, in order.
pub fn versions() -> impl Iterator<Item = (i16, i16, i16)> {
    ROWS.iter().map(|&(key, first, last, _)| (key, first, last))
}

/// API key, first version, last version and shape, ordered by key and version.
static ROWS: &[(i16, i16, i16, &[Shape])] = &[
";
