//! What happens between the bound listeners and the first accepted connection.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use rustix::process::{Resource, getrlimit};

use super::directories::{self, Directories, Listed};
use super::refusals::{METADATA_TOPIC, partitions_without_metadata};
use crate::broker::Broker;
use crate::broker::applier::Applier;
use crate::broker::config_rules::TableRules;
use crate::broker::fetch_sessions::FetchSessions;
use crate::broker::live::LiveConfig;
use crate::broker::settings_cache::SettingsCache;
use crate::config::Config;
use crate::controller::command::TopicIdPartition;
use crate::controller::image::DirectoryId;
use crate::controller::machine::Settings as ControllerSettings;
use crate::controller::{Controller, JOURNAL_DIR, LoadedController, OpenController};
use crate::coordinator::{Coordinator, Settings as GroupSettings};
use crate::limits::LOG_FILES_MAX;
use crate::log::storage::Storage;
use crate::log::watched::Watched;
use crate::log::{Checkpoint, ContextOptions, Counting, LogContext, LogDirectory};
use crate::observe::counters::Counters;
use crate::replica::Partition;
use crate::replica::partition::{Recovered, Shared};
use crate::replica::registry::{Found, Registry};
use crate::types::{Clock, ErrorCode, TopicId};

/// Milliseconds that a fetch session must be unused before another may take its place, as in Kafka, where it is no
/// configuration either.
const FETCH_SESSION_EVICTION_MS: i64 = 120_000;

const HANDLES_MAX: usize = LOG_FILES_MAX as usize;

/// How many files of logs stay open when the process may have `open_files_max` (`None`: as many as it likes): a third,
/// so that they are no more than half with those that answers keep open. The rest is for sockets and for files that are
/// open for a moment.
fn handles_max(open_files_max: Option<u64>) -> usize {
    let third = open_files_max.map(|files| files / 3).and_then(|third| usize::try_from(third).ok());
    third.unwrap_or(HANDLES_MAX).clamp(1, HANDLES_MAX)
}

/// A broker that does not accept yet.
pub(super) struct Opened {
    pub(super) broker: Arc<Broker>,
    pub(super) log_context: Arc<LogContext>,
    /// Partitions whose logs were scanned.
    pub(super) recovered: usize,
    /// The directory of the metadata, when it is none of `log.dirs`: held for its lock.
    pub(super) metadata: Option<LogDirectory>,
}

/// Opens everything. Blocks on files, so it runs on the pool for blocking work; the recovered partitions' epochs are
/// raised through the controller.
pub(super) async fn open(
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    storage: Arc<dyn Storage>,
) -> anyhow::Result<Opened> {
    let opening = {
        let (config, clock) = (config.clone(), clock.clone());
        tokio::task::spawn_blocking(move || open_blocking(&config, clock, storage))
    };
    let Foundation { broker, log_context, applier, to_recover, metadata, lost, refused } = opening.await??;
    for directory in lost {
        let told = broker.controller.fail_directory(directory).await;
        told.map_err(|code| refused.because(code)).context("cannot note that a data directory is offline")?;
    }
    let recovered = match to_recover {
        Some(partitions) => recover(&broker, partitions, &refused).await?,
        None => 0,
    };
    let image = broker.controller.image();
    tokio::task::spawn_blocking(move || applier.load_groups(&image)).await?;
    Ok(Opened { broker, log_context, recovered, metadata })
}

/// What is open before the logs are.
struct Foundation {
    broker: Arc<Broker>,
    log_context: Arc<LogContext>,
    applier: Arc<Applier>,
    /// The partitions that lie in directories whose last stop was not clean, when there are such directories.
    to_recover: Option<Vec<Arc<Partition>>>,
    metadata: Option<LogDirectory>,
    /// Directories that turned out to be unusable after the controller had counted on them.
    lost: Vec<DirectoryId>,
    refused: Refused,
}

/// What the disk refused to the metadata log last.
#[derive(Clone, Default)]
struct Refused(Arc<Mutex<Option<String>>>);

impl Refused {
    fn note(&self, path: &Path, error: &io::Error) {
        let said = format!("{}: {error}", path.display());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
    }

    /// Why a change of the metadata failed: of the disk one learns more than a code.
    fn because(&self, code: ErrorCode) -> anyhow::Error {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        anyhow::Error::msg(said.unwrap_or_else(|| format!("{code:?}")))
    }
}

fn open_blocking(
    config: &Arc<Config>,
    clock: Arc<dyn Clock>,
    storage: Arc<dyn Storage>,
) -> anyhow::Result<Foundation> {
    let handles_max = handles_max(getrlimit(Resource::Nofile).current);
    let counters: Arc<Counters> = Arc::default();
    let storage: Arc<dyn Storage> =
        Arc::new(Watched { inner: storage, watcher: Arc::new(Counting(counters.clone())) });
    let options = ContextOptions {
        handles_max,
        storage: storage.clone(),
        counters: counters.clone(),
        ..ContextOptions::default()
    };
    let context = LogContext::new(options).context("cannot start the threads that sync files")?;
    let Directories { mut found, metadata, metadata_id, cluster_id } =
        directories::open(config, &context, clock.now())?;
    let listed = directories::list(&mut found);
    directories::check_usable(config, &found, metadata.as_ref())?;
    let live = Arc::new(LiveConfig::new(config.clone()));
    let metadata_dir = &config.storage.metadata_log_dir;
    let refused = Refused::default();
    let options = OpenController {
        data_dir: metadata_dir.clone(),
        directory: metadata_id,
        storage: storage.clone(),
        clock: clock.clone(),
        cluster_id: cluster_id.into(),
        rack: config.rack.clone(),
        settings: controller_settings(config, live.clone(), &found),
        fold_bytes_max: u64::try_from(config.metadata.log_max_record_bytes_between_snapshots)
            .unwrap_or(u64::MAX),
        note_failure: {
            let (context, refused) = (context.clone(), refused.clone());
            Box::new(move |path, error| {
                refused.note(path, error);
                context.note_failure(path, error);
            })
        },
    };
    let counted = options.settings.directories.clone();
    let controller = open_controller(options, &*storage, &found, &listed)
        .inspect_err(|_| directories::leave_as_found(&found))?;
    let unclean = is_unclean(&found);
    for found in &mut found {
        let looked =
            found.files_mut().map_or(Ok(()), |files| files.look_for_kafka(&metadata_dir.join(JOURNAL_DIR)));
        looked.context("cannot tell who wrote to the data directory")?;
    }
    let shared = Shared {
        context: context.clone(),
        clock: clock.clone(),
        producer_id_expiration_ms: AtomicI64::new(config.producers.id_expiration_ms),
    };
    let partitions = Registry::new(found, Arc::new(shared));
    directories::report_missing(&controller.image(), config.node_id, partitions.directories());
    let online = |id: &DirectoryId| partitions.directories().iter().any(|known| known.id() == Some(*id));
    let lost = counted.into_iter().filter(|id| !online(id)).collect();
    let broker = Arc::new(Broker {
        node_id: config.node_id,
        config: config.clone(),
        live: live.clone(),
        clock: clock.clone(),
        controller: Arc::new(controller),
        partitions: Arc::new(partitions),
        coordinator: Arc::new(Coordinator::new(group_settings(config))),
        fetch_sessions: FetchSessions::new(config.fetch.session_cache_slots, FETCH_SESSION_EVICTION_MS),
        counters,
        telemetry: Mutex::default(),
    });
    let applier = Arc::new(Applier {
        live,
        settings: SettingsCache::new(config.storage.produce_trust_compressed),
        partitions: broker.partitions.clone(),
        coordinator: broker.coordinator.clone(),
        clock,
    });
    let image = broker.controller.set_publisher(applier.clone());
    applier.apply_first(&image);
    let existing = set_strays_aside(&broker, &listed)?;
    broker.partitions.forget_gone();
    let to_recover = unclean.then_some(existing);
    Ok(Foundation { broker, log_context: context, applier, to_recover, metadata, lost, refused })
}

fn is_unclean(found: &[Found]) -> bool {
    found.iter().filter_map(Found::files).any(|files| !files.was_clean())
}

/// Opens the journal, unless what lies in the directories speaks against a start.
fn open_controller(
    options: OpenController,
    storage: &dyn Storage,
    found: &[Found],
    listed: &Listed,
) -> anyhow::Result<Controller> {
    partitions_without_metadata(&options.data_dir, found, listed, storage)?;
    let node = options.settings.node;
    let loaded = LoadedController::load(options).context("cannot load the metadata journal")?;
    let misplaced = directories::misplaced(found, listed, loaded.image(), node)?;
    loaded.start(misplaced, !is_unclean(found)).context("cannot load the metadata journal")
}

/// Renames directories that belong to no topic, as Kafka does, so that their data stays for a person to look at. Returns
/// the partitions in directories that were not left by a clean stop.
fn set_strays_aside(broker: &Broker, listed: &Listed) -> anyhow::Result<Vec<Arc<Partition>>> {
    let mut to_recover = Vec::new();
    for (directory, partitions) in broker.partitions.directories().iter().zip(listed) {
        let Some(files) = directory.files() else { continue };
        for named in partitions {
            match broker.partitions.get(named).filter(|partition| Arc::ptr_eq(partition.home(), directory)) {
                Some(partition) if !files.was_clean() => to_recover.push(partition),
                Some(_) => {}
                None if named.topic.as_ref() == METADATA_TOPIC => {}
                None => files.set_aside(named)?,
            }
        }
    }
    Ok(to_recover)
}

/// Scans the logs that exist, a few at a time, then raises the leader epoch of each that holds anything: a client
/// that saw a record which the crash took away has to notice (KIP-320).
async fn recover(
    broker: &Arc<Broker>,
    existing: Vec<Arc<Partition>>,
    refused: &Refused,
) -> anyhow::Result<usize> {
    let workers = broker.live.current().storage.num_recovery_threads.clamp(1, 8);
    let mut tasks = Vec::new();
    for part in 0..workers {
        let mine: Vec<_> = existing.iter().skip(part).step_by(workers).cloned().collect();
        let broker = broker.clone();
        tasks.push(tokio::task::spawn_blocking(move || recover_all(&broker, &mine)));
    }
    let (mut recovered, mut are_all) = (Vec::new(), true);
    for task in tasks {
        let part = task.await?;
        recovered.extend(part.logs);
        are_all &= part.are_all;
    }
    if !recovered.is_empty() {
        let cut = broker.clone();
        // A log that was cut and grows again would soon reach what these say of the records that it lost.
        tokio::task::spawn_blocking(move || {
            for which in [Checkpoint::LogStart, Checkpoint::RecoveryPoint, Checkpoint::Cleaner] {
                cut.partitions.update_checkpoint(which);
            }
        })
        .await?;
        let raised = broker.controller.raise_leader_epochs(recovered.clone()).await;
        raised
            .map_err(|code| refused.because(code))
            .context("cannot raise the leader epochs after an unclean stop")?;
    }
    let known = broker.clone();
    if are_all {
        tokio::task::spawn_blocking(move || known.partitions.take_over()).await??;
    }
    Ok(recovered.len())
}

/// Logs that were scanned, or have to be yet.
struct Scanned {
    logs: Vec<TopicIdPartition>,
    /// Whether each that had to be could be.
    are_all: bool,
}

fn recover_all(broker: &Broker, partitions: &[Arc<Partition>]) -> Scanned {
    let (mut logs, mut are_all) = (Vec::new(), true);
    for partition in partitions {
        let at =
            TopicIdPartition { topic_id: partition.topic_id, partition: partition.topic_partition.partition };
        match partition.recover() {
            Ok(Recovered::Opened(recovery)) if recovery.recovered => logs.push(at),
            Ok(Recovered::Opened(_) | Recovered::WasOpen) => {}
            // A deleted topic's whose name another one has by now; it says so, or lost what says it.
            Ok(Recovered::OtherTopic) => {
                let Some(files) = partition.home().files() else { continue };
                match files.set_aside(&partition.topic_partition) {
                    Ok(()) => broker.partitions.renew(partition),
                    Err(error) => {
                        tracing::error!(partition = %partition.topic_partition, %error, "cannot be set aside");
                    }
                }
            }
            // The partition answers KAFKA_STORAGE_ERROR; the others are served. It is scanned when the disk allows it,
            // at its first use: nobody sees it under its old epoch any more.
            Err(code) => {
                tracing::error!(partition = %partition.topic_partition, ?code, "cannot be recovered");
                are_all = false;
                if !partition.home().is_offline() {
                    logs.push(at);
                }
            }
        }
    }
    Scanned { logs, are_all }
}

fn controller_settings(config: &Config, live: Arc<LiveConfig>, found: &[Found]) -> ControllerSettings {
    let usable = found.iter().filter_map(Found::files);
    ControllerSettings {
        node: config.node_id,
        directories: usable.map(|files| TopicId(files.meta().directory_id)).collect(),
        directories_configured: found.len(),
        metadata_among_them: config.storage.log_dirs.contains(&config.storage.metadata_log_dir),
        num_partitions: config.topics.num_partitions,
        default_replication_factor: i16::try_from(config.topics.default_replication_factor)
            .unwrap_or(i16::MAX),
        delete_topic_enable: config.topics.delete_topic_enable,
        rules: Arc::new(TableRules { live }),
    }
}

fn group_settings(config: &Config) -> GroupSettings {
    GroupSettings {
        initial_rebalance_delay_ms: config.group.initial_rebalance_delay_ms,
        session_timeout_ms_min: config.group.min_session_timeout_ms,
        session_timeout_ms_max: config.group.max_session_timeout_ms,
        group_size_max: config.group.max_size,
        offset_metadata_bytes_max: config.offsets.metadata_max_bytes,
        offsets_retention_ms: config.offsets.retention_ms,
        offsets_check_interval_ms: config.offsets.retention_check_interval_ms,
        offsets_topic_partitions: config.offsets.topic_num_partitions,
        memory: Arc::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_logs_leave_half_of_the_descriptors_to_others() {
        let cases = [(None, 1000), (Some(1 << 20), 1000), (Some(1024), 341), (Some(256), 85), (Some(1), 1)];
        for (open_files_max, handles) in cases {
            assert_eq!(handles_max(open_files_max), handles, "{open_files_max:?}");
        }
    }
}
