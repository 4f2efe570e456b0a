//! The machine driven by lists of commands, and by random ones against a simple model.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::controller::command::*;
use crate::controller::image::*;
use crate::types::{ErrorCode, LeaderEpoch, ProducerId};
use crate::wire::records::metadata::PartitionChangeRecord;

/// Knows `list` (a list, by default `a`) and `size` (a number).
struct Rules;

impl ConfigRules for Rules {
    fn validate(&self, _: &ConfigResource, configs: &Configs) -> Outcome<()> {
        for (key, value) in configs {
            if key != "list" && (key != "size" || value.parse::<u32>().is_err()) {
                return Err(ApiError::new(ErrorCode::InvalidConfig, format!("{key}={value}")));
            }
        }
        Ok(())
    }
    fn is_list(&self, _: ResourceKind, key: &str) -> bool {
        key == "list"
    }
    fn default_value(&self, _: ResourceKind, key: &str) -> Option<String> {
        (key == "list").then(|| "a".to_owned())
    }
}

pub(super) const NODE: NodeId = NodeId(1);

fn directory() -> DirectoryId {
    TopicId(Uuid::from_u128(0xd1))
}

pub(in crate::controller) fn settings() -> Settings {
    Settings {
        node: NODE,
        directories: vec![directory()],
        directories_configured: 1,
        metadata_among_them: true,
        num_partitions: 2,
        default_replication_factor: 1,
        delete_topic_enable: true,
        rules: Arc::new(Rules),
    }
}

pub(super) struct Driver {
    pub(super) machine: Machine,
    pub(super) log: Vec<MetadataRecord>,
    ids: u128,
}

impl Driver {
    pub(super) fn with_brokers(brokers: &[i32]) -> Self {
        Self::of(Machine::new(settings(), Arc::new(start(brokers))))
    }

    pub(super) fn of(machine: Machine) -> Self {
        Self { machine, log: Vec::new(), ids: 0 }
    }

    fn new() -> Self {
        Self::with_brokers(&[1])
    }

    pub(super) fn run(&mut self, command: Command) -> Reply {
        let ids = &mut self.ids;
        let mut next = || {
            *ids += 1;
            TopicId(Uuid::from_u128(*ids))
        };
        let effects = self.machine.handle(command, &mut next).unwrap();
        self.log.extend(effects.records);
        effects.reply
    }

    pub(super) fn create(&mut self, topics: Vec<NewTopic>) -> Vec<Outcome<CreatedTopic>> {
        match self.run(Command::CreateTopics { topics, validate_only: false }) {
            Reply::CreateTopics(outcomes) => outcomes,
            other => panic!("{other:?}"),
        }
    }

    fn create_codes(&mut self, topics: Vec<NewTopic>) -> Vec<i16> {
        codes(&self.create(topics))
    }

    fn alter(&mut self, resource: ConfigResource, changes: Vec<ConfigChange>) -> Vec<i16> {
        let resources = vec![AlterResource { resource, changes, replace: false }];
        match self.run(Command::AlterConfigs { resources, validate_only: false }) {
            Reply::AlterConfigs(outcomes) => codes(&outcomes),
            other => panic!("{other:?}"),
        }
    }

    fn add_partitions(&mut self, topics: Vec<NewPartitions>) -> Vec<i16> {
        match self.run(Command::CreatePartitions { topics, validate_only: false }) {
            Reply::CreatePartitions(outcomes) => codes(&outcomes),
            other => panic!("{other:?}"),
        }
    }

    fn delete(&mut self, topics: Vec<TopicRef>) -> Vec<i16> {
        match self.run(Command::DeleteTopics(topics)) {
            Reply::DeleteTopics(outcomes) => codes(&outcomes),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn image(&self) -> &Image {
        self.machine.head()
    }
}

pub(super) fn start(brokers: &[i32]) -> Image {
    let mut image = Image::empty("cluster");
    for &id in brokers {
        image.put_broker(BrokerImage { id: NodeId(id), rack: None, fenced: false });
    }
    image
}

pub(super) fn codes<T>(outcomes: &[Outcome<T>]) -> Vec<i16> {
    outcomes.iter().map(|outcome| outcome.as_ref().err().map_or(0, |error| error.code.code())).collect()
}

fn topic(name: &str) -> NewTopic {
    NewTopic { name: name.to_owned(), partitions: -1, replication_factor: -1, ..NewTopic::default() }
}

fn sized(name: &str, partitions: i32, replication_factor: i16) -> NewTopic {
    NewTopic { partitions, replication_factor, ..topic(name) }
}

pub(super) fn assigned(name: &str, assignments: &[(i32, &[i32])]) -> NewTopic {
    let nodes = |ids: &[i32]| ids.iter().copied().map(NodeId).collect();
    let assignments = assignments.iter().map(|(index, ids)| (*index, nodes(ids))).collect();
    NewTopic { assignments, ..topic(name) }
}

fn configured(name: &str, configs: &[(&str, Option<&str>)]) -> NewTopic {
    let configs = configs.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect();
    NewTopic { configs, ..topic(name) }
}

fn change(key: &str, op: ConfigOp, value: &str) -> ConfigChange {
    ConfigChange { key: key.to_owned(), op, value: Some(value.to_owned()) }
}

fn by_name(name: &str) -> TopicRef {
    TopicRef { name: Some(name.to_owned()), id: TopicId::ZERO }
}

#[test]
fn a_topic_gets_the_defaults_and_is_led_by_this_node_in_its_directory() {
    let mut driver = Driver::new();
    let created = driver.create(vec![topic("orders")]).remove(0).unwrap();
    assert_eq!((created.partitions, created.replication_factor), (2, 1));
    let orders = driver.image().topic("orders").unwrap();
    assert_eq!(orders.partitions.len(), 2);
    let partition = orders.partition(1).unwrap();
    assert_eq!((partition.leader, partition.leader_epoch), (Some(NODE), LeaderEpoch(0)));
    assert_eq!((&partition.replicas, &partition.isr), (&vec![NODE], &vec![NODE]));
    assert_eq!(partition.directories, [directory()]);
}

#[test]
fn bad_topics_are_refused_with_kafkas_codes_and_do_not_hinder_the_others() {
    let mut driver = Driver::new();
    assert_eq!(driver.create_codes(vec![topic("there"), topic("a.b")]), [0, 0]);
    let cases = [
        (topic("there"), 36),
        (topic(""), 17),
        (topic(".."), 17),
        (topic("x y"), 17),
        (topic("a_b"), 17),
        (topic("__cluster_metadata"), 42),
        (sized("n", 0, 1), 37),
        (sized("n", -2, 1), 37),
        (sized("n", 1, 0), 38),
        (sized("n", 1, -2), 38),
        (sized("n", 1, 2), 38),
        (sized("n", 10_001, 1), 44),
        (assigned("n", &[(0, &[2])]), 39),
        (assigned("n", &[(0, &[])]), 39),
        (assigned("n", &[(0, &[1, 1])]), 39),
        (assigned("n", &[(1, &[1])]), 39),
        (assigned("n", &[(0, &[1]), (0, &[1])]), 39),
        (NewTopic { partitions: 1, ..assigned("n", &[(0, &[1])]) }, 42),
        (NewTopic { replication_factor: 1, ..assigned("n", &[(0, &[1])]) }, 42),
        (configured("n", &[("size", None)]), 40),
        (configured("n", &[("size", Some("big"))]), 40),
        (configured("n", &[("unknown", Some("1"))]), 40),
    ];
    for (bad, code) in cases {
        assert_eq!(driver.create_codes(vec![bad.clone()]), [code], "{bad:?}");
    }
    assert_eq!(driver.create_codes(vec![topic("x"), topic("good"), topic("x"), topic("")]), [42, 0, 42, 17]);
    assert_eq!(
        driver.image().topics().map(|t| t.name.to_string()).collect::<Vec<_>>(),
        ["a.b", "good", "there"]
    );
}

#[test]
fn an_assignment_by_hand_is_kept_as_it_is() {
    let mut driver = Driver::with_brokers(&[1, 2, 3]);
    assert_eq!(driver.create_codes(vec![assigned("t", &[(1, &[2, 1]), (0, &[3, 2])])]), [0]);
    let topic = driver.image().topic("t").unwrap();
    assert_eq!(topic.partition(0).unwrap().replicas, [NodeId(3), NodeId(2)]);
    assert_eq!(topic.partition(1).unwrap().leader, Some(NodeId(2)));
    assert_eq!(topic.partition(1).unwrap().directories, [TopicId::ZERO, directory()]);
    assert_eq!(driver.create_codes(vec![assigned("u", &[(0, &[1, 2]), (1, &[1])])]), [39]);
}

#[test]
fn leaders_go_round_the_brokers_and_new_partitions_go_on_where_the_old_ones_ended() {
    let mut driver = Driver::with_brokers(&[1, 2, 3]);
    driver.create(vec![sized("t", 2, 2)]);
    let more = NewPartitions { name: "t".into(), count: 4, assignments: None };
    assert_eq!(driver.add_partitions(vec![more]), [0]);
    let replicas: Vec<Vec<i32>> = driver
        .image()
        .topic("t")
        .unwrap()
        .partitions
        .iter()
        .map(|partition| partition.replicas.iter().map(|node| node.0).collect())
        .collect();
    assert_eq!(replicas, [[1, 2], [2, 3], [3, 1], [1, 2]]);
}

#[test]
fn validation_alone_answers_the_same_and_changes_nothing() {
    let mut driver = Driver::new();
    driver.create(vec![topic("there")]);
    let before = driver.image().clone();
    let topics = vec![topic("new"), topic("there")];
    match driver.run(Command::CreateTopics { topics, validate_only: true }) {
        Reply::CreateTopics(outcomes) => assert_eq!(codes(&outcomes), [0, 36]),
        other => panic!("{other:?}"),
    }
    let topics = vec![NewPartitions { name: "there".into(), count: 3, assignments: None }];
    driver.run(Command::CreatePartitions { topics, validate_only: true });
    let changes = vec![change("size", ConfigOp::Set, "1")];
    let resources = vec![AlterResource { resource: ConfigResource::topic("there"), changes, replace: false }];
    driver.run(Command::AlterConfigs { resources, validate_only: true });
    assert_eq!(*driver.image(), before);
}

#[test]
fn a_missing_topic_is_made_once_and_found_afterwards() {
    let mut driver = Driver::new();
    let mut ensure = |topics: Vec<NewTopic>| match driver.run(Command::EnsureTopics(topics)) {
        Reply::EnsureTopics(outcomes) => outcomes,
        other => panic!("{other:?}"),
    };
    let first = ensure(vec![topic("a"), topic("a"), topic("b c")]);
    assert_eq!(codes(&first), [0, 0, 17]);
    let again = ensure(vec![sized("a", 9, 1)]);
    assert_eq!(again[0], first[1]);
    assert_eq!(driver.image().topics().len(), 1);
}

#[test]
fn topics_are_deleted_by_name_or_id_and_can_be_made_again_at_once() {
    let mut driver = Driver::new();
    let created = driver.create(vec![topic("a"), configured("b", &[("size", Some("1"))]), topic("c")]);
    let id = |index: usize| TopicRef { name: None, id: created[index].as_ref().unwrap().id };
    let unknown = TopicRef { name: None, id: TopicId(Uuid::from_u128(999)) };
    let both = TopicRef { name: Some("c".into()), ..id(2) };
    let codes = driver.delete(vec![
        by_name("a"),
        id(1),
        by_name("x"),
        unknown,
        TopicRef::default(),
        both,
        by_name("d"),
        by_name("d"),
    ]);
    assert_eq!(codes, [0, 0, 3, 100, 42, 42, 42, 42]);
    assert_eq!(driver.image().topics().len(), 1);
    assert_eq!(driver.delete(vec![by_name("c"), id(2)]), [42, 42]);
    let again = driver.create(vec![topic("b")]).remove(0).unwrap();
    assert_ne!(again.id, created[1].as_ref().unwrap().id);
    assert!(driver.image().topic_config("b").is_none());
}

#[test]
fn deletion_can_be_switched_off() {
    let mut driver = Driver::new();
    driver.create(vec![topic("a")]);
    driver.machine.settings.delete_topic_enable = false;
    assert_eq!(driver.delete(vec![by_name("a"), by_name("x")]), [73, 73]);
}

#[test]
fn partitions_are_only_ever_added() {
    let mut driver = Driver::new();
    driver.create(vec![sized("t", 3, 1)]);
    let more = |name: &str, count, assignments: Option<Vec<Vec<NodeId>>>| NewPartitions {
        name: name.into(),
        count,
        assignments,
    };
    let cases = [
        (more("x", 4, None), 3),
        (more("t", 3, None), 37),
        (more("t", 2, None), 37),
        (more("t", -1, None), 37),
        (more("t", 10_004, None), 44),
        (more("t", i32::MAX, None), 44),
        (more("t", 5, Some(vec![vec![NODE]])), 39),
        (more("t", 4, Some(vec![vec![NodeId(2)]])), 39),
        (more("t", 4, Some(vec![vec![]])), 39),
    ];
    for (bad, code) in cases {
        assert_eq!(driver.add_partitions(vec![bad.clone()]), [code], "{bad:?}");
    }
    assert_eq!(driver.add_partitions(vec![more("t", 4, None), more("t", 5, None)]), [42, 42]);
    assert_eq!(driver.add_partitions(vec![more("t", 5, Some(vec![vec![NODE], vec![NODE]]))]), [0]);
    assert_eq!(driver.image().topic("t").unwrap().partitions.len(), 5);
}

#[test]
fn configurations_change_incrementally() {
    let mut driver = Driver::new();
    driver.create(vec![configured("t", &[("size", Some("1"))])]);
    let t = || ConfigResource::topic("t");
    let value = |driver: &Driver, key: &str| {
        driver.image().topic_config("t").and_then(|configs| configs.get(key).cloned())
    };
    assert_eq!(driver.alter(t(), vec![change("list", ConfigOp::Append, "b,a,c")]), [0]);
    assert_eq!(
        value(&driver, "list").as_deref(),
        Some("a,b,c"),
        "a list that is not set begins with its default"
    );
    assert_eq!(driver.alter(t(), vec![change("list", ConfigOp::Subtract, "b,x")]), [0]);
    assert_eq!(value(&driver, "list").as_deref(), Some("a,c"));
    let both = vec![
        change("list", ConfigOp::Set, "z"),
        ConfigChange { value: None, ..change("size", ConfigOp::Delete, "") },
    ];
    assert_eq!(driver.alter(t(), both), [0]);
    assert_eq!((value(&driver, "list").as_deref(), value(&driver, "size")), (Some("z"), None));
    let records = driver.log.len();
    assert_eq!(driver.alter(t(), vec![change("list", ConfigOp::Set, "z")]), [0]);
    assert_eq!(driver.log.len(), records, "what is set already is not written again");
    let broker = ConfigResource::broker(Some(NODE));
    assert_eq!(driver.alter(broker.clone(), vec![change("size", ConfigOp::Set, "1")]), [0]);
    assert_eq!(driver.alter(broker, vec![change("size", ConfigOp::Set, "1")]), [0]);
    assert_eq!(driver.log.len(), records + 2, "a broker is told again, so that it reloads");
}

#[test]
fn a_bad_change_leaves_the_whole_resource_as_it_was() {
    let mut driver = Driver::new();
    driver.create(vec![topic("t")]);
    let good = change("size", ConfigOp::Set, "1");
    let named = |kind, name: &str| ConfigResource { kind, name: name.to_owned() };
    let cases = [
        (ConfigResource::topic("t"), change("size", ConfigOp::Append, "2"), 42),
        (ConfigResource::topic("t"), change("other", ConfigOp::Append, "2"), 40),
        (ConfigResource::topic("t"), change("other", ConfigOp::Set, "2"), 40),
        (ConfigResource::topic("t"), change("list", ConfigOp::Set, &"x".repeat(32_768)), 40),
        (ConfigResource::topic("t"), ConfigChange { value: None, ..change("list", ConfigOp::Set, "") }, 42),
        (ConfigResource::topic("x"), change("list", ConfigOp::Set, "a"), 3),
        (ConfigResource::topic("x y"), change("list", ConfigOp::Set, "a"), 17),
        (ConfigResource::topic(""), change("list", ConfigOp::Set, "a"), 42),
        (named(ResourceKind::BROKER, "x"), change("list", ConfigOp::Set, "a"), 42),
        (named(ResourceKind::BROKER, "-1"), change("list", ConfigOp::Set, "a"), 42),
        (named(ResourceKind::BROKER, "7"), change("list", ConfigOp::Set, "a"), 102),
    ];
    let before = driver.image().clone();
    for (resource, bad, code) in cases {
        assert_eq!(
            driver.alter(resource.clone(), vec![good.clone(), bad.clone()]),
            [code],
            "{resource:?} {bad:?}"
        );
    }
    let alter = AlterResource { resource: ConfigResource::topic("t"), changes: vec![good], replace: false };
    let resources = vec![alter.clone(), alter];
    match driver.run(Command::AlterConfigs { resources, validate_only: false }) {
        Reply::AlterConfigs(outcomes) => assert_eq!(codes(&outcomes), [42, 42]),
        other => panic!("{other:?}"),
    }
    assert_eq!(*driver.image(), before);
}

#[test]
fn producer_ids_come_in_blocks_until_there_are_none() {
    let mut driver = Driver::new();
    let block = |driver: &mut Driver| match driver.run(Command::AllocateProducerIds) {
        Reply::AllocateProducerIds(outcome) => outcome,
        other => panic!("{other:?}"),
    };
    assert_eq!(block(&mut driver), Ok(ProducerIdBlock { first: ProducerId(0), count: 1000 }));
    assert_eq!(block(&mut driver), Ok(ProducerIdBlock { first: ProducerId(1000), count: 1000 }));
    let mut image = driver.image().clone();
    image.next_producer_id = ProducerId(i64::MAX - 10);
    driver.machine.reset(Arc::new(image));
    assert!(block(&mut driver).is_err());
}

#[test]
fn a_recovered_partition_gets_the_next_leader_epoch_and_keeps_its_leader() {
    let mut driver = Driver::new();
    let id = driver.create(vec![topic("t")]).remove(0).unwrap().id;
    let at = |partition| TopicIdPartition { topic_id: id, partition };
    let unknown = TopicIdPartition { topic_id: TopicId(Uuid::from_u128(9)), partition: 0 };
    let reply = driver.run(Command::RaiseLeaderEpochs(vec![at(1), at(1), at(7), unknown]));
    assert_eq!(
        reply,
        Reply::RaiseLeaderEpochs(vec![
            Ok(LeaderEpoch(1)),
            Ok(LeaderEpoch(1)),
            Err(ErrorCode::UnknownTopicOrPartition.into()),
            Err(ErrorCode::UnknownTopicId.into()),
        ])
    );
    let topic = driver.image().topic("t").unwrap();
    assert_eq!(topic.partition(1).unwrap().leader, Some(NODE));
    assert_eq!(topic.partition(1).unwrap().partition_epoch, 1);
    assert_eq!(topic.partition(0).unwrap().leader_epoch, LeaderEpoch(0));
}

#[test]
fn a_partition_without_a_leader_is_taken_over_when_it_has_a_replica_here() {
    let mut driver = Driver::with_brokers(&[1, 2]);
    driver.create(vec![assigned("t", &[(0, &[1]), (1, &[2]), (2, &[1])])]);
    let id = driver.image().topic("t").unwrap().id;
    // What Kafka writes when its only broker stops.
    for partition_id in [0, 1] {
        let record = PartitionChangeRecord {
            partition_id,
            topic_id: id.0,
            isr: Some(Vec::new()),
            leader: -1,
            eligible_leader_replicas: Some(vec![1]),
            last_known_elr: Some(vec![1]),
            ..PartitionChangeRecord::default()
        };
        driver.machine.replay(&[MetadataRecord::PartitionChange(record)]).unwrap();
    }
    assert_eq!(driver.image().partition("t", 0).unwrap().leader, None);
    assert_eq!(driver.run(Command::TakeOver(Vec::new())), Reply::TakeOver(1));
    let partition = driver.image().partition("t", 0).unwrap();
    assert_eq!((partition.leader, partition.leader_epoch), (Some(NODE), LeaderEpoch(2)));
    assert_eq!(partition.isr, [NODE]);
    assert!(partition.eligible.is_empty() && partition.last_known_eligible.is_empty());
    assert_eq!(driver.image().partition("t", 1).unwrap().leader, None);
    assert_eq!(driver.image().partition("t", 2).unwrap().leader_epoch, LeaderEpoch(0));
    assert_eq!(driver.run(Command::TakeOver(Vec::new())), Reply::TakeOver(0));
}

#[test]
fn what_changed_is_told() {
    let mut driver = Driver::new();
    let command =
        Command::CreateTopics { topics: vec![configured("t", &[("size", Some("1"))])], validate_only: false };
    let changes = driver.machine.handle(command, &mut TopicId::random).unwrap().changes;
    assert_eq!(changes.topics.values().map(ToString::to_string).collect::<Vec<_>>(), ["t"]);
    assert!(changes.configs.iter().eq([&ConfigResource::topic("t")]));
    let changes = driver
        .machine
        .handle(Command::DeleteTopics(vec![by_name("t")]), &mut TopicId::random)
        .unwrap()
        .changes;
    assert!(changes.topics.is_empty() && changes.configs.is_empty());
    assert_eq!(changes.deleted.iter().map(|topic| topic.partitions.len()).collect::<Vec<_>>(), [2]);
}

/// What a command list may do, over few names so that they meet.
#[derive(Clone, Debug)]
enum Step {
    Create(u8, i32),
    Delete(u8),
    Grow(u8, i32),
    Set(u8, u32),
    Unset(u8),
    Raise(u8),
    Ids,
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..4u8;
    prop_oneof![
        (name.clone(), 1..4i32).prop_map(|(n, p)| Step::Create(n, p)),
        name.clone().prop_map(Step::Delete),
        (name.clone(), 1..6i32).prop_map(|(n, p)| Step::Grow(n, p)),
        (name.clone(), 0..3u32).prop_map(|(n, v)| Step::Set(n, v)),
        name.clone().prop_map(Step::Unset),
        name.prop_map(Step::Raise),
        Just(Step::Ids),
    ]
}

/// Partitions' epochs and the value of `size`, by name.
type Model = BTreeMap<String, (Vec<i32>, Option<u32>)>;

fn run_both(driver: &mut Driver, model: &mut Model, step: &Step) {
    let name = |n: u8| format!("t{n}");
    match step {
        Step::Create(n, partitions) => {
            driver.create(vec![sized(&name(*n), *partitions, 1)]);
            model.entry(name(*n)).or_insert_with(|| (vec![0; *partitions as usize], None));
        }
        Step::Delete(n) => {
            driver.delete(vec![by_name(&name(*n))]);
            model.remove(&name(*n));
        }
        Step::Grow(n, count) => {
            driver.add_partitions(vec![NewPartitions { name: name(*n), count: *count, assignments: None }]);
            if let Some((epochs, _)) = model.get_mut(&name(*n)) {
                let count = epochs.len().max(*count as usize);
                epochs.resize(count, 0);
            }
        }
        Step::Set(n, value) => {
            driver.alter(
                ConfigResource::topic(&name(*n)),
                vec![change("size", ConfigOp::Set, &value.to_string())],
            );
            if let Some((_, size)) = model.get_mut(&name(*n)) {
                *size = Some(*value);
            }
        }
        Step::Unset(n) => {
            driver.alter(ConfigResource::topic(&name(*n)), vec![change("size", ConfigOp::Delete, "")]);
            if let Some((_, size)) = model.get_mut(&name(*n)) {
                *size = None;
            }
        }
        Step::Raise(n) => {
            let id = driver.image().topic(&name(*n)).map_or(TopicId::ZERO, |topic| topic.id);
            driver.run(Command::RaiseLeaderEpochs(vec![TopicIdPartition { topic_id: id, partition: 0 }]));
            if let Some((epochs, _)) = model.get_mut(&name(*n)) {
                epochs[0] += 1;
            }
        }
        Step::Ids => {
            driver.run(Command::AllocateProducerIds);
        }
    }
}

fn modelled(image: &Image) -> Model {
    let one = |topic: &Arc<TopicImage>| {
        let epochs = topic.partitions.iter().map(|partition| partition.leader_epoch.0).collect();
        let size = image.topic_config(&topic.name).and_then(|configs| configs.get("size")?.parse().ok());
        (topic.name.to_string(), (epochs, size))
    };
    image.topics().map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn replaying_the_records_gives_what_was_decided_and_what_a_simple_model_says(
        steps in prop::collection::vec(step(), 0..40)
    ) {
        let mut driver = Driver::new();
        let mut model = Model::new();
        for step in &steps {
            run_both(&mut driver, &mut model, step);
        }
        prop_assert_eq!(modelled(driver.image()), model);
        let mut replayed = Machine::new(settings(), Arc::new(start(&[1])));
        replayed.replay(&driver.log).unwrap();
        prop_assert_eq!(&**replayed.head(), driver.image());
    }
}
