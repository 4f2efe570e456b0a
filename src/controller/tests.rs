//! The controller as its callers use it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use super::machine::tests::settings;
use super::testing::{Faults, Still};
use super::*;
use crate::controller::command::ConfigChange;
use crate::controller::command::ConfigOp;
use crate::controller::image::{ConfigResource, Configs};
use crate::log::watched::Watched;
use crate::types::NodeId;

fn open_on(dir: &Path, storage: Arc<dyn Storage>) -> Controller {
    open_noting(dir, storage, Box::new(|_, _| ()))
}

fn open_noting(dir: &Path, storage: Arc<dyn Storage>, note_failure: NoteFailure) -> Controller {
    Controller::open(OpenController {
        data_dir: dir.to_owned(),
        storage,
        clock: Arc::new(Still),
        cluster_id: "c".into(),
        directory: TopicId::ZERO,
        rack: Some("r".to_owned()),
        settings: settings(),
        fold_bytes_max: 300_000,
        note_failure,
    })
    .unwrap()
}

fn open(dir: &Path) -> (Controller, Arc<Faults>) {
    let faults: Arc<Faults> = Arc::default();
    (open_on(dir, Watched::disk(faults.clone())), faults)
}

/// Holds the first change up until the other end is dropped.
struct Held(Mutex<std::sync::mpsc::Receiver<()>>);

impl Publisher for Held {
    fn publish(&self, _: &Arc<Image>, _: &Arc<Image>, _: &Changes) {
        let _ = self.0.lock().unwrap().recv();
    }
}

#[tokio::test]
async fn partitions_that_are_being_made_in_a_directory_that_fails_have_no_leader_either() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = [0xa, 0xb].map(|id| TopicId(uuid::Uuid::from_u128(id)));
    let controller = LoadedController::load(OpenController {
        data_dir: dir.path().to_owned(),
        storage: Watched::disk(Arc::<Faults>::default()),
        clock: Arc::new(Still),
        cluster_id: "c".into(),
        directory: a,
        rack: None,
        settings: Settings { directories: vec![a, b], directories_configured: 2, ..settings() },
        fold_bytes_max: 300_000,
        note_failure: Box::new(|_, _| ()),
    });
    let controller = controller.unwrap().start(Vec::new(), true).unwrap();
    let (release, held) = std::sync::mpsc::channel();
    controller.set_publisher(Arc::new(Held(Mutex::new(held))));
    let create = |name| controller.create_topics(vec![NewTopic::named(name, 4, &Configs::new())], false);
    // The second is decided, and not committed yet, when the failure is looked at.
    let (first, second, failed, ()) = tokio::join!(biased; create("one"), create("two"), controller.fail_directory(b), async {
        drop(release);
    });
    assert!(first.unwrap()[0].is_ok() && second.unwrap()[0].is_ok());
    failed.unwrap();
    let image = controller.image();
    let partitions = image.topics().flat_map(|topic| &topic.partitions);
    let led: Vec<_> =
        partitions.filter(|known| known.directories.contains(&b) && known.leader.is_some()).collect();
    assert!(led.is_empty(), "{} are led", led.len());
}

#[tokio::test]
async fn what_a_killed_process_left_of_the_journal_is_durable_before_anybody_sees_it() {
    let dir = tempfile::tempdir().unwrap();
    let load = |faults: &Arc<Faults>| {
        LoadedController::load(OpenController {
            data_dir: dir.path().to_owned(),
            storage: Watched::disk(Arc::clone(faults)),
            clock: Arc::new(Still),
            cluster_id: "c".into(),
            directory: TopicId::ZERO,
            rack: None,
            settings: settings(),
            fold_bytes_max: 300_000,
            note_failure: Box::new(|_, _| ()),
        })
        .unwrap()
    };
    let faults = Arc::default();
    let first = load(&faults).start(Vec::new(), false).unwrap();
    assert_eq!(faults.syncs.load(Ordering::SeqCst), 0, "there was nothing to lose");
    first.create_topics(vec![topic("a")], false).await.unwrap();
    drop(first);
    for (was_clean, syncs) in [(true, 0), (false, 3)] {
        let faults = Arc::default();
        let loaded = load(&faults);
        let next = loaded.start(Vec::new(), was_clean).unwrap();
        assert_eq!(faults.syncs.load(Ordering::SeqCst), syncs, "clean: {was_clean}");
        drop(next);
    }
}

fn topic(name: &str) -> NewTopic {
    NewTopic::named(name, 1, &Configs::new())
}

/// Notes what it is told, and that readers see it already.
#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<String>>,
}

impl Publisher for Notes {
    fn publish(&self, before: &Arc<Image>, after: &Arc<Image>, changes: &Changes) {
        assert!(before.offset < after.offset);
        let mut seen = self.seen.lock().unwrap();
        seen.extend(changes.topics.values().map(|name| format!("+{name}")));
        seen.extend(changes.deleted.iter().map(|topic| format!("-{}", topic.name)));
        seen.extend(changes.configs.iter().map(|resource| format!("~{}", resource.name)));
    }
}

#[tokio::test]
async fn an_answer_comes_after_the_change_is_durable_visible_and_published() {
    let dir = tempfile::tempdir().unwrap();
    let (controller, faults) = open(dir.path());
    assert_eq!(faults.syncs.load(Ordering::SeqCst), 0, "a new directory opens without an fsync");
    let notes = Arc::new(Notes::default());
    assert_eq!(controller.set_publisher(Arc::clone(&notes) as Arc<dyn Publisher>).topics().len(), 0);
    assert_eq!(controller.image().brokers()[&NodeId(1)].rack.as_deref(), Some("r"));
    controller.create_topics(vec![topic("a")], false).await.unwrap().remove(0).unwrap();
    assert!(controller.image().topic("a").is_some());
    assert_eq!(*notes.seen.lock().unwrap(), ["+a"]);
    assert!(faults.syncs.load(Ordering::SeqCst) >= 2, "the file and its directory");
    let by_name = TopicRef { name: Some("a".into()), id: TopicId::ZERO };
    controller.delete_topics(vec![by_name]).await.unwrap().remove(0).unwrap();
    assert!(controller.image().topic("a").is_none());
    controller.create_topics(vec![topic("a")], false).await.unwrap().remove(0).unwrap();
    let changes = vec![ConfigChange { key: "size".into(), op: ConfigOp::Set, value: Some("1".into()) }];
    let alter = AlterResource { resource: ConfigResource::topic("a"), changes, replace: false };
    controller.alter_configs(vec![alter], false).await.unwrap().remove(0).unwrap();
    assert_eq!(*notes.seen.lock().unwrap(), ["+a", "-a", "+a", "~a"]);
    let image = controller.image();
    drop(controller);
    assert_eq!(*open(dir.path()).0.image(), *image);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_share_fsyncs_and_each_gets_its_own_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (controller, faults) = open(dir.path());
    let controller = Arc::new(controller);
    let notes = Arc::new(Notes::default());
    controller.set_publisher(Arc::clone(&notes) as Arc<dyn Publisher>);
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let controller = Arc::clone(&controller);
            tokio::spawn(async move {
                let made = controller.ensure_topic(topic(&format!("t{}", n % 50))).await.unwrap();
                assert_eq!(controller.image().topic(&made.name).unwrap().id, made.id);
                made.id
            })
        })
        .collect();
    let mut ids = HashSet::new();
    for task in tasks {
        ids.insert(task.await.unwrap());
    }
    assert_eq!(ids.len(), 50, "racing callers get the same topic");
    assert_eq!(notes.seen.lock().unwrap().len(), 50);
    assert!(faults.syncs.load(Ordering::SeqCst) <= 60);
    let image = controller.image();
    drop(controller);
    assert_eq!(*open(dir.path()).0.image(), *image);
}

#[tokio::test]
async fn a_full_disk_refuses_what_it_cannot_take_and_forgets_it() {
    let dir = tempfile::tempdir().unwrap();
    let (controller, faults) = open(dir.path());
    controller.ensure_topic(topic("a")).await.unwrap();
    let before = controller.image();
    faults.disk_full.store(true, Ordering::SeqCst);
    let (first, second) = tokio::join!(
        controller.create_topics(vec![topic("b")], false),
        controller.create_topics(vec![topic("b")], false),
    );
    assert_eq!((first, second), (Err(ErrorCode::KafkaStorageError), Err(ErrorCode::KafkaStorageError)));
    assert_eq!(*controller.image(), *before);
    faults.disk_full.store(false, Ordering::SeqCst);
    assert!(controller.create_topics(vec![topic("b")], false).await.unwrap()[0].is_ok());
    let image = controller.image();
    drop(controller);
    assert_eq!(*open(dir.path()).0.image(), *image);
}

#[tokio::test]
async fn after_a_failed_fsync_nothing_changes_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let (controller, faults) = open(dir.path());
    controller.ensure_topic(topic("a")).await.unwrap();
    faults.sync_fails.store(true, Ordering::SeqCst);
    assert_eq!(controller.ensure_topic(topic("b")).await, Err(ErrorCode::KafkaStorageError.into()));
    faults.sync_fails.store(false, Ordering::SeqCst);
    assert_eq!(controller.ensure_topic(topic("c")).await, Err(ErrorCode::KafkaStorageError.into()));
    assert_eq!(controller.next_producer_id().await, Err(ErrorCode::KafkaStorageError.into()));
    assert!(controller.ensure_topic(topic("a")).await.is_ok(), "what is there can be read");
    assert_eq!(controller.image().topics().len(), 1);
}

#[tokio::test]
async fn what_the_disk_refuses_is_told_and_whether_anything_can_change_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let faults: Arc<Faults> = Arc::default();
    let (tell, told) = std::sync::mpsc::channel();
    let tell = Mutex::new(tell);
    let note = move |path: &Path, error: &io::Error| {
        let _ = tell.lock().unwrap().send((path.to_owned(), error.kind()));
    };
    let controller = open_noting(dir.path(), Watched::disk(faults.clone()), Box::new(note));
    faults.disk_full.store(true, Ordering::SeqCst);
    assert!(controller.ensure_topic(topic("a")).await.is_err());
    let journal = dir.path().join(JOURNAL_DIR);
    assert_eq!(told.recv().unwrap(), (journal.clone(), io::ErrorKind::StorageFull));
    assert!(!controller.is_broken());
    faults.disk_full.store(false, Ordering::SeqCst);
    faults.sync_fails.store(true, Ordering::SeqCst);
    assert!(controller.ensure_topic(topic("a")).await.is_err());
    assert_eq!(told.recv().unwrap(), (journal, io::ErrorKind::Other));
    assert!(controller.is_broken());
}

#[tokio::test]
async fn a_producer_id_is_never_handed_out_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = HashSet::new();
    for restart in 0..3 {
        let (controller, _) = open(dir.path());
        for _ in 0..1001 {
            assert!(seen.insert(controller.next_producer_id().await.unwrap()), "restart {restart}");
        }
    }
    assert_eq!(seen.len(), 3003);
}

#[tokio::test]
async fn a_closed_controller_has_committed_what_it_took_and_takes_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let (controller, _) = open(dir.path());
    let controller = Arc::new(controller);
    let taken = {
        let controller = Arc::clone(&controller);
        tokio::spawn(async move { controller.create_topics(vec![topic("a")], false).await })
    };
    while controller.shared.committed().topics().len() == 0 {
        tokio::task::yield_now().await;
    }
    controller.close();
    controller.close();
    assert!(taken.await.unwrap().unwrap()[0].is_ok());
    assert_eq!(controller.create_topics(vec![topic("b")], false).await, Err(ErrorCode::NotController));
}

#[tokio::test]
async fn a_publisher_that_fails_leaves_nobody_waiting() {
    struct Failing;
    impl Publisher for Failing {
        fn publish(&self, _: &Arc<Image>, _: &Arc<Image>, _: &Changes) {
            panic!("as a defect would");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let (controller, _) = open(dir.path());
    controller.set_publisher(Arc::new(Failing));
    for name in ["a", "b"] {
        assert_eq!(
            controller.create_topics(vec![topic(name)], false).await,
            Err(ErrorCode::KafkaStorageError)
        );
    }
}

#[tokio::test]
async fn a_journal_that_has_grown_is_folded_while_it_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let (controller, _) = open(dir.path());
    let journal = dir.path().join(JOURNAL_DIR);
    let folded = || {
        std::fs::read_dir(&journal)
            .unwrap()
            .any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with(".checkpoint"))
    };
    let mut rounds = 0;
    while !folded() {
        let name = format!("t{rounds}");
        controller.create_topics(vec![NewTopic::named(&name, 3000, &Configs::new())], false).await.unwrap();
        rounds += 1;
        assert!(rounds < 4, "two of them have 300,000 bytes");
    }
    controller.ensure_topic(topic("last")).await.unwrap();
    let image = controller.image();
    drop(controller);
    assert_eq!(*open(dir.path()).0.image(), *image);
}

#[tokio::test]
async fn a_stored_image_is_read_without_touching_a_torn_journal() {
    let dir = tempfile::tempdir().unwrap();
    assert!(stored_image(dir.path()).unwrap().is_none());
    let (controller, _) = open(dir.path());
    controller.create_topics(vec![topic("a")], false).await.unwrap().remove(0).unwrap();
    controller.close();
    let segment = dir.path().join(JOURNAL_DIR).join("00000000000000000000.log");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes.extend_from_slice(&[1; 30]);
    std::fs::write(&segment, &bytes).unwrap();
    assert!(stored_image(dir.path()).unwrap().unwrap().topic("a").is_some());
    assert_eq!(std::fs::read(&segment).unwrap(), bytes);
}
