//! The journal against files: crashes at every byte, folding, and what Kafka wrote.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;

use tempfile::TempDir;

use super::*;
use crate::controller::command::{AlterResource, ConfigChange, NewTopic};
use crate::controller::command::{Command, ConfigOp};
use crate::controller::image::{BrokerImage, ConfigResource};
use crate::controller::machine::Machine;
use crate::controller::machine::tests::settings;
use crate::controller::testing::Faults;
use crate::log::storage::Disk;
use crate::log::watched::Watched;
use crate::types::{LeaderEpoch, NodeId, ProducerId, TopicId};
use crate::wire::records::control::{KRaftVersionRecord, LeaderChangeMessage, Voter};
use crate::wire::records::metadata::{
    BeginTransactionRecord, BrokerRegistrationChangeRecord, ConfigRecord, EndTransactionRecord,
    FeatureLevelRecord, RegisterBrokerRecord, UnregisterBrokerRecord,
};

const KAFKA_LOG: &[u8] = include_bytes!("../../../tests/data/cluster_metadata.log");
const KAFKA_BOOTSTRAP: &[u8] = include_bytes!("../../../tests/data/bootstrap.checkpoint");
const KAFKA_STANDALONE: &[u8] = include_bytes!("../../../tests/data/standalone.checkpoint");
/// Where a broker was killed with -9 that later wrote the rest.
const KILLED_AT: usize = 15_138;

fn empty() -> Image {
    let mut image = Image::empty("c");
    image.put_broker(BrokerImage { id: NodeId(1), rack: None, fenced: false });
    image
}

fn open(dir: &Path) -> Result<(Journal, Image), JournalError> {
    Journal::open(Watched::disk(Arc::<Faults>::default()), dir, empty(), &Machine::bootstrap(), 7)
}

fn segment(dir: &TempDir, base: i64) -> PathBuf {
    dir.path().join(JOURNAL_DIR).join(format!("{base:020}.log"))
}

fn kafka_dir(bytes: &[u8]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(JOURNAL_DIR)).unwrap();
    fs::write(segment(&dir, 0), bytes).unwrap();
    dir
}

/// A journal with the machine that feeds it.
struct Pair {
    journal: Journal,
    machine: Machine,
}

impl Pair {
    fn open(dir: &Path) -> Self {
        let (journal, image) = open(dir).unwrap();
        Self { journal, machine: Machine::new(settings(), Arc::new(image)) }
    }

    fn run(&mut self, command: Command) {
        let effects = self.machine.handle(command, &mut TopicId::random).unwrap();
        assert!(!effects.records.is_empty());
        self.journal.append(&encode(&effects.records).unwrap(), 8).unwrap();
        assert_eq!(self.journal.end, self.image().offset.0);
    }

    fn image(&self) -> &Image {
        self.machine.head()
    }
}

fn create(name: &str, partitions: i32) -> Command {
    let topic = NewTopic {
        configs: vec![("size".into(), Some("5".into()))],
        ..NewTopic::named(name, partitions, &Configs::new())
    };
    Command::CreateTopics { topics: vec![topic], validate_only: false }
}

type Configs = crate::controller::image::Configs;

#[test]
fn a_new_journal_begins_with_the_metadata_version_and_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut pair = Pair::open(dir.path());
    assert_eq!(pair.image().features()["metadata.version"], 30);
    pair.run(create("a", 3));
    pair.run(Command::AllocateProducerIds);
    let (journal, image) = open(dir.path()).unwrap();
    assert_eq!(image, *pair.image());
    assert_eq!((pair.journal.epoch, journal.epoch), (1, 2), "each start has an epoch of its own");
}

#[test]
fn a_start_costs_no_fsync_on_a_new_and_on_a_known_directory() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let faults: Arc<Faults> = Arc::default();
        Journal::open(Watched::disk(faults.clone()), dir.path(), empty(), &Machine::bootstrap(), 7).unwrap();
        assert_eq!(faults.syncs.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn a_crash_at_any_byte_leaves_whole_commands() {
    let dir = tempfile::tempdir().unwrap();
    let mut pair = Pair::open(dir.path());
    let mut states = vec![(pair.journal.len, pair.image().clone())];
    let set = ConfigChange { key: "size".into(), op: ConfigOp::Set, value: Some("9".into()) };
    let alter = AlterResource { resource: ConfigResource::topic("a"), changes: vec![set], replace: false };
    for command in [
        create("a", 2),
        Command::AlterConfigs { resources: vec![alter], validate_only: false },
        create("b", 1),
        Command::AllocateProducerIds,
    ] {
        pair.run(command);
        states.push((pair.journal.len, pair.image().clone()));
    }
    let bytes = fs::read(segment(&dir, 0)).unwrap();
    for cut in 0..=bytes.len() {
        let torn = kafka_dir(&bytes[..cut]);
        let (journal, image) = open(torn.path()).unwrap();
        match states.iter().rev().find(|(len, _)| *len <= cut as u64) {
            Some((len, state)) => {
                assert_eq!((&image, journal.len), (state, *len), "cut at {cut}");
                assert_eq!(fs::metadata(segment(&torn, 0)).unwrap().len(), *len);
            }
            None => assert_eq!(image.features().len(), 1, "it begins anew"),
        }
    }
    for flipped in (0..bytes.len()).step_by(3) {
        let mut damaged = bytes.clone();
        damaged[flipped] ^= 0x10;
        // Base offset, length and the rest are checked; the leader epoch of a batch is under no checksum.
        if let Ok((_, image)) = open(kafka_dir(&damaged).path()) {
            let known = |state: &Image| *state == image;
            assert!(
                states.iter().any(|(_, state)| known(state)) || image.topics().len() == 0,
                "byte {flipped}"
            );
        }
    }
}

#[test]
fn what_follows_a_cut_is_written_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let mut pair = Pair::open(dir.path());
    pair.run(create("a", 1));
    let mut bytes = fs::read(segment(&dir, 0)).unwrap();
    bytes.extend([0; 100]);
    fs::write(segment(&dir, 0), &bytes).unwrap();
    fs::write(segment(&dir, 0).with_extension("index"), [1; 8]).unwrap();
    let mut pair = Pair::open(dir.path());
    assert!(!segment(&dir, 0).with_extension("index").exists(), "an index may point behind the cut");
    pair.run(create("b", 1));
    let (_, image) = open(dir.path()).unwrap();
    assert_eq!(image, *pair.image());
    assert_eq!(image.topics().len(), 2);
}

#[test]
fn a_folded_journal_is_the_same_journal() {
    let dir = tempfile::tempdir().unwrap();
    let mut pair = Pair::open(dir.path());
    for round in 0..3 {
        pair.run(create(&format!("t{round}"), 2));
        pair.run(Command::AllocateProducerIds);
        let image = pair.image().clone();
        pair.journal.fold(&image).unwrap();
        let mut names: Vec<String> =
            Disk.list(&dir.path().join(JOURNAL_DIR)).unwrap().into_iter().map(|entry| entry.name).collect();
        names.sort();
        assert_eq!(names, [format!("{:020}-0000000001.checkpoint", pair.journal.end)]);
        assert_eq!(open(dir.path()).unwrap().1, image, "from the snapshot alone");
        pair.run(create(&format!("u{round}"), 1));
        assert_eq!(open(dir.path()).unwrap().1, *pair.image(), "and with a log that goes on there");
    }
}

#[test]
fn a_fold_that_was_interrupted_is_as_if_it_had_not_begun_or_had_ended() {
    let dir = tempfile::tempdir().unwrap();
    let mut pair = Pair::open(dir.path());
    pair.run(create("a", 2));
    let old = fs::read(segment(&dir, 0)).unwrap();
    let image = pair.image().clone();
    pair.journal.fold(&image).unwrap();
    let snapshot =
        dir.path().join(JOURNAL_DIR).join(SnapshotId { end: image.offset.0, epoch: 1 }.file_name());
    // The snapshot is there, the old segment too.
    fs::write(segment(&dir, 0), &old).unwrap();
    let mut again = Pair::open(dir.path());
    assert_eq!(*again.image(), image);
    again.run(create("b", 1));
    assert_eq!(open(dir.path()).unwrap().1, *again.image());
    // The snapshot is half there.
    fs::write(segment(&dir, 0), &old).unwrap();
    let bytes = fs::read(&snapshot).unwrap();
    fs::write(&snapshot, &bytes[..bytes.len() - 20]).unwrap();
    assert_eq!(open(dir.path()).unwrap().1, image);
    // Without its log it is needed, and saying so is better than forgetting every topic.
    fs::remove_file(segment(&dir, 0)).unwrap();
    assert!(matches!(open(dir.path()), Err(JournalError::Corrupt { .. })));
}

#[test]
fn a_log_that_does_not_begin_at_0_or_lacks_a_part_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut pair = Pair::open(dir.path());
    pair.run(create("a", 2));
    let image = pair.image().clone();
    pair.journal.fold(&image).unwrap();
    pair.run(create("b", 2));
    let snapshot =
        dir.path().join(JOURNAL_DIR).join(SnapshotId { end: image.offset.0, epoch: 1 }.file_name());
    let kept = fs::read(&snapshot).unwrap();
    fs::remove_file(&snapshot).unwrap();
    assert!(matches!(open(dir.path()), Err(JournalError::Gap { from: 0, .. })));
    fs::write(&snapshot, kept).unwrap();
    fs::rename(segment(&dir, image.offset.0), segment(&dir, image.offset.0 + 5)).unwrap();
    assert!(matches!(open(dir.path()), Err(JournalError::Gap { .. })));
}

#[test]
fn a_log_grows_until_it_is_worth_folding() {
    let dir = tempfile::tempdir().unwrap();
    let mut pair = Pair::open(dir.path());
    let mut rounds = 0;
    while !pair.journal.wants_fold() {
        pair.run(create(&format!("topic-{rounds}"), 2000));
        rounds += 1;
    }
    assert!((2..20).contains(&rounds), "{rounds}");
    let image = pair.image().clone();
    pair.journal.fold(&image).unwrap();
    assert!(!pair.journal.wants_fold());
    assert_eq!(open(dir.path()).unwrap().1, image);
}

#[test]
fn a_disk_that_is_full_leaves_the_log_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let faults: Arc<Faults> = Arc::default();
    let (mut journal, _) =
        Journal::open(Watched::disk(faults.clone()), dir.path(), empty(), &Machine::bootstrap(), 7).unwrap();
    let record = encode(&Machine::bootstrap()).unwrap();
    let before = fs::read(segment(&dir, 0)).unwrap();
    faults.disk_full.store(true, Ordering::SeqCst);
    assert!(matches!(journal.append(&record, 8), Err(WriteError::Refused(_))));
    assert_eq!(fs::read(segment(&dir, 0)).unwrap(), before);
    faults.cut_fails.store(true, Ordering::SeqCst);
    assert!(matches!(journal.append(&record, 8), Err(WriteError::Broken { .. })));
}

#[test]
fn a_directory_that_kafka_stopped_cleanly_is_taken_over() {
    let dir = kafka_dir(KAFKA_LOG);
    let mut pair = Pair::open(dir.path());
    let names: Vec<String> = pair.image().topics().map(|topic| topic.name.to_string()).collect();
    let expected = [
        "__consumer_offsets",
        "__transaction_state",
        "compacted",
        "compressed",
        "orders",
        "rolled",
        "trimmed",
        "txn",
        "txn-open",
    ];
    assert_eq!(names, expected);
    let orders = pair.image().topic("orders").unwrap();
    assert_eq!(orders.id.to_string(), "B6G_RwcNSD6o6trLeAETPg");
    assert_eq!(orders.partitions.len(), 3);
    let first = orders.partition(0).unwrap();
    assert_eq!((first.leader, first.leader_epoch, first.isr.len()), (None, LeaderEpoch(3), 0));
    assert_eq!(first.eligible, [NodeId(1)]);
    assert_eq!(first.directories[0].to_string(), "JwUjqoq9hULXyDX2aaWqjg");
    assert_eq!(pair.image().topic("__consumer_offsets").unwrap().partitions.len(), 50);
    let configs = |name: &str| pair.image().topic_config(name).unwrap();
    assert_eq!(configs("orders")["retention.ms"], "-1");
    assert_eq!(configs("rolled")["internal.segment.bytes"], "65536");
    assert_eq!(configs("compacted")["cleanup.policy"], "compact");
    assert_eq!(pair.image().next_producer_id, ProducerId(2000));
    assert_eq!(pair.image().features()["transaction.version"], 2);
    assert_eq!(pair.journal.epoch, 3);
    pair.run(Command::TakeOver(Vec::new()));
    let image = open(dir.path()).unwrap().1;
    assert_eq!(image, *pair.image());
    for topic in image.topics() {
        for partition in &topic.partitions {
            assert_eq!((partition.leader, &partition.isr), (Some(NodeId(1)), &vec![NodeId(1)]));
            assert!(partition.eligible.is_empty());
        }
    }
    assert_eq!(image.partition("orders", 2).unwrap().leader_epoch, LeaderEpoch(4));
}

#[test]
fn a_directory_whose_kafka_was_killed_opens_as_it_stood() {
    let dir = kafka_dir(&KAFKA_LOG[..KILLED_AT]);
    let (journal, image) = open(dir.path()).unwrap();
    assert_eq!(image.topics().len(), 9);
    let orders = image.partition("orders", 0).unwrap();
    assert_eq!((orders.leader, orders.leader_epoch), (Some(NodeId(1)), LeaderEpoch(0)));
    assert_eq!(image.next_producer_id, ProducerId(1000));
    assert_eq!((journal.epoch, journal.len), (2, KILLED_AT as u64));
}

#[test]
fn kafkas_registrations_outlive_a_fold_and_only_the_latest_of_each() {
    let dir = kafka_dir(KAFKA_LOG);
    let mut pair = Pair::open(dir.path());
    let kinds = |image: &Image| -> Vec<u32> {
        image.kept().map(|record| MetadataRecord::decode(record).unwrap().api_key()).collect()
    };
    let (register, change, controller) =
        (RegisterBrokerRecord::API_KEY, BrokerRegistrationChangeRecord::API_KEY, 27);
    assert_eq!(kinds(pair.image()), [controller, register, change, change, change, change]);
    let image = pair.image().clone();
    pair.journal.fold(&image).unwrap();
    assert_eq!(open(dir.path()).unwrap().1, image);
}

#[test]
fn the_epoch_of_kafkas_last_registration_is_known_also_after_a_fold() {
    let dir = kafka_dir(KAFKA_LOG);
    let mut pair = Pair::open(dir.path());
    // What the clean stop of that Kafka noted in `.kafka_cleanshutdown`.
    assert_eq!(pair.image().broker_epoch(NodeId(1)), Some(348));
    assert_eq!(pair.image().broker_epoch(NodeId(2)), None);
    let image = pair.image().clone();
    pair.journal.fold(&image).unwrap();
    assert_eq!(open(dir.path()).unwrap().1.broker_epoch(NodeId(1)), Some(348));
}

#[test]
fn a_formatted_directory_begins_with_the_features_it_asks_for() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(JOURNAL_DIR)).unwrap();
    fs::write(dir.path().join(BOOTSTRAP_FILE), KAFKA_BOOTSTRAP).unwrap();
    let voters = dir.path().join(JOURNAL_DIR).join("00000000000000000000-0000000000.checkpoint");
    fs::write(voters, KAFKA_STANDALONE).unwrap();
    let mut pair = Pair::open(dir.path());
    assert_eq!(pair.image().features().len(), 6);
    assert_eq!(pair.image().features()["group.version"], 1);
    assert!(pair.journal.control.voters.is_some() && pair.journal.control.kraft_version.is_some());
    let directory = DirectoryId::random();
    assert_eq!(pair.journal.quorum(directory).directory, directory, "voters are known by their directories");
    let (static_voters, _) = open(kafka_dir(KAFKA_LOG).path()).unwrap();
    assert_eq!(static_voters.quorum(directory).directory, DirectoryId::ZERO);
    let (again, image) = open(dir.path()).unwrap();
    assert_eq!((&image, again.epoch), (pair.image(), 2));
    pair.journal.fold(&image).unwrap();
    let (folded, after) = open(dir.path()).unwrap();
    assert_eq!(after, image);
    assert_eq!(folded.control, again.control, "who votes outlives a fold");
    // A damaged one must not be taken for a missing one.
    fs::remove_dir_all(dir.path().join(JOURNAL_DIR)).unwrap();
    fs::write(dir.path().join(BOOTSTRAP_FILE), &KAFKA_BOOTSTRAP[..200]).unwrap();
    assert!(open(dir.path()).is_err());
}

#[test]
fn a_metadata_transaction_counts_only_when_it_has_ended() {
    let feature =
        |name: &str| MetadataRecord::FeatureLevel(FeatureLevelRecord { name: name.into(), feature_level: 1 });
    let begin = || MetadataRecord::BeginTransaction(BeginTransactionRecord::default());
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path()).unwrap();
    let abort = MetadataRecord::AbortTransaction(AbortTransactionRecord::default());
    let records = [
        begin(),
        feature("group.version"),
        MetadataRecord::EndTransaction(EndTransactionRecord {}),
        begin(),
        feature("share.version"),
        abort,
        begin(),
        feature("streams.version"),
    ];
    for record in records {
        journal.append(&encode(&[record]).unwrap(), 8).unwrap();
    }
    for _ in 0..2 {
        let (journal, image) = open(dir.path()).unwrap();
        assert_eq!(image.features().keys().collect::<Vec<_>>(), ["group.version", "metadata.version"]);
        // Bootstrap, eight records, and the abort that the first start after it wrote.
        assert_eq!((journal.end, image.offset), (10, Offset(10)));
    }
}

#[test]
fn a_record_that_does_not_fit_is_an_error_and_not_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path()).unwrap();
    journal.append(&[Bytes::from_static(&[1, 2, 0, 0])], 8).unwrap();
    assert!(
        matches!(open(dir.path()), Err(JournalError::Corrupt { .. })),
        "a TopicRecord without its fields"
    );
}

/// What is said of a journal that holds this batch, and that it says so again: it was not cut off.
fn refusal(batch: impl FnOnce(&Journal) -> Batch) -> String {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path()).unwrap();
    let batch = batch(&journal);
    journal.append_batch(&batch).unwrap();
    let told = open(dir.path()).err().unwrap().to_string();
    assert_eq!(open(dir.path()).err().unwrap().to_string(), told);
    told
}

fn batch_of(journal: &Journal, record: &[u8]) -> Batch {
    let mut builder = BatchBuilder::new(8).leader_epoch(journal.epoch);
    builder.push(None, Some(record), 8);
    builder.build(journal.end)
}

fn control_of(journal: &Journal, record: &ControlRecord) -> Batch {
    let (key, value) = record.encode().unwrap();
    let mut builder = BatchBuilder::new(8).control().leader_epoch(journal.epoch);
    builder.push(Some(&key), Some(&value), 8);
    builder.build(journal.end)
}

fn level_of(name: &str, feature_level: i16) -> Bytes {
    let record = FeatureLevelRecord { name: name.into(), feature_level };
    encode(&[MetadataRecord::FeatureLevel(record)]).unwrap().remove(0)
}

#[test]
fn metadata_of_a_later_format_is_refused_with_what_shows_it() {
    let features =
        [("metadata.version", 31), ("group.version", 2), ("transaction.version", 3), ("next.version", 1)];
    for (name, level) in features {
        let told = refusal(|journal| batch_of(journal, &level_of(name, level)));
        assert!(
            told.contains("newer format") && told.contains(name) && told.contains(&level.to_string()),
            "{told}"
        );
    }
    // Also records that are merely kept: version 9 of a broker's registration, of an access rule, and a type of its own.
    for (record, shown) in [
        (&[1, 2, 9, 0][..], "TopicRecord of version 9"),
        (&[1, 0, 9, 0], "RegisterBrokerRecord of version 9"),
        (&[1, 18, 9, 0], "AccessControlEntryRecord of version 9"),
        (&[1, 0xc8, 1, 0, 9], "type 200"),
        (&[2, 2, 0, 0], "frame of version 2"),
    ] {
        let told = refusal(|journal| batch_of(journal, record));
        assert!(told.contains("newer format") && told.contains(shown), "{told}");
    }
    let kraft = KRaftVersionRecord { version: 0, kraft_version: 2 };
    let told = refusal(|journal| control_of(journal, &ControlRecord::KRaftVersion(kraft)));
    assert!(told.contains("kraft.version is 2"), "{told}");
    let unknown = ControlRecord::Unknown { control_type: 9, value: Bytes::new() };
    assert!(refusal(|journal| control_of(journal, &unknown)).contains("control records of type 9"));
}

#[test]
fn a_later_format_in_a_snapshot_is_no_reason_to_read_an_older_one() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, mut image) = open(dir.path()).unwrap();
    image.keep(Bytes::from_static(&[1, 0xc8, 1, 0, 9]), None);
    let old = fs::read(segment(&dir, 0)).unwrap();
    journal.fold(&image).unwrap();
    fs::write(segment(&dir, 0), &old).unwrap();
    assert!(matches!(open(dir.path()), Err(JournalError::Newer { .. })));
}

#[test]
fn a_new_directory_that_asks_for_a_later_format_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let newer = String::from_utf8_lossy(KAFKA_BOOTSTRAP).contains("metadata.version");
    assert!(newer);
    let (mut journal, mut image) = open(dir.path()).unwrap();
    image.put_feature("metadata.version".into(), 31);
    journal.fold(&image).unwrap();
    let made = SnapshotId { end: image.offset.0, epoch: 1 }.file_name();
    let other = tempfile::tempdir().unwrap();
    fs::copy(dir.path().join(JOURNAL_DIR).join(made), other.path().join(BOOTSTRAP_FILE)).unwrap();
    assert!(matches!(open(other.path()), Err(JournalError::Newer { .. })));
    assert!(!other.path().join(JOURNAL_DIR).exists());
}

#[test]
fn a_topic_in_tiered_storage_is_refused_until_it_is_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut pair = Pair::open(dir.path());
    pair.run(create("tiered", 1));
    for (value, refused) in [("true", true), ("false", false)] {
        let record = ConfigRecord {
            resource_type: 2,
            resource_name: "tiered".into(),
            name: "remote.storage.enable".into(),
            value: Some(value.into()),
        };
        pair.journal.append(&encode(&[MetadataRecord::Config(record)]).unwrap(), 8).unwrap();
        let opened = open(dir.path());
        assert_eq!(
            matches!(opened, Err(JournalError::Tiered { ref topic, .. }) if topic == "tiered"),
            refused
        );
    }
}

#[test]
fn metadata_of_a_version_before_the_first_known_are_not_called_newer() {
    let told = refusal(|journal| batch_of(journal, &level_of("metadata.version", 6)));
    assert!(told.contains("metadata.version is 6, below 7") && !told.contains("newer"), "{told}");
}

#[test]
fn metadata_of_several_nodes_is_refused() {
    let register = |broker_id| {
        let record = RegisterBrokerRecord { broker_id, rack: None, ..RegisterBrokerRecord::default() };
        MetadataRecord::RegisterBroker(record).encode(3).unwrap()
    };
    let told = refusal(|journal| batch_of(journal, &register(3)));
    assert!(told.contains("nodes 3,") && told.contains("node 1 "), "{told}");
    let voter = |voter_id| Voter { voter_id, ..Voter::default() };
    let change = LeaderChangeMessage { voters: vec![voter(1), voter(2)], ..LeaderChangeMessage::default() };
    let told = refusal(|journal| control_of(journal, &ControlRecord::LeaderChange(change)));
    assert!(told.contains("nodes 1, 2,") && told.contains("unregister"), "{told}");
    // One that has left the cluster for good does not count.
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path()).unwrap();
    let gone = UnregisterBrokerRecord { broker_id: 3, broker_epoch: 0 };
    let gone = MetadataRecord::UnregisterBroker(gone).encode(0).unwrap();
    journal.append(&[register(3).into(), register(1).into(), gone.into()], 8).unwrap();
    open(dir.path()).unwrap();
}

#[test]
fn only_names_of_kafkas_form_are_snapshots() {
    let id = SnapshotId { end: 15, epoch: 3 };
    assert_eq!(SnapshotId::parse(&id.file_name()), Some(id));
    for bad in ["bootstrap.checkpoint", "00000000000000000015-0000000003.checkpoint.part", "15-3.checkpoint"]
    {
        assert_eq!(SnapshotId::parse(bad), None, "{bad}");
    }
}
