//! The parts of the documents that are made from the program's own tables, against the files in the repository.
//! `MILENA_WRITE_DOCS=1 cargo test --test documents` writes them anew; without it a stale one fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod apis;
mod configuration;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use tempfile::NamedTempFile;

fn document(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Compares a document with what it should be, or writes it.
fn settle(name: &str, should: &str) {
    let path = document(name);
    if std::env::var_os("MILENA_WRITE_DOCS").is_some() {
        // In one step: other tests read it meanwhile.
        let mut whole = NamedTempFile::new_in(path.parent().unwrap()).unwrap();
        whole.write_all(should.as_bytes()).unwrap();
        whole.as_file().set_permissions(fs::metadata(&path).unwrap().permissions()).unwrap();
        whole.persist(path).unwrap();
        return;
    }
    let is = fs::read_to_string(path).unwrap_or_default();
    let first = is.lines().zip(should.lines()).find(|(is, should)| is != should);
    assert!(
        is == should,
        "{name} is stale: MILENA_WRITE_DOCS=1 cargo test --test documents writes it anew; the first difference: \
        {first:?}"
    );
}

/// `text` with what stands between the two comments of `part` replaced.
fn replaced(text: &str, part: &str, with: &str) -> String {
    let begin = format!("<!-- {part}, written by tests/documents -->\n");
    let end = format!("<!-- end of {part} -->\n");
    let from = text.find(&begin).unwrap_or_else(|| panic!("no {begin}")) + begin.len();
    let to = from + text[from..].find(&end).unwrap_or_else(|| panic!("no {end}"));
    format!("{}{with}{}", &text[..from], &text[to..])
}
