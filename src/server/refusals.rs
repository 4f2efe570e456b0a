//! What a data directory is refused for before its metadata is read. Looks only.

use std::path::Path;

use anyhow::bail;

use super::directories::Listed;
use crate::controller::JOURNAL_DIR;
use crate::log::storage::Storage;
use crate::replica::registry::Found;
use crate::types::TopicPartition;

/// The journal's own directory looks like a partition's.
pub(super) const METADATA_TOPIC: &str = "__cluster_metadata";

/// Refuses partitions without a metadata log beside them: with a new one none of them would belong to a topic.
pub(super) fn partitions_without_metadata(
    metadata_dir: &Path,
    found: &[Found],
    listed: &Listed,
    storage: &dyn Storage,
) -> anyhow::Result<()> {
    let is_journal = |name: &str| [".log", ".checkpoint"].iter().any(|ending| name.ends_with(ending));
    let journal = storage.list(&metadata_dir.join(JOURNAL_DIR)).unwrap_or_default();
    if journal.iter().any(|entry| is_journal(&entry.name)) {
        return Ok(());
    }
    let of_topic = |partition: &&TopicPartition| partition.topic.as_ref() != METADATA_TOPIC;
    for (found, partitions) in found.iter().zip(listed) {
        let count = partitions.iter().filter(of_topic).count();
        let Some(first) = partitions.iter().find(of_topic) else { continue };
        bail!(
            "{}: {count} partitions ({first} …), but no metadata log ({JOURNAL_DIR}) that knows their topics: it may \
             lie in another directory (metadata.log.dir), or a Kafka with ZooKeeper wrote them",
            found.path().display(),
        );
    }
    Ok(())
}
