//! AlterReplicaLogDirs, versions 1–2 (KIP-113): moves replicas between data directories. Nothing moves here: what is asked
//! is there already or is refused.

use std::collections::BTreeMap;

use kafka_protocol::messages::alter_replica_log_dirs_request::AlterReplicaLogDir;
use kafka_protocol::messages::alter_replica_log_dirs_response::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use kafka_protocol::messages::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::types::{ErrorCode, TopicPartition};

/// Directories by partition. As with Kafka the last one counts for a partition that is named more than once.
type Wanted = BTreeMap<TopicPartition, StrBytes>;

/// Tells of each partition whether it is where it is wanted.
pub(super) fn handle(
    context: Context,
    request: AlterReplicaLogDirsRequest,
) -> Reply<AlterReplicaLogDirsResponse> {
    let partitions = &context.broker.partitions;
    let own: Vec<_> = partitions.directories().iter().map(|known| (known.absolute_path(), known)).collect();
    Reply::Now(respond(wanted(request.dirs), |partition, path| {
        // As with Kafka a path is compared as text: another way to write the directory is unknown.
        let known = own.iter().find(|(own, _)| own.as_os_str() == path).ok_or(ErrorCode::LogDirNotFound)?;
        if known.1.is_offline() {
            return Err(ErrorCode::KafkaStorageError);
        }
        let partition = partitions.get(partition).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        if partition.home().is_offline() {
            return Err(partition.home().offline_error());
        }
        let is_there = partition.home().absolute_path().as_os_str() == path;
        if is_there { Ok(()) } else { Err(ErrorCode::InvalidRequest) }
    }))
}

fn wanted(dirs: Vec<AlterReplicaLogDir>) -> Wanted {
    let mut wanted = Wanted::new();
    for dir in dirs {
        for topic in &dir.topics {
            for index in &topic.partitions {
                wanted.insert(TopicPartition::new(topic.name.as_str(), *index), dir.path.clone());
            }
        }
    }
    wanted
}

fn respond(
    wanted: Wanted,
    judge: impl Fn(&TopicPartition, &str) -> Result<(), ErrorCode>,
) -> AlterReplicaLogDirsResponse {
    let mut results: Vec<AlterReplicaLogDirTopicResult> = Vec::new();
    for (partition, path) in wanted {
        let error_code = judge(&partition, &path).err().map_or(0, |error| error.code());
        let verdict = AlterReplicaLogDirPartitionResult::default()
            .with_partition_index(partition.partition)
            .with_error_code(error_code);
        // Partitions come in the order of their topics.
        if let Some(last) = results.last_mut().filter(|last| **last.topic_name == *partition.topic) {
            last.partitions.push(verdict);
            continue;
        }
        let name = StrBytes::from_string(partition.topic.to_string());
        let result = AlterReplicaLogDirTopicResult::default().with_topic_name(name.into());
        results.push(result.with_partitions(vec![verdict]));
    }
    AlterReplicaLogDirsResponse::default().with_results(results)
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::TopicName;
    use kafka_protocol::messages::alter_replica_log_dirs_request::AlterReplicaLogDirTopic;

    use super::*;
    use crate::api::groups::in_every_version;

    fn dir(path: &'static str, topics: &[(&'static str, &[i32])]) -> AlterReplicaLogDir {
        let topics = topics.iter().map(|(name, partitions)| {
            AlterReplicaLogDirTopic::default()
                .with_name(TopicName(StrBytes::from_static_str(name)))
                .with_partitions(partitions.to_vec())
        });
        AlterReplicaLogDir::default().with_path(StrBytes::from_static_str(path)).with_topics(topics.collect())
    }

    #[test]
    fn every_partition_has_one_verdict_and_the_last_directory_counts() {
        let dirs =
            || vec![dir("/a", &[("t", &[1, 0]), ("u", &[5]), ("none", &[])]), dir("/b", &[("t", &[1])])];
        let judge = |_: &TopicPartition, path: &str| {
            if path == "/a" { Ok(()) } else { Err(ErrorCode::LogDirNotFound) }
        };
        for response in in_every_version(1..=2, |_| respond(wanted(dirs()), judge)) {
            let told: Vec<_> = response
                .results
                .iter()
                .map(|topic| {
                    let partitions = topic.partitions.iter().map(|p| (p.partition_index, p.error_code));
                    (topic.topic_name.to_string(), partitions.collect::<Vec<_>>())
                })
                .collect();
            assert_eq!(told, [("t".to_owned(), vec![(0, 0), (1, 57)]), ("u".to_owned(), vec![(5, 0)])]);
        }
    }
}
