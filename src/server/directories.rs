//! The data directories at the start: which of them can be used, whose they are, and which partition lies where. One that
//! cannot be used is offline alone; what belongs to somebody else ends the start. Opens no log.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};

use crate::config::Config;
use crate::controller::command::TopicIdPartition;
use crate::controller::image::{DirectoryId, Image};
use crate::log::{HeldDirectory, LogContext, LogDirectory, LogError, new_cluster_id};
use crate::replica::directory::DataDirectory;
use crate::replica::registry::Found;
use crate::types::{NodeId, Now, TopicId, TopicPartition};

use super::refusals::METADATA_TOPIC;

/// The directories of a broker that starts.
pub(super) struct Directories {
    /// Those of `log.dirs`, in their order.
    pub(super) found: Vec<Found>,
    /// The metadata's, when it is none of these: held for its lock.
    pub(super) metadata: Option<LogDirectory>,
    /// The metadata directory's id.
    pub(super) metadata_id: DirectoryId,
    /// Whose they are.
    pub(super) cluster_id: String,
}

/// Takes every directory, and then removes every marker of a clean stop, before anything else is written to one.
pub(super) fn open(config: &Config, context: &Arc<LogContext>, now: Now) -> anyhow::Result<Directories> {
    let opening = Opening { config, context };
    let paths = opening.paths();
    let mut held = opening.take(&paths)?;
    opening.check_one_owner(&held)?;
    let known = held.iter().flatten().find_map(HeldDirectory::cluster_id).map(ToString::to_string);
    let cluster_id = config.cluster_id.clone().or(known).unwrap_or_else(new_cluster_id);
    for taken in &mut held {
        if let Some(Err(error)) = taken.as_mut().map(HeldDirectory::take_clean_marker) {
            opening.give_up(taken, error)?;
        }
    }
    let mut directories =
        Directories { found: Vec::new(), metadata: None, metadata_id: TopicId::ZERO, cluster_id };
    for (path, taken) in paths.into_iter().zip(held) {
        let opened = match taken.map(|held| held.open(&directories.cluster_id, config.node_id, now)) {
            Some(Err(error)) => {
                opening.put_offline(&path, error)?;
                None
            }
            other => other.transpose()?,
        };
        if let Some(opened) = opened.as_ref().filter(|opened| opening.is_of_metadata(opened.path())) {
            directories.metadata_id = TopicId(opened.meta().directory_id);
        }
        match opened {
            Some(opened) if config.storage.log_dirs.contains(&path) => {
                directories.found.push(Found::Online(opened));
            }
            Some(opened) => directories.metadata = Some(opened),
            None => directories.found.push(Found::Offline(path)),
        }
    }
    Ok(directories)
}

struct Opening<'a> {
    config: &'a Config,
    context: &'a Arc<LogContext>,
}

impl Opening<'_> {
    /// Those of `log.dirs`, and the metadata's if it is another one.
    fn paths(&self) -> Vec<PathBuf> {
        let storage = &self.config.storage;
        let outside = Some(&storage.metadata_log_dir).filter(|path| !storage.log_dirs.contains(path));
        storage.log_dirs.iter().chain(outside).cloned().collect()
    }

    fn is_of_metadata(&self, path: &Path) -> bool {
        path == self.config.storage.metadata_log_dir
    }

    /// The key that names a directory.
    fn setting(&self, path: &Path) -> &'static str {
        if !self.config.storage.log_dirs.iter().any(|known| known == path) {
            "metadata.log.dir"
        } else if self.config.given("log.dirs").is_some() {
            "log.dirs"
        } else {
            "log.dir"
        }
    }

    /// Takes the directories' locks; `None` for one that is offline.
    fn take(&self, paths: &[PathBuf]) -> anyhow::Result<Vec<Option<HeldDirectory>>> {
        let mut held = Vec::new();
        for path in paths {
            if self.is_needed(path) && path.exists() && !path.is_dir() {
                bail!("{}: {} is not a directory", self.setting(path), path.display());
            }
            // Before its lock is found to be held, by this process.
            if let Some(twin) =
                paths.iter().take_while(|other| *other != path).find(|other| is_same(other, path))
            {
                let (path, twin) = (path.display(), twin.display());
                bail!("log.dirs: {twin} and {path} are one and the same directory");
            }
            held.push(match HeldDirectory::take(path, self.config.node_id, self.context) {
                Ok(taken) => Some(taken),
                Err(error) => {
                    self.put_offline(path, error)?;
                    None
                }
            });
        }
        Ok(held)
    }

    /// Whether there is no start without it.
    fn is_needed(&self, path: &Path) -> bool {
        self.is_of_metadata(path) || self.config.storage.log_dirs.len() == 1
    }

    fn give_up(&self, taken: &mut Option<HeldDirectory>, error: LogError) -> anyhow::Result<()> {
        let path = taken.take().map(|held| held.path().to_path_buf()).unwrap_or_default();
        self.put_offline(&path, error)
    }

    /// Fails where the error is not the disk's, or there is no start without the directory.
    fn put_offline(&self, path: &Path, error: LogError) -> anyhow::Result<()> {
        if !matches!(error, LogError::Io { .. }) || self.is_needed(path) {
            let what = format!("cannot use the data directory ({})", self.setting(path));
            return Err(anyhow::Error::new(error).context(what));
        }
        tracing::error!(
            path = %path.display(), %error,
            "a data directory cannot be used and is OFFLINE: its partitions have no leader until a start finds it in order"
        );
        Ok(())
    }

    /// One broker's directories belong to one cluster, and each has an id of its own; the journal is in one of them.
    fn check_one_owner(&self, held: &[Option<HeldDirectory>]) -> anyhow::Result<()> {
        let held: Vec<&HeldDirectory> = held.iter().flatten().collect();
        if let Some(cluster_id) = &self.config.cluster_id {
            for directory in &held {
                let what = || format!("cannot use the data directory ({})", self.setting(directory.path()));
                directory.check_cluster(cluster_id).with_context(what)?;
            }
        }
        for (place, directory) in held.iter().enumerate() {
            for other in held.iter().take(place) {
                let (one, two) = (other.path().display(), directory.path().display());
                if let (Some(ours), Some(theirs)) = (other.cluster_id(), directory.cluster_id())
                    && ours != theirs
                {
                    bail!(
                        "log.dirs: {one} belongs to the cluster {ours} and {two} to the cluster {theirs}: a broker's \
                        directories belong to one"
                    );
                }
                if let (Some(id), Some(same)) = (other.directory_id(), directory.directory_id())
                    && id == same
                {
                    bail!(
                        "log.dirs: {one} and {two} have the same directory.id, {}: one is a copy of the other",
                        TopicId(id)
                    );
                }
            }
            let journal = TopicPartition::new(METADATA_TOPIC, 0);
            if !self.is_of_metadata(directory.path()) && directory.has(&journal) {
                bail!(
                    "metadata.log.dir: the metadata are in {}, but {} is to hold them: name the one where they are, in \
                    metadata.log.dir or as the first of log.dirs",
                    directory.path().display(),
                    self.config.storage.metadata_log_dir.display(),
                );
            }
        }
        Ok(())
    }
}

fn is_same(one: &Path, two: &Path) -> bool {
    matches!((one.canonicalize(), two.canonicalize()), (Ok(one), Ok(two)) if one == two)
}

/// The partitions that have a directory, for each data directory.
pub(super) type Listed = Vec<Vec<TopicPartition>>;

/// Lists the directories that can be used; one that cannot be listed is offline.
pub(super) fn list(all: &mut [Found]) -> Listed {
    let list = |found: &mut Found| match found.files().map(LogDirectory::partitions) {
        Some(Ok(listed)) => listed,
        Some(Err(error)) => {
            tracing::error!(%error, "a data directory cannot be listed and is OFFLINE");
            *found = Found::Offline(found.path().to_path_buf());
            Vec::new()
        }
        None => Vec::new(),
    };
    all.iter_mut().map(list).collect()
}

/// Fails when there is no start with what is left: no directory at all, or not the metadata's.
pub(super) fn check_usable(
    config: &Config,
    found: &[Found],
    metadata: Option<&LogDirectory>,
) -> anyhow::Result<()> {
    let usable = || found.iter().filter_map(Found::files);
    if usable().next().is_none() {
        let paths: Vec<String> = found.iter().map(|found| found.path().display().to_string()).collect();
        bail!("log.dirs: none of the data directories can be used: {}", paths.join(", "));
    }
    let path = &config.storage.metadata_log_dir;
    if metadata.is_none() && !usable().any(|files| files.path() == path) {
        bail!("metadata.log.dir: the directory of the metadata cannot be used: {}", path.display());
    }
    Ok(())
}

/// Gives directories that are refused the marker of a clean stop back, for whoever can open them.
pub(super) fn leave_as_found(found: &[Found]) {
    for files in found.iter().filter_map(Found::files).filter(|files| files.was_clean()) {
        if let Err(error) = files.mark_clean(files.previous_broker_epoch().unwrap_or(-1)) {
            tracing::warn!(%error, "the marker of a clean stop is lost");
        }
    }
}

/// The partitions that lie in another directory than the metadata say: somebody moved them, or a record was lost. One
/// that lies in two is no start: nobody knows which is the newer one.
pub(super) fn misplaced(
    found: &[Found],
    listed: &Listed,
    image: &Image,
    node: NodeId,
) -> anyhow::Result<Vec<(TopicIdPartition, DirectoryId)>> {
    let usable = || found.iter().zip(listed).filter_map(|(found, listed)| Some((found.files()?, listed)));
    let mut misplaced: HashMap<&TopicPartition, (TopicIdPartition, &LogDirectory)> = HashMap::new();
    for (files, partitions) in usable() {
        for named in partitions {
            let Some((at, recorded)) = recorded(image, node, named) else { continue };
            if recorded == Some(id_of(files)) || !belongs(files, named, at.topic_id)? {
                continue;
            }
            let home = usable().find(|(home, _)| recorded == Some(id_of(home)));
            let at_home = match home.filter(|(_, listed)| listed.binary_search(named).is_ok()) {
                Some((home, _)) if belongs(home, named, at.topic_id)? => Some(home),
                _ => None,
            };
            let before = misplaced.insert(named, (at, files)).map(|(_, other)| other);
            if let Some(other) = at_home.or(before) {
                bail!(
                    "the partition {named} is in {} and in {}: set one of them aside",
                    other.path().display(),
                    files.path().display()
                );
            }
        }
    }
    Ok(misplaced.into_values().map(|(at, files)| (at, id_of(files))).collect())
}

fn id_of(files: &LogDirectory) -> DirectoryId {
    TopicId(files.meta().directory_id)
}

/// A partition of this node by its name, and the directory that the metadata name for it.
fn recorded(
    image: &Image,
    node: NodeId,
    named: &TopicPartition,
) -> Option<(TopicIdPartition, Option<DirectoryId>)> {
    let topic = image.topic(&named.topic)?;
    let partition = topic.partition(named.partition)?;
    let at = TopicIdPartition { topic_id: topic.id, partition: named.partition };
    Some((at, partition.directory_of(node)))
}

/// Whether what lies there may be the topic's; another one may have had the name.
fn belongs(files: &LogDirectory, named: &TopicPartition, topic: TopicId) -> Result<bool, LogError> {
    Ok(files.stored_topic_id(named)?.is_none_or(|stored| stored == topic))
}

/// Says loudly which partitions are offline because their directory is none of `log.dirs`.
pub(super) fn report_missing(image: &Image, node: NodeId, directories: &[Arc<DataDirectory>]) {
    let mut missing: HashMap<DirectoryId, usize> = HashMap::new();
    for partition in image.topics().flat_map(|topic| &topic.partitions) {
        if let Some(id) = partition.directory_of(node)
            && !directories.iter().any(|directory| directory.id() == Some(id))
        {
            *missing.entry(id).or_default() += 1;
        }
    }
    for (id, partitions) in missing {
        tracing::error!(
            partitions, directory_id = %id,
            "partitions are OFFLINE because no data directory that can be used has their directory.id: they have \
            no leader until one of log.dirs has it again"
        );
    }
}
