//! What a data directory is refused for before its metadata is read. Looks only.

use anyhow::bail;

use crate::controller::JOURNAL_DIR;
use crate::log::LogDirectory;
use crate::log::storage::Storage;
use crate::types::TopicPartition;

/// The journal's own directory looks like a partition's.
pub(super) const METADATA_TOPIC: &str = "__cluster_metadata";

/// Refuses partitions without a metadata log beside them: with a new one none of them would belong to a topic.
pub(super) fn partitions_without_metadata(
    directory: &LogDirectory,
    storage: &dyn Storage,
) -> anyhow::Result<()> {
    let is_journal = |name: &str| [".log", ".checkpoint"].iter().any(|ending| name.ends_with(ending));
    let listed = storage.list(&directory.path().join(JOURNAL_DIR)).unwrap_or_default();
    if listed.iter().any(|entry| is_journal(&entry.name)) {
        return Ok(());
    }
    let of_topic = |partition: &TopicPartition| partition.topic.as_ref() != METADATA_TOPIC;
    let partitions: Vec<_> = directory.partitions()?.into_iter().filter(of_topic).collect();
    let Some(first) = partitions.first() else { return Ok(()) };
    bail!(
        "{}: {} partitions ({first} …), but no metadata log ({JOURNAL_DIR}) that knows their topics: it may lie in \
         another directory (metadata.log.dir), or a Kafka with ZooKeeper wrote them",
        directory.path().display(),
        partitions.len(),
    );
}
