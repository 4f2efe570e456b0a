//! `DescribeProducers`, version 0 (KIP-664): the idempotent and transactional producers that a partition's log knows.

use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use kafka_protocol::messages::{DescribeProducersRequest, DescribeProducersResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::controller::command::{ApiError, Outcome};
use crate::controller::names::is_valid;
use crate::limits::PRODUCERS_PER_ANSWER_MAX;
use crate::replica::reading::ActiveProducer;
use crate::types::{ErrorCode, TopicPartition};

/// See the module.
pub(super) fn handle(
    context: Context,
    request: DescribeProducersRequest,
) -> Reply<DescribeProducersResponse> {
    let mut left = PRODUCERS_PER_ANSWER_MAX;
    let topics = request.topics.into_iter().map(|topic| describe(&context, topic, &mut left)).collect();
    Reply::Now(DescribeProducersResponse::default().with_topics(topics))
}

fn describe(context: &Context, asked: TopicRequest, left: &mut usize) -> TopicResponse {
    let refusal = refuse(context, asked.name.as_str()).err();
    let partition = |&index: &i32| {
        let response = PartitionResponse::default().with_partition_index(index);
        let producers = match &refusal {
            Some(error) => Err(error.clone()),
            None => producers(context, &TopicPartition::new(asked.name.as_str(), index), left),
        };
        match producers {
            Ok(producers) => response
                .with_error_message(None)
                .with_active_producers(producers.into_iter().map(producer).collect()),
            Err(error) => response
                .with_error_code(error.code.code())
                .with_error_message(error.message.map(StrBytes::from_string)),
        }
    };
    let partitions = asked.partition_indexes.iter().map(partition).collect();
    TopicResponse::default().with_name(asked.name).with_partitions(partitions)
}

/// A topic that is not there has a message beside its error, a partition of one that is there has none. The message is
/// told for every partition, so it does not repeat the client's name.
fn refuse(context: &Context, name: &str) -> Outcome<()> {
    if !is_valid(name) {
        return Err(ApiError::new(ErrorCode::InvalidTopicException, "no topic can have this name"));
    }
    if context.broker.controller.image().topic(name).is_none() {
        return Err(ApiError::new(ErrorCode::UnknownTopicOrPartition, "there is no such topic"));
    }
    Ok(())
}

/// A request may name one partition many times, so what is told in all is bounded.
fn producers(context: &Context, named: &TopicPartition, left: &mut usize) -> Outcome<Vec<ActiveProducer>> {
    let partition = context.broker.partitions.get(named).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let producers = partition.producers(*left)?;
    let rest = left.saturating_sub(producers.len());
    if rest == 0 {
        let message =
            format!("an answer has at most {PRODUCERS_PER_ANSWER_MAX} producers: ask for fewer partitions");
        return Err(ApiError::new(ErrorCode::PolicyViolation, message));
    }
    *left = rest;
    Ok(producers)
}

fn producer(known: ActiveProducer) -> ProducerState {
    ProducerState::default()
        .with_producer_id(known.id.0.into())
        .with_producer_epoch(i32::from(known.epoch))
        .with_last_sequence(known.last_sequence)
        .with_last_timestamp(known.last_timestamp_ms)
        .with_coordinator_epoch(known.coordinator_epoch)
        .with_current_txn_start_offset(known.txn_start.map_or(-1, |offset| offset.0))
}
