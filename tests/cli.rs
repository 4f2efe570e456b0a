//! The real binary's command line: help, version, and one clear sentence with exit code 1 for what is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::process::{Command, Output};

fn milena(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_milena")).args(arguments).env_clear().output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn help_and_version_are_printed() {
    let version = milena(&["--version"]);
    assert!(version.status.success());
    assert_eq!(String::from_utf8(version.stdout).unwrap(), format!("milena {}\n", env!("CARGO_PKG_VERSION")));
    let help = String::from_utf8(milena(&["--help"]).stdout).unwrap();
    for part in ["--override <KEY=VALUE>", "SERVER.PROPERTIES", "check", "KAFKA_", "MILENA_LOG"] {
        assert!(help.contains(part), "{help}");
    }
}

#[test]
fn a_wrong_value_is_one_sentence_on_stderr_and_exit_code_1() {
    let output = milena(&["--override", "num.partitions=many"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "milena: Invalid value many for configuration num.partitions: \
        must be a whole number from -2147483648 to 2147483647 (from --override)\n";
    assert_eq!(stderr(&output), expected);
}

#[test]
fn a_missing_file_is_named() {
    let output = milena(&["/nowhere/server.properties"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).starts_with("milena: cannot read /nowhere/server.properties: "),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_word_that_is_neither_a_file_nor_a_command_is_answered_with_what_is_allowed() {
    let output = milena(&["start"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "milena: there is no file and no command start: allowed are a properties file, check, config; \
        without either the broker starts, see milena --help\n";
    assert_eq!(stderr(&output), expected);
    let file = stderr(&milena(&["server.properties"]));
    assert!(file.starts_with("milena: cannot read server.properties: "), "{file}");
}

#[test]
fn a_bad_node_id_is_reported_once_under_the_name_that_was_set() {
    for (name, other) in [("node.id", "broker.id"), ("broker.id", "node.id")] {
        let said = stderr(&milena(&["--override", &format!("{name}=x")]));
        assert!(said.starts_with(&format!("milena: Invalid value x for configuration {name}: ")), "{said}");
        assert!(!said.contains(other), "{said}");
    }
}

#[test]
fn checking_a_closed_port_fails_within_its_timeout() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let output = milena(&["check", &address, "--timeout-ms", "2000"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).starts_with(&format!("milena: {address} is not serving: ")),
        "{}",
        stderr(&output)
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn the_effective_configuration_is_printed() {
    let output = milena(&["config", "--override", "num.partitions=5", "--override", "nope=1"]);
    assert!(output.status.success());
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(stdout.contains("\nnum.partitions=5\n"), "{stdout}");
    assert_eq!(stderr(&output), "milena: configuration nope is not known and has no effect\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn checking_a_running_broker_succeeds_with_one_line() {
    let broker = support::TestBroker::start().await;
    let address = broker.bootstrap();
    let output = tokio::task::block_in_place(|| milena(&["check", &address]));
    assert_eq!(stderr(&output), "");
    assert_eq!(output.status.code(), Some(0));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.starts_with(&format!("{address} serves: APIs ")), "{stdout}");
    assert_eq!(stdout.lines().count(), 1);
}

#[test]
fn a_directory_that_cannot_be_made_is_one_sentence_that_says_why_once() {
    let output =
        milena(&["--override", "listeners=PLAINTEXT://127.0.0.1:0", "--override", "log.dirs=/dev/null/data"]);
    assert_eq!(output.status.code(), Some(1));
    let expected =
        "milena: cannot use the data directory (log.dirs): /dev/null/data: Not a directory (os error 20)\n";
    assert_eq!(stderr(&output), expected);
}

#[test]
fn a_file_in_place_of_the_data_directory_is_named_with_its_setting() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    for name in ["log.dir", "log.dirs"] {
        let given = format!("{name}={path}");
        let output = milena(&["--override", "listeners=PLAINTEXT://127.0.0.1:0", "--override", &given]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(stderr(&output), format!("milena: {name}: {path} is not a directory\n"));
    }
}

#[test]
fn a_port_in_use_is_named_with_its_setting() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let output = milena(&["--override", &format!("listeners=PLAINTEXT://{address}")]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.starts_with(&format!("milena: cannot listen on PLAINTEXT://{address} (listeners): ")),
        "{said}"
    );
}

#[test]
fn what_belongs_to_config_may_stand_before_and_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("server.properties");
    std::fs::write(&file, "num.partitions=5\n").unwrap();
    let file = file.to_str().unwrap();
    let given = ["--override", "log.dir=a", "--override", "node.id=3", "config", "--override", "node.id=7"];
    let output = milena(&[&[file], &given[..]].concat());
    assert_eq!(stderr(&output), "");
    let stdout = String::from_utf8(output.stdout).unwrap();
    for part in ["\nnum.partitions=5\n", "\nlog.dir=a\n", "\nnode.id=7\n"] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    let twice = milena(&[file, "config", file]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(stderr(&twice).contains("one properties file"), "{}", stderr(&twice));
    let check = milena(&["--override", "node.id=3", "check"]);
    assert_eq!(check.status.code(), Some(2));
    assert!(stderr(&check).contains("check takes neither"), "{}", stderr(&check));
}

#[test]
fn an_unknown_option_is_answered_with_how_a_port_is_given() {
    for (arguments, tip) in [
        (&["--port", "9192"][..], "milena --override listeners=PLAINTEXT://127.0.0.1:9192"),
        (&["--port=9192"], "milena --override listeners=PLAINTEXT://127.0.0.1:9192"),
        (&["config", "--port", "9192"], "--override listeners=PLAINTEXT://127.0.0.1:9192"),
        (&["check", "--port", "9192"], "milena check localhost:9092"),
    ] {
        let output = milena(arguments);
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(said.contains("unexpected argument '--port'") && said.contains(tip), "{said}");
        assert!(!said.contains("as a value"), "{said}");
    }
    let similar = stderr(&milena(&["--overide", "a=b"]));
    assert!(similar.contains("a similar argument exists: '--override'"), "{similar}");
    let elsewhere = stderr(&milena(&["--all", "config"]));
    assert!(elsewhere.contains("'config --all' exists"), "{elsewhere}");
}

#[test]
fn an_address_to_check_that_is_none_is_answered_with_an_example() {
    for bad in
        ["127.0.0.1", "40029", ":9092", "http://localhost:9092", "localhost:", "localhost:x", "host:99999"]
    {
        let output = milena(&["check", bad]);
        assert_eq!(output.status.code(), Some(1));
        let expected = format!("milena: {bad} is no address: give HOST:PORT, for instance localhost:9092\n");
        assert_eq!(stderr(&output), expected);
    }
}

#[test]
fn an_unknown_key_keeps_its_value_unless_it_may_be_a_secret() {
    let secrets = ["listener.name.a.ssl.keystore.key=s3cret", "my.Password=s3cret", "x.auth.user=s3cret"];
    let mut arguments = vec!["config", "--override", "foo.bar=17"];
    arguments.extend(secrets.iter().flat_map(|secret| ["--override", *secret]));
    let stdout = String::from_utf8(milena(&arguments).stdout).unwrap();
    assert!(stdout.contains("# Not known, no effect.\n# source: override\nfoo.bar=17\n"), "{stdout}");
    assert!(stdout.contains("\n#my.Password=\n") && !stdout.contains("s3cret"), "{stdout}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_milena"));
    let output = command.arg("config").env("KAFKA_DB_PWD", "s3cret").output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("# source: environment\n#db.pwd=\n") && !stdout.contains("s3cret"), "{stdout}");
}
