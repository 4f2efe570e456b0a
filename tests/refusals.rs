//! Directories that a broker must not use: each is refused with one sentence on stderr that says why, exit code 1, and
//! left as it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const CLUSTER: &str = "5L6g3nShT-eMCtK--X86sw";
/// Nobody: what root may do anyway, it may not.
const UNPRIVILEGED: u32 = 65_534;

/// What a broker says that cannot start in a directory.
fn refusal(directory: &Path, settings: &[&str], as_nobody: bool) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_milena"));
    command.arg("--override").arg("listeners=PLAINTEXT://127.0.0.1:0");
    command.arg("--override").arg(format!("log.dirs={}", directory.display()));
    for setting in settings {
        command.arg("--override").arg(setting);
    }
    if as_nobody {
        command.uid(UNPRIVILEGED);
    }
    let before = content(directory);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(content(directory), before, "a directory that is refused is left as it is");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said.replace(directory.to_str().unwrap(), "DIR")
}

/// The files of a directory but for the lock, which a look at it may leave.
fn content(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<_> = names
        .filter(|name| name != ".lock")
        .map(|name| (name.clone(), fs::read(directory.join(&name)).unwrap()))
        .collect();
    files.sort();
    files
}

fn with_meta(text: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("meta.properties"), text).unwrap();
    directory
}

fn meta(version: i32, node: i32) -> String {
    let directory = "JwUjqoq9hULXyDX2aaWqjg";
    format!("version={version}\ncluster.id={CLUSTER}\nnode.id={node}\ndirectory.id={directory}\n")
}

#[test]
fn the_directory_of_another_cluster_or_node_or_of_a_newer_release_is_refused() {
    let cases = [
        (
            meta(1, 1),
            "milena.cluster.id=AAAAAAAAAAAAAAAAAAAAAA",
            format!("cluster.id is {CLUSTER}, but AAAAAAAAAAAAAAAAAAAAAA is configured"),
        ),
        (meta(1, 7), "node.id=1", "node.id is 7, but 1 is configured".into()),
        (meta(2, 1), "node.id=1", "has version 2, but this release knows none above 1".into()),
        ("version=1\nnode.id=1\n".into(), "node.id=1", "has no cluster.id".into()),
    ];
    for (text, setting, reason) in cases {
        let directory = with_meta(&text);
        let expected =
            format!("milena: cannot use the data directory (log.dirs): DIR/meta.properties: {reason}\n");
        assert_eq!(refusal(directory.path(), &[setting], false), expected);
    }
}

#[test]
fn a_directory_that_another_process_holds_is_refused() {
    let directory = with_meta(&meta(1, 1));
    let lock = fs::File::create(directory.path().join(".lock")).unwrap();
    lock.lock().unwrap();
    let expected = "milena: cannot use the data directory (log.dirs): DIR/.lock: held by another process\n";
    assert_eq!(refusal(directory.path(), &[], false), expected);
    drop(lock);
}

#[test]
fn a_directory_without_permission_is_refused() {
    let directory = with_meta(&meta(1, 1));
    let path = directory.path();
    let is_root = fs::metadata(path).unwrap().uid() == 0;
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    // To write: not even the lock can be taken.
    set(path, 0o555);
    let expected =
        "milena: cannot use the data directory (log.dirs): DIR/.lock: Permission denied (os error 13)\n";
    assert_eq!(refusal(path, &[], is_root), expected);
    // To read what says whose it is.
    set(path, 0o777);
    let file = path.join("meta.properties");
    if is_root {
        chown(&file, Some(0), Some(0)).unwrap();
        set(&file, 0o600);
        let expected = "milena: cannot use the data directory (log.dirs): \
            DIR/meta.properties: Permission denied (os error 13)\n";
        assert_eq!(refusal(path, &[], true), expected);
    }
    // To list what is in it.
    set(&file, 0o666);
    let _ = fs::remove_file(path.join(".lock"));
    set(path, 0o333);
    let said = refusal(path, &[], is_root);
    assert_eq!(
        said,
        "milena: cannot use the data directory (log.dirs): DIR: Permission denied (os error 13)\n"
    );
    set(path, 0o777);
}
