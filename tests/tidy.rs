//! What a reader of this tree relies on, as a test: rows import only lower rows, every API file stands in the
//! table, links in the documents lead somewhere, and the project speaks of nothing but itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rows of the house, top to bottom; those on one line are one row.
const ROWS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["server"],
    &["net"],
    &["api"],
    &["broker"],
    &["coordinator"],
    &["controller"],
    &["replica"],
    &["log"],
    &["wire"],
    &["observe", "config", "limits", "types"],
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else { return found };
    for entry in entries.map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir()
            && !name.starts_with('.')
            && !["target", "node_modules", "libs"].contains(&name.as_str())
        {
            found.extend(files(&path, ending));
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn row_of(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// The top-level module that a source file belongs to.
fn module_of(file: &Path) -> String {
    let below = file.strip_prefix(root().join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The top-level modules that a text names by `crate::…` or `milena::…`.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for prefix in ["crate::", "milena::"] {
            for (at, _) in line.match_indices(prefix) {
                let rest = &line[at + prefix.len()..];
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                found.insert(name);
            }
        }
    }
    found
}

#[test]
fn a_row_imports_only_rows_below_it() {
    let mut wrong = Vec::new();
    for file in files(&root().join("src"), ".rs") {
        let module = module_of(&file);
        if module == "lib" {
            continue;
        }
        let row = row_of(&module).unwrap_or_else(|| panic!("{} belongs to no row", file.display()));
        let text = fs::read_to_string(&file).unwrap();
        for import in imports(&text) {
            let same = import == module;
            if row_of(&import)
                .is_some_and(|other| other < row || (other == row && !same && row < ROWS.len() - 1))
            {
                wrong.push(format!("{} imports {import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_of_the_library_has_a_row() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for line in lib.lines().filter_map(|line| line.strip_prefix("pub mod ")) {
        let name = line.trim_end_matches(';');
        assert!(row_of(name).is_some(), "{name} has no row");
    }
}

#[test]
fn every_api_file_has_its_row_in_the_table() {
    let table = fs::read_to_string(root().join("src/api/table.rs")).unwrap();
    for file in files(&root().join("src/api"), ".rs") {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let has_handler = fs::read_to_string(&file).unwrap().contains("fn handle(");
        if !has_handler || file.parent() != Some(&root().join("src/api")) {
            continue;
        }
        assert!(table.contains(&format!("super::{name}::")), "{} is not in the table", file.display());
    }
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    let mut broken = Vec::new();
    for file in files(&root(), ".md") {
        let text = fs::read_to_string(&file).unwrap();
        for (at, _) in text.match_indices("](") {
            let target: String = text[at + 2..].chars().take_while(|c| !")# ".contains(*c)).collect();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            if !file.parent().unwrap().join(&target).exists() {
                broken.push(format!("{}: {target}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_file_says_at_its_top_what_it_is_for() {
    for file in files(&root().join("src"), ".rs") {
        if file.ends_with("tests.rs")
            || file.to_string_lossy().ends_with("_tests.rs")
            || file.ends_with("tests/mod.rs")
        {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} does not open with what it is for", file.display());
    }
}

#[test]
fn the_documents_name_every_row_of_the_house() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for name in ROWS.iter().flat_map(|row| row.iter()) {
        assert!(architecture.contains(&format!("`{name}")), "ARCHITECTURE.md does not mention {name}");
    }
}

#[test]
fn every_limit_that_is_documented_names_tests_that_exist() {
    let sources: String = ["src", "tests", "examples"]
        .iter()
        .flat_map(|dir| files(&root().join(dir), ".rs"))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let document = fs::read_to_string(root().join("docs/limits.md")).unwrap();
    let rows = document.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| limit"));
    let mut named = 0;
    for row in rows {
        let tests = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap();
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test: {row}");
        for name in names {
            assert!(sources.contains(&format!("fn {name}(")), "there is no test {name}");
            named += 1;
        }
    }
    assert!(named > 30, "{named}");
}
