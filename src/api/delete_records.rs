//! DeleteRecords, versions 0–2 (KIP-107): moves a partition's log start offset.

use std::collections::HashMap;

use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};

use super::{Context, Reply};
use crate::log::Checkpoint;
use crate::types::{ErrorCode, Offset, TopicPartition};

/// Moves the log starts on the pool for blocking work: segments are renamed, the new start is made durable.
pub(super) fn handle(context: Context, request: DeleteRecordsRequest) -> Reply<DeleteRecordsResponse> {
    Reply::Run(Box::pin(async move {
        tokio::task::spawn_blocking(move || answer(&context, request)).await.unwrap_or_default()
    }))
}

fn answer(context: &Context, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    // As with Kafka the last offset counts for a partition that is named more than once, and is answered once.
    let mut offsets = HashMap::new();
    for topic in &request.topics {
        for asked in &topic.partitions {
            let named = TopicPartition::new(topic.name.as_str(), asked.partition_index);
            offsets.insert(named, asked.offset);
        }
    }
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().filter_map(|asked| {
            let named = TopicPartition::new(topic.name.as_str(), asked.partition_index);
            let offset = offsets.remove(&named)?;
            let response =
                DeleteRecordsPartitionResult::default().with_partition_index(asked.partition_index);
            Some(match delete(context, &named, offset) {
                Ok(start) => response.with_low_watermark(start.0),
                Err(code) => response.with_low_watermark(-1).with_error_code(code.code()),
            })
        });
        let partitions = partitions.collect();
        DeleteRecordsTopicResult::default().with_name(topic.name).with_partitions(partitions)
    });
    let mut topics: Vec<DeleteRecordsTopicResult> = topics.collect();
    topics.retain(|topic| !topic.partitions.is_empty());
    let response = DeleteRecordsResponse::default().with_topics(topics);
    context.broker.partitions.write_checkpoint(Checkpoint::LogStart);
    response
}

fn delete(context: &Context, named: &TopicPartition, offset: i64) -> Result<Offset, ErrorCode> {
    let partition = context.broker.partitions.get(named).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if partition.is_internal() {
        return Err(ErrorCode::InvalidTopicException);
    }
    // −1 stands for the high watermark.
    let offset = (offset != -1).then_some(Offset(offset));
    partition.delete_records(offset)
}
