//! DescribeLogDirs, versions 1–5 (an error code from 3, KIP-827 space of the volume from 4, KIP-1066 cordoned directories
//! from 5): what each data directory holds. Opens no log.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::log::Space;
use crate::replica::Partition;
use crate::replica::directory::DataDirectory;
use crate::types::{ErrorCode, TopicName, TopicPartition};
use crate::wire::messages::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use crate::wire::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};

/// Sizes by topic and partition.
type Sizes = BTreeMap<TopicName, BTreeMap<i32, u64>>;

/// Answers on the pool for blocking work: directories and the volume are looked at.
pub(super) fn handle(context: Context, request: DescribeLogDirsRequest) -> Reply<DescribeLogDirsResponse> {
    Reply::Run(Box::pin(async move {
        tokio::task::spawn_blocking(move || answer(&context, request.topics)).await.unwrap_or_else(|_| {
            DescribeLogDirsResponse {
                error_code: ErrorCode::UnknownServerError.code(),
                ..DescribeLogDirsResponse::default()
            }
        })
    }))
}

fn answer(context: &Context, asked: Option<Vec<DescribableLogDirTopic>>) -> DescribeLogDirsResponse {
    let registry = &context.broker.partitions;
    let mut of_directories: Vec<Vec<Arc<Partition>>> = vec![Vec::new(); registry.directories().len()];
    for partition in select(registry.all(), asked) {
        let home = registry.directories().iter().position(|known| Arc::ptr_eq(known, partition.home()));
        if let Some(held) = home.and_then(|home| of_directories.get_mut(home)) {
            held.push(partition);
        }
    }
    let describe = |(directory, held): (&Arc<DataDirectory>, Vec<Arc<Partition>>)| {
        let path = directory.absolute_path().to_string_lossy().into_owned();
        result(StrBytes::from_string(path), content(directory, held))
    };
    let results = registry.directories().iter().zip(of_directories).map(describe).collect();
    DescribeLogDirsResponse { results, ..DescribeLogDirsResponse::default() }
}

fn content(directory: &DataDirectory, held: Vec<Arc<Partition>>) -> Result<(Space, Sizes), ErrorCode> {
    let files = directory.files().ok_or(ErrorCode::KafkaStorageError)?;
    let space = files.space().map_err(|error| {
        tracing::error!(%error, "cannot look at the volume of the data directory");
        error.code()
    })?;
    Ok((space, sizes(held)?))
}

/// The partitions that are asked for; null asks for all.
fn select(all: Vec<Arc<Partition>>, asked: Option<Vec<DescribableLogDirTopic>>) -> Vec<Arc<Partition>> {
    let Some(asked) = asked else { return all };
    let asked: HashSet<TopicPartition> = asked
        .iter()
        .flat_map(|topic| {
            topic.partitions.iter().map(|index| TopicPartition::new(topic.topic.as_str(), *index))
        })
        .collect();
    all.into_iter().filter(|partition| asked.contains(&partition.topic_partition)).collect()
}

fn sizes(partitions: Vec<Arc<Partition>>) -> Result<Sizes, ErrorCode> {
    let mut sizes = Sizes::new();
    for partition in partitions {
        let named = &partition.topic_partition;
        let size = match partition.size_bytes() {
            // It was deleted meanwhile.
            Err(ErrorCode::UnknownTopicOrPartition) => continue,
            other => other?,
        };
        sizes.entry(named.topic.clone()).or_default().insert(named.partition, size);
    }
    Ok(sizes)
}

/// A directory that cannot be looked at has an error instead of its content.
fn result(log_dir: StrBytes, described: Result<(Space, Sizes), ErrorCode>) -> DescribeLogDirsResult {
    let result = DescribeLogDirsResult { log_dir, ..DescribeLogDirsResult::default() };
    let (space, sizes) = match described {
        Ok(described) => described,
        Err(error) => return DescribeLogDirsResult { error_code: error.code(), ..result },
    };
    let topics = sizes.into_iter().map(|(topic, partitions)| DescribeLogDirsTopic {
        name: StrBytes::from_string(topic.to_string()),
        partitions: partitions.into_iter().map(partition).collect(),
    });
    DescribeLogDirsResult {
        topics: topics.collect(),
        total_bytes: signed(space.total_bytes),
        usable_bytes: signed(space.usable_bytes),
        ..result
    }
}

/// There are no future logs, because nothing moves between directories, and a leader's own log does not lag.
fn partition((partition_index, size): (i32, u64)) -> DescribeLogDirsPartition {
    DescribeLogDirsPartition {
        partition_index,
        partition_size: signed(size),
        ..DescribeLogDirsPartition::default()
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::groups::in_every_version;

    fn respond(described: Result<(Space, Sizes), ErrorCode>) -> DescribeLogDirsResponse {
        let results = vec![result(StrBytes::from_static_str("/data"), described)];
        DescribeLogDirsResponse { results, ..DescribeLogDirsResponse::default() }
    }

    #[test]
    fn sizes_and_space_can_be_told_in_every_version() {
        let sizes = Sizes::from([("t".into(), BTreeMap::from([(0, 7), (3, u64::MAX)]))]);
        let space = Space { total_bytes: 9, usable_bytes: 5 };
        for (version, response) in (1..).zip(in_every_version(1..=5, |_| respond(Ok((space, sizes.clone())))))
        {
            let result = &response.results[0];
            let expected = if version < 4 { (-1, -1) } else { (9, 5) };
            assert_eq!((result.total_bytes, result.usable_bytes), expected, "v{version}");
            assert_eq!((&*result.log_dir, &*result.topics[0].name), ("/data", "t"));
            let told: Vec<_> =
                result.topics[0].partitions.iter().map(|p| (p.partition_index, p.partition_size)).collect();
            assert_eq!(told, [(0, 7), (3, i64::MAX)]);
        }
    }

    #[test]
    fn a_directory_that_cannot_be_read_is_told_with_its_error_alone() {
        for response in in_every_version(1..=5, |_| respond(Err(ErrorCode::KafkaStorageError))) {
            let result = &response.results[0];
            assert_eq!((result.error_code, result.topics.len(), result.total_bytes), (56, 0, -1));
        }
    }
}
