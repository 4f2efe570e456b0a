//! What a user's values turn into: precedence, defaults, errors, topic configuration.

use super::*;

fn load_pairs(pairs: &[(&str, &str)]) -> Result<Config, String> {
    Config::from_pairs(pairs.iter().copied()).map_err(|errors| join(&errors))
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn without_any_source_the_defaults_are_kafkas_for_a_node_alone() {
    let config = load(&Sources::default()).unwrap();
    assert_eq!(config.warnings, Vec::<String>::new());
    let config = config.config;
    assert_eq!(config.node_id, NodeId(1));
    assert_eq!(config.network.listeners.len(), 1);
    assert_eq!((config.network.listeners[0].host.as_deref(), config.network.listeners[0].port), (None, 9092));
    assert_eq!(config.network.listeners[0].advertised, None);
    assert_eq!(config.storage.log_dirs, [PathBuf::from("milena-data")]);
    assert_eq!(config.offsets.topic_num_partitions, 50);
    assert_eq!(config.offsets.retention_ms, 7 * 24 * 3_600_000);
    assert_eq!(config.group.initial_rebalance_delay_ms, 0);
    assert_eq!(config.network.socket_request_max_bytes, 104_857_600);
    assert_eq!(config.network.socket_send_buffer_bytes, Some(102_400));
    assert_eq!(config.network.socket_receive_buffer_bytes, None);
    let topic = config.topic_config(&BTreeMap::new()).unwrap();
    assert_eq!(topic.retention_ms, 604_800_000);
    assert_eq!(topic.segment_ms, 604_800_000);
    assert_eq!(topic.flush_ms, i64::MAX);
    assert_eq!(topic.segment_bytes, 1 << 30);
    assert_eq!(topic.cleanup_policy, CleanupPolicy { delete: true, compact: false });
}

#[test]
fn arguments_win_over_variables_and_variables_over_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("server.properties");
    std::fs::write(&file, "num.partitions=2\nlog.retention.hours=1\nnode.id=7\n").unwrap();
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let loaded = load(&Sources {
        file: Some(file),
        environment: vec![variable("KAFKA_NUM_PARTITIONS", "3"), variable("KAFKA_NODE_ID", "8")],
        overrides: vec!["num.partitions=4".to_owned()],
    })
    .unwrap();
    assert_eq!(loaded.config.topics.num_partitions, 4);
    assert_eq!(loaded.config.node_id, NodeId(8));
    assert_eq!(loaded.config.topic_config(&BTreeMap::new()).unwrap().retention_ms, 3_600_000);
}

#[test]
fn an_unknown_key_is_one_warning_and_a_missing_feature_another() {
    let overrides = ["no.such.key=1", "authorizer.class.name=A", "process.roles=broker,controller"];
    let overrides = overrides.iter().map(|&text| text.to_owned()).collect();
    let loaded = load(&Sources { overrides, ..Sources::default() }).unwrap();
    assert_eq!(
        loaded.warnings,
        vec![
            "configuration authorizer.class.name has no effect: the feature is not served",
            "configuration no.such.key is not known and has no effect"
        ]
    );
}

#[test]
fn every_wrong_value_is_named_with_what_is_allowed() {
    let error = load_pairs(&[
        ("num.partitions", "0"),
        ("message.max.bytes", "big"),
        ("background.threads", "0"),
        ("milena.metrics.address", "9464"),
    ]);
    let error = error.unwrap_err();
    for part in [
        "Invalid value 0 for configuration num.partitions: must be at least 1",
        "Invalid value big for configuration message.max.bytes: must be a whole number",
        "Invalid value 0 for configuration background.threads: must be at least 1",
        "Invalid value 9464 for configuration milena.metrics.address: must be HOST:PORT",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(error.matches("message.max.bytes").count(), 1, "{error}");
}

#[test]
fn a_wrong_file_or_argument_is_a_clear_error() {
    let missing = Sources { file: Some(PathBuf::from("/nowhere/x.properties")), ..Sources::default() };
    assert!(load(&missing).unwrap_err().to_string().starts_with("cannot read /nowhere/x.properties: "));
    let argument = Sources { overrides: vec!["a".to_owned()], ..Sources::default() };
    assert_eq!(load(&argument).unwrap_err().to_string(), "--override a: must be of the form key=value");
}

#[test]
fn a_servers_file_of_a_kraft_node_is_accepted() {
    let config = load_pairs(&[
        ("process.roles", "broker,controller"),
        ("node.id", "1"),
        ("controller.quorum.voters", "1@localhost:9093"),
        ("listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"),
        ("inter.broker.listener.name", "PLAINTEXT"),
        ("advertised.listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"),
        ("controller.listener.names", "CONTROLLER"),
        ("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL"),
        ("log.dirs", "/tmp/kraft-combined-logs"),
        ("log.segment.bytes", "1073741824"),
    ])
    .unwrap();
    assert_eq!(config.network.listeners.len(), 1);
    assert!(config.network.listeners[0].advertised.is_some());
    assert!(load_pairs(&[("process.roles", "controller")]).unwrap_err().contains("must contain broker"));
}

#[test]
fn broker_id_stands_in_for_node_id_and_must_agree_with_it() {
    assert_eq!(load_pairs(&[("broker.id", "5")]).unwrap().node_id, NodeId(5));
    assert_eq!(load_pairs(&[("broker.id", "5"), ("node.id", "5")]).unwrap().node_id, NodeId(5));
    assert!(load_pairs(&[("broker.id", "5"), ("node.id", "6")]).unwrap_err().contains("must equal node.id"));
}

#[test]
fn a_bad_node_id_is_reported_once_under_the_name_that_was_set() {
    for name in ["node.id", "broker.id"] {
        let other = if name == "node.id" { "broker.id" } else { "node.id" };
        for bad in ["x", "-3", "2147483648"] {
            for pairs in [&[(name, bad)][..], &[(name, bad), (other, "5")]] {
                let error = load_pairs(pairs).unwrap_err();
                let start = format!("Invalid value {bad} for configuration {name}: must be ");
                assert!(error.starts_with(&start) && !error.contains(';'), "{pairs:?}: {error}");
            }
        }
    }
}

#[test]
fn log_dirs_stands_before_log_dir_and_the_metadata_lie_in_the_first_directory() {
    let dirs = |pairs: &[(&str, &str)]| {
        let storage = load_pairs(pairs).unwrap().storage;
        let named = storage.log_dirs.iter().chain([&storage.metadata_log_dir]);
        named.map(|dir| dir.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(dirs(&[("log.dir", "/a"), ("log.dirs", "/b")]), ["/b", "/b"]);
    assert_eq!(dirs(&[("log.dir", "/a,/b")]), ["/a", "/b", "/a"]);
    assert_eq!(dirs(&[("log.dirs", " /b , a/c")]), ["/b", "a/c", "/b"]);
    assert_eq!(dirs(&[("log.dirs", "/a,/b"), ("metadata.log.dir", "/c ")]), ["/a", "/b", "/c"]);
}

#[test]
fn directories_that_are_empty_or_named_twice_are_refused() {
    for (dirs, rule) in [
        ("", "none of them empty"),
        ("/a,,/b", "none of them empty"),
        ("/a,", "none of them empty"),
        ("/a,/b,/a", "/a is there twice"),
        ("/a, /a/", "/a/ is there twice"),
    ] {
        let error = load_pairs(&[("log.dirs", dirs)]).unwrap_err();
        assert!(
            error.starts_with(&format!("Invalid value {dirs} for configuration log.dirs: must name")),
            "{error}"
        );
        assert!(error.contains(rule), "{dirs}: {error}");
    }
    assert!(load_pairs(&[("metadata.log.dir", " ")]).unwrap_err().contains("metadata.log.dir: must name"));
}

#[test]
fn milliseconds_stand_before_minutes_before_hours() {
    let retention = |pairs: &[(&str, &str)]| {
        load_pairs(pairs).map(|config| config.topic_config(&BTreeMap::new()).unwrap().retention_ms)
    };
    let all = [("log.retention.ms", "5"), ("log.retention.minutes", "6"), ("log.retention.hours", "7")];
    assert_eq!(retention(&all), Ok(5));
    assert_eq!(retention(&all[1..]), Ok(6 * 60_000));
    assert_eq!(retention(&all[2..]), Ok(7 * 3_600_000));
    assert_eq!(retention(&[("log.retention.hours", "-1")]), Ok(-1));
    assert!(retention(&[("log.retention.minutes", "0")]).unwrap_err().contains("log.retention.minutes"));
    let roll = load_pairs(&[("log.roll.hours", "2")]).unwrap().topic_config(&BTreeMap::new()).unwrap();
    assert_eq!(roll.segment_ms, 2 * 3_600_000);
}

#[test]
fn a_topics_own_value_stands_before_the_brokers() {
    let config = load_pairs(&[("log.cleanup.policy", "compact"), ("compression.type", "gzip")]).unwrap();
    let topic =
        config.topic_config(&map(&[("retention.ms", "-1"), ("compression.gzip.level", "9")])).unwrap();
    assert_eq!(topic.retention_ms, -1);
    assert_eq!(topic.cleanup_policy, CleanupPolicy { delete: false, compact: true });
    assert_eq!(topic.compression_type, CompressionType::Gzip { level: 9 });
    let small = config.topic_config(&map(&[("internal.segment.bytes", "100"), ("segment.bytes", "1048576")]));
    assert_eq!(small.unwrap().segment_bytes, 100);
}

#[test]
fn wrong_topic_values_are_refused_and_stored_ones_left_out() {
    let config = load_pairs(&[]).unwrap();
    let overrides = map(&[("retention.ms", "-2"), ("no.such", "1"), ("segment.ms", "7")]);
    let errors = join(&config.topic_config(&overrides).unwrap_err());
    assert!(
        errors.contains("Invalid value -2 for configuration retention.ms: must be at least -1"),
        "{errors}"
    );
    assert!(errors.contains("Unknown topic config name: no.such"), "{errors}");
    let (stored, errors) = config.stored_topic_config(&overrides);
    assert_eq!((stored.retention_ms, stored.segment_ms, errors.len()), (604_800_000, 7, 2));
    let lag = map(&[("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "5")]);
    assert!(join(&config.topic_config(&lag).unwrap_err()).contains("max.compaction.lag.ms, which is 5"));
    let tiered = map(&[("remote.storage.enable", "true")]);
    assert!(join(&config.topic_config(&tiered).unwrap_err()).contains("tiered storage is not served"));
}

#[test]
fn values_set_at_run_time_stand_before_those_of_the_start() {
    let config = load_pairs(&[("log.retention.ms", "100"), ("message.max.bytes", "5000")]).unwrap();
    let cluster = map(&[("log.retention.ms", "200"), ("message.max.bytes", "6000")]);
    let node = map(&[("log.retention.ms", "300"), ("num.partitions", "9")]);
    let (config, errors) = config.with_dynamic(&cluster, &node);
    let topic = config.topic_config(&BTreeMap::new()).unwrap();
    assert_eq!((topic.retention_ms, topic.max_message_bytes), (300, 6000));
    assert!(join(&errors).contains("num.partitions: can only be set at start"));
    let sources: Vec<_> =
        config.values.synonyms("log.retention.ms").into_iter().map(|s| (s.name, s.value, s.source)).collect();
    assert_eq!(
        sources,
        vec![
            ("log.retention.ms".to_owned(), "300".to_owned(), Source::DynamicBroker),
            ("log.retention.ms".to_owned(), "200".to_owned(), Source::DynamicDefaultBroker),
            ("log.retention.ms".to_owned(), "100".to_owned(), Source::StaticBroker),
            ("log.retention.hours".to_owned(), "168".to_owned(), Source::Default),
        ]
    );
    let (config, _) = config.with_dynamic(&BTreeMap::new(), &BTreeMap::new());
    assert_eq!(config.topic_config(&BTreeMap::new()).unwrap().retention_ms, 100);
}

#[test]
fn synonyms_are_none_when_only_another_unit_is_set() {
    let config = load_pairs(&[("log.retention.minutes", "5")]).unwrap();
    assert_eq!(config.values.synonyms("log.retention.ms"), Vec::new());
    assert_eq!(config.values.synonyms("log.retention.minutes").len(), 2);
}

#[test]
fn the_cluster_id_comes_from_our_key_or_the_images_variable() {
    let environment = vec![("CLUSTER_ID".to_owned(), "4L6g3nShT-eMCtK--X86sw".to_owned())];
    let loaded = load(&Sources { environment: environment.clone(), ..Sources::default() }).unwrap();
    assert_eq!(loaded.config.cluster_id.as_deref(), Some("4L6g3nShT-eMCtK--X86sw"));
    let overrides = vec!["milena.cluster.id=other".to_owned()];
    let loaded = load(&Sources { environment, overrides, file: None }).unwrap();
    assert_eq!(loaded.config.cluster_id.as_deref(), Some("other"));
}

#[test]
fn a_topics_flush_interval_is_the_brokers_and_else_that_of_its_schedule_and_else_never() {
    let flush_ms = |pairs: &[(&'static str, &'static str)]| {
        let config = Config::from_pairs(pairs.iter().copied()).unwrap();
        config.topic_config(&BTreeMap::new()).unwrap().flush_ms
    };
    assert_eq!(flush_ms(&[]), i64::MAX);
    assert_eq!(flush_ms(&[("log.flush.scheduler.interval.ms", "7")]), 7);
    let both = [("log.flush.scheduler.interval.ms", "7"), ("log.flush.interval.ms", "9")];
    assert_eq!(flush_ms(&both), 9);
}

#[test]
fn a_wrong_value_is_reported_with_where_it_came_from() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("server.properties");
    std::fs::write(&file, "# first\nnum.partitions=a\nlog.dirs=\\\n  /a,,/b\nnum.partitions\n").unwrap();
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let error = load(&Sources {
        file: Some(file.clone()),
        environment: vec![variable("KAFKA_NODE_ID", "x"), variable("KAFKA_num_io_threads", "0")],
        overrides: vec!["message.max.bytes=-1".to_owned()],
    });
    let error = error.unwrap_err().to_string();
    let said: Vec<_> = error.split("; Invalid").collect();
    let file = file.display();
    for (key, place) in [
        ("num.partitions", format!("(from {file}, line 5)")),
        ("log.dirs", format!("(from {file}, line 3)")),
        ("node.id", "(from KAFKA_NODE_ID)".to_owned()),
        ("num.io.threads", "(from KAFKA_num_io_threads)".to_owned()),
        ("message.max.bytes", "(from --override)".to_owned()),
    ] {
        let about = |part: &&&str| part.contains(&format!("configuration {key}:"));
        let part = said.iter().find(about).unwrap_or_else(|| panic!("{key} is not in {error}"));
        assert!(part.ends_with(&place), "{part}");
    }
}

#[test]
fn a_malformed_line_is_named_with_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("server.properties");
    std::fs::write(&file, "a=1\nb=\\u12\n").unwrap();
    let error = load(&Sources { file: Some(file.clone()), ..Sources::default() }).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot read {}: line 2: ", file.display())), "{error}");
}
