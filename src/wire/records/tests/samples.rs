//! Random values of every definition, for the tests.
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use super::source::{Sample, Source, Visitor};
use crate::wire::records::{
    consumer_group, control, metadata_brokers, metadata_security, metadata_settings, metadata_topics,
    offsets, share_group, streams_group, transactions,
};

/// Visits every definition.
pub(super) fn visit_all(visitor: &mut impl Visitor) {
    visitor.visit::<offsets::LegacyOffsetCommitKey>();
    visitor.visit::<offsets::LegacyOffsetCommitValue>();
    visitor.visit::<offsets::OffsetCommitKey>();
    visitor.visit::<offsets::OffsetCommitValue>();
    visitor.visit::<offsets::GroupMetadataKey>();
    visitor.visit::<offsets::GroupMetadataValue>();
    visitor.visit::<consumer_group::ConsumerGroupMetadataKey>();
    visitor.visit::<consumer_group::ConsumerGroupMetadataValue>();
    visitor.visit::<consumer_group::ConsumerGroupPartitionMetadataKey>();
    visitor.visit::<consumer_group::ConsumerGroupPartitionMetadataValue>();
    visitor.visit::<consumer_group::ConsumerGroupMemberMetadataKey>();
    visitor.visit::<consumer_group::ConsumerGroupMemberMetadataValue>();
    visitor.visit::<consumer_group::ConsumerGroupTargetAssignmentMetadataKey>();
    visitor.visit::<consumer_group::ConsumerGroupTargetAssignmentMetadataValue>();
    visitor.visit::<consumer_group::ConsumerGroupTargetAssignmentMemberKey>();
    visitor.visit::<consumer_group::ConsumerGroupTargetAssignmentMemberValue>();
    visitor.visit::<consumer_group::ConsumerGroupCurrentMemberAssignmentKey>();
    visitor.visit::<consumer_group::ConsumerGroupCurrentMemberAssignmentValue>();
    visitor.visit::<consumer_group::ConsumerGroupRegularExpressionKey>();
    visitor.visit::<consumer_group::ConsumerGroupRegularExpressionValue>();
    visitor.visit::<share_group::ShareGroupMemberMetadataKey>();
    visitor.visit::<share_group::ShareGroupMemberMetadataValue>();
    visitor.visit::<share_group::ShareGroupMetadataKey>();
    visitor.visit::<share_group::ShareGroupMetadataValue>();
    visitor.visit::<share_group::ShareGroupTargetAssignmentMetadataKey>();
    visitor.visit::<share_group::ShareGroupTargetAssignmentMetadataValue>();
    visitor.visit::<share_group::ShareGroupTargetAssignmentMemberKey>();
    visitor.visit::<share_group::ShareGroupTargetAssignmentMemberValue>();
    visitor.visit::<share_group::ShareGroupCurrentMemberAssignmentKey>();
    visitor.visit::<share_group::ShareGroupCurrentMemberAssignmentValue>();
    visitor.visit::<share_group::ShareGroupStatePartitionMetadataKey>();
    visitor.visit::<share_group::ShareGroupStatePartitionMetadataValue>();
    visitor.visit::<streams_group::StreamsGroupMetadataKey>();
    visitor.visit::<streams_group::StreamsGroupMetadataValue>();
    visitor.visit::<streams_group::StreamsGroupMemberMetadataKey>();
    visitor.visit::<streams_group::StreamsGroupMemberMetadataValue>();
    visitor.visit::<streams_group::StreamsGroupTargetAssignmentMetadataKey>();
    visitor.visit::<streams_group::StreamsGroupTargetAssignmentMetadataValue>();
    visitor.visit::<streams_group::StreamsGroupTargetAssignmentMemberKey>();
    visitor.visit::<streams_group::StreamsGroupTargetAssignmentMemberValue>();
    visitor.visit::<streams_group::StreamsGroupCurrentMemberAssignmentKey>();
    visitor.visit::<streams_group::StreamsGroupCurrentMemberAssignmentValue>();
    visitor.visit::<streams_group::StreamsGroupTopologyKey>();
    visitor.visit::<streams_group::StreamsGroupTopologyValue>();
    visitor.visit::<transactions::TransactionLogKey>();
    visitor.visit::<transactions::TransactionLogValue>();
    visitor.visit::<control::EndTxnMarker>();
    visitor.visit::<control::KRaftVersionRecord>();
    visitor.visit::<control::LeaderChangeMessage>();
    visitor.visit::<control::SnapshotFooterRecord>();
    visitor.visit::<control::SnapshotHeaderRecord>();
    visitor.visit::<control::VotersRecord>();
    visitor.visit::<metadata_topics::TopicRecord>();
    visitor.visit::<metadata_topics::PartitionRecord>();
    visitor.visit::<metadata_topics::PartitionChangeRecord>();
    visitor.visit::<metadata_topics::RemoveTopicRecord>();
    visitor.visit::<metadata_topics::ClearElrRecord>();
    visitor.visit::<metadata_settings::ConfigRecord>();
    visitor.visit::<metadata_settings::FeatureLevelRecord>();
    visitor.visit::<metadata_settings::ProducerIdsRecord>();
    visitor.visit::<metadata_settings::NoOpRecord>();
    visitor.visit::<metadata_settings::ZkMigrationStateRecord>();
    visitor.visit::<metadata_settings::BeginTransactionRecord>();
    visitor.visit::<metadata_settings::EndTransactionRecord>();
    visitor.visit::<metadata_settings::AbortTransactionRecord>();
    visitor.visit::<metadata_brokers::RegisterBrokerRecord>();
    visitor.visit::<metadata_brokers::UnregisterBrokerRecord>();
    visitor.visit::<metadata_brokers::FenceBrokerRecord>();
    visitor.visit::<metadata_brokers::UnfenceBrokerRecord>();
    visitor.visit::<metadata_brokers::BrokerRegistrationChangeRecord>();
    visitor.visit::<metadata_brokers::RegisterControllerRecord>();
    visitor.visit::<metadata_security::DelegationTokenRecord>();
    visitor.visit::<metadata_security::UserScramCredentialRecord>();
    visitor.visit::<metadata_security::ClientQuotaRecord>();
    visitor.visit::<metadata_security::AccessControlEntryRecord>();
    visitor.visit::<metadata_security::RemoveAccessControlEntryRecord>();
    visitor.visit::<metadata_security::RemoveUserScramCredentialRecord>();
    visitor.visit::<metadata_security::RemoveDelegationTokenRecord>();
}

impl Sample for offsets::LegacyOffsetCommitKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group = source.string();
        value.topic = source.string();
        value.partition = source.int32();
        value
    }
}

impl Sample for offsets::LegacyOffsetCommitValue {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.offset = source.int64();
        value.metadata = source.string();
        value.commit_timestamp = source.int64();
        value
    }
}

impl Sample for offsets::OffsetCommitKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group = source.string();
        value.topic = source.string();
        value.partition = source.int32();
        value
    }
}

impl Sample for offsets::OffsetCommitValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.offset = source.int64();
        if version >= 3 {
            value.leader_epoch = source.int32();
        }
        value.metadata = source.string();
        value.commit_timestamp = source.int64();
        if version == 1 {
            value.expire_timestamp = source.int64();
        }
        if version >= 4 {
            value.topic_id = source.uuid();
        }
        value
    }
}

impl Sample for offsets::GroupMetadataKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group = source.string();
        value
    }
}

impl Sample for offsets::GroupMetadataValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.protocol_type = source.string();
        value.generation = source.int32();
        value.protocol = source.nullable(Source::string);
        value.leader = source.nullable(Source::string);
        if version >= 2 {
            value.current_state_timestamp = source.int64();
        }
        value.members = source.array(|source| offsets::MemberMetadata::sample(source, version));
        value
    }
}

impl Sample for offsets::MemberMetadata {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.member_id = source.string();
        if version >= 3 {
            value.group_instance_id = source.nullable(Source::string);
        }
        value.client_id = source.string();
        value.client_host = source.string();
        if version >= 1 {
            value.rebalance_timeout = source.int32();
        }
        value.session_timeout = source.int32();
        value.subscription = source.bytes();
        value.assignment = source.bytes();
        value
    }
}

impl Sample for consumer_group::ConsumerGroupMetadataKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value
    }
}

impl Sample for consumer_group::ConsumerGroupMetadataValue {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.epoch = source.int32();
        value.metadata_hash = source.int64();
        value
    }
}

impl Sample for consumer_group::ConsumerGroupPartitionMetadataKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value
    }
}

impl Sample for consumer_group::ConsumerGroupPartitionMetadataValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.topics = source.array(|source| consumer_group::TopicMetadata::sample(source, version));
        value
    }
}

impl Sample for consumer_group::TopicMetadata {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.topic_id = source.uuid();
        value.topic_name = source.string();
        value.num_partitions = source.int32();
        value.partition_metadata =
            source.array(|source| consumer_group::PartitionMetadata::sample(source, version));
        value
    }
}

impl Sample for consumer_group::PartitionMetadata {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.partition = source.int32();
        value.racks = source.array(Source::string);
        value
    }
}

impl Sample for consumer_group::ConsumerGroupMemberMetadataKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value.member_id = source.string();
        value
    }
}

impl Sample for consumer_group::ConsumerGroupMemberMetadataValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.instance_id = source.nullable(Source::string);
        value.rack_id = source.nullable(Source::string);
        value.client_id = source.string();
        value.client_host = source.string();
        value.subscribed_topic_names = source.array(Source::string);
        value.subscribed_topic_regex = source.nullable(Source::string);
        value.rebalance_timeout_ms = source.int32();
        value.server_assignor = source.nullable(Source::string);
        value.classic_member_metadata =
            source.nullable(|source| consumer_group::ClassicMemberMetadata::sample(source, version));
        value
    }
}

impl Sample for consumer_group::ClassicMemberMetadata {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.session_timeout_ms = source.int32();
        value.supported_protocols =
            source.array(|source| consumer_group::ClassicProtocol::sample(source, version));
        value
    }
}

impl Sample for consumer_group::ClassicProtocol {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.name = source.string();
        value.metadata = source.bytes();
        value
    }
}

impl Sample for consumer_group::ConsumerGroupTargetAssignmentMetadataKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value
    }
}

impl Sample for consumer_group::ConsumerGroupTargetAssignmentMetadataValue {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.assignment_epoch = source.int32();
        value.assignment_timestamp = source.int64();
        value
    }
}

impl Sample for consumer_group::ConsumerGroupTargetAssignmentMemberKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value.member_id = source.string();
        value
    }
}

impl Sample for consumer_group::ConsumerGroupTargetAssignmentMemberValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.topic_partitions =
            source.array(|source| consumer_group::TopicPartition::sample(source, version));
        value
    }
}

impl Sample for consumer_group::TopicPartition {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.topic_id = source.uuid();
        value.partitions = source.array(Source::int32);
        value
    }
}

impl Sample for consumer_group::ConsumerGroupCurrentMemberAssignmentKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value.member_id = source.string();
        value
    }
}

impl Sample for consumer_group::ConsumerGroupCurrentMemberAssignmentValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.member_epoch = source.int32();
        value.previous_member_epoch = source.int32();
        value.state = source.int8();
        value.assigned_partitions =
            source.array(|source| consumer_group::TopicPartitions::sample(source, version));
        value.partitions_pending_revocation =
            source.array(|source| consumer_group::TopicPartitions::sample(source, version));
        value
    }
}

impl Sample for consumer_group::TopicPartitions {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.topic_id = source.uuid();
        value.partitions = source.array(Source::int32);
        value.assignment_epochs = source.nullable(|source| source.array(Source::int32));
        value
    }
}

impl Sample for consumer_group::ConsumerGroupRegularExpressionKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value.regular_expression = source.string();
        value
    }
}

impl Sample for consumer_group::ConsumerGroupRegularExpressionValue {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.topics = source.array(Source::string);
        value.version = source.int64();
        value.timestamp = source.int64();
        value
    }
}

impl Sample for share_group::ShareGroupMemberMetadataKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value.member_id = source.string();
        value
    }
}

impl Sample for share_group::ShareGroupMemberMetadataValue {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.rack_id = source.nullable(Source::string);
        value.client_id = source.string();
        value.client_host = source.string();
        value.subscribed_topic_names = source.array(Source::string);
        value
    }
}

impl Sample for share_group::ShareGroupMetadataKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value
    }
}

impl Sample for share_group::ShareGroupMetadataValue {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.epoch = source.int32();
        value.metadata_hash = source.int64();
        value
    }
}

impl Sample for share_group::ShareGroupTargetAssignmentMetadataKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value
    }
}

impl Sample for share_group::ShareGroupTargetAssignmentMetadataValue {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.assignment_epoch = source.int32();
        value.assignment_timestamp = source.int64();
        value
    }
}

impl Sample for share_group::ShareGroupTargetAssignmentMemberKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value.member_id = source.string();
        value
    }
}

impl Sample for share_group::ShareGroupTargetAssignmentMemberValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.topic_partitions = source.array(|source| share_group::TopicPartition::sample(source, version));
        value
    }
}

impl Sample for share_group::TopicPartition {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.topic_id = source.uuid();
        value.partitions = source.array(Source::int32);
        value
    }
}

impl Sample for share_group::ShareGroupCurrentMemberAssignmentKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value.member_id = source.string();
        value
    }
}

impl Sample for share_group::ShareGroupCurrentMemberAssignmentValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.member_epoch = source.int32();
        value.previous_member_epoch = source.int32();
        value.state = source.int8();
        value.assigned_partitions =
            source.array(|source| share_group::TopicPartitions::sample(source, version));
        value
    }
}

impl Sample for share_group::TopicPartitions {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.topic_id = source.uuid();
        value.partitions = source.array(Source::int32);
        value
    }
}

impl Sample for share_group::ShareGroupStatePartitionMetadataKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value
    }
}

impl Sample for share_group::ShareGroupStatePartitionMetadataValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.initializing_topics =
            source.array(|source| share_group::TopicPartitionsInfo::sample(source, version));
        value.initialized_topics =
            source.array(|source| share_group::TopicPartitionsInfo::sample(source, version));
        value.deleting_topics = source.array(|source| share_group::TopicInfo::sample(source, version));
        value
    }
}

impl Sample for share_group::TopicPartitionsInfo {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.topic_id = source.uuid();
        value.topic_name = source.string();
        value.partitions = source.array(Source::int32);
        value
    }
}

impl Sample for share_group::TopicInfo {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.topic_id = source.uuid();
        value.topic_name = source.string();
        value
    }
}

impl Sample for streams_group::StreamsGroupMetadataKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value
    }
}

impl Sample for streams_group::StreamsGroupMetadataValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.epoch = source.int32();
        value.metadata_hash = source.int64();
        value.validated_topology_epoch = source.int32();
        value.last_assignment_configs = source.nullable(|source| {
            source.array(|source| streams_group::LastAssignmentConfig::sample(source, version))
        });
        value
    }
}

impl Sample for streams_group::LastAssignmentConfig {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.key = source.string();
        value.value = source.string();
        value
    }
}

impl Sample for streams_group::StreamsGroupMemberMetadataKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value.member_id = source.string();
        value
    }
}

impl Sample for streams_group::StreamsGroupMemberMetadataValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.instance_id = source.nullable(Source::string);
        value.rack_id = source.nullable(Source::string);
        value.client_id = source.string();
        value.client_host = source.string();
        value.rebalance_timeout_ms = source.int32();
        value.topology_epoch = source.int32();
        value.process_id = source.string();
        value.user_endpoint = source.nullable(|source| streams_group::Endpoint::sample(source, version));
        value.client_tags = source.array(|source| streams_group::KeyValue::sample(source, version));
        value
    }
}

impl Sample for streams_group::Endpoint {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.host = source.string();
        value.port = source.uint16();
        value
    }
}

impl Sample for streams_group::KeyValue {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.key = source.string();
        value.value = source.string();
        value
    }
}

impl Sample for streams_group::StreamsGroupTargetAssignmentMetadataKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value
    }
}

impl Sample for streams_group::StreamsGroupTargetAssignmentMetadataValue {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.assignment_epoch = source.int32();
        value.assignment_timestamp = source.int64();
        value
    }
}

impl Sample for streams_group::StreamsGroupTargetAssignmentMemberKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value.member_id = source.string();
        value
    }
}

impl Sample for streams_group::StreamsGroupTargetAssignmentMemberValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.active_tasks = source.array(|source| streams_group::TaskIds::sample(source, version));
        value.standby_tasks = source.array(|source| streams_group::TaskIds::sample(source, version));
        value.warmup_tasks = source.array(|source| streams_group::TaskIds::sample(source, version));
        value
    }
}

impl Sample for streams_group::TaskIds {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.subtopology_id = source.string();
        value.partitions = source.array(Source::int32);
        value
    }
}

impl Sample for streams_group::StreamsGroupCurrentMemberAssignmentKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value.member_id = source.string();
        value
    }
}

impl Sample for streams_group::StreamsGroupCurrentMemberAssignmentValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.member_epoch = source.int32();
        value.previous_member_epoch = source.int32();
        value.state = source.int8();
        value.active_tasks = source.array(|source| {
            streams_group::StreamsGroupCurrentMemberAssignmentTaskIds::sample(source, version)
        });
        value.standby_tasks = source.array(|source| {
            streams_group::StreamsGroupCurrentMemberAssignmentTaskIds::sample(source, version)
        });
        value.warmup_tasks = source.array(|source| {
            streams_group::StreamsGroupCurrentMemberAssignmentTaskIds::sample(source, version)
        });
        value.active_tasks_pending_revocation = source.array(|source| {
            streams_group::StreamsGroupCurrentMemberAssignmentTaskIds::sample(source, version)
        });
        value.standby_tasks_pending_revocation = source.array(|source| {
            streams_group::StreamsGroupCurrentMemberAssignmentTaskIds::sample(source, version)
        });
        value.warmup_tasks_pending_revocation = source.array(|source| {
            streams_group::StreamsGroupCurrentMemberAssignmentTaskIds::sample(source, version)
        });
        value
    }
}

impl Sample for streams_group::StreamsGroupCurrentMemberAssignmentTaskIds {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.subtopology_id = source.string();
        value.partitions = source.array(Source::int32);
        value.assignment_epochs = source.nullable(|source| source.array(Source::int32));
        value
    }
}

impl Sample for streams_group::StreamsGroupTopologyKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = source.string();
        value
    }
}

impl Sample for streams_group::StreamsGroupTopologyValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.epoch = source.int32();
        value.subtopologies = source.array(|source| streams_group::Subtopology::sample(source, version));
        value
    }
}

impl Sample for streams_group::TopicConfig {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.key = source.string();
        value.value = source.string();
        value
    }
}

impl Sample for streams_group::TopicInfo {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.name = source.string();
        value.partitions = source.int32();
        value.replication_factor = source.int16();
        value.topic_configs = source.array(|source| streams_group::TopicConfig::sample(source, version));
        value
    }
}

impl Sample for streams_group::Subtopology {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.subtopology_id = source.string();
        value.source_topics = source.array(Source::string);
        value.source_topic_regex = source.array(Source::string);
        value.state_changelog_topics =
            source.array(|source| streams_group::TopicInfo::sample(source, version));
        value.repartition_sink_topics = source.array(Source::string);
        value.repartition_source_topics =
            source.array(|source| streams_group::TopicInfo::sample(source, version));
        value.copartition_groups =
            source.array(|source| streams_group::CopartitionGroup::sample(source, version));
        value
    }
}

impl Sample for streams_group::CopartitionGroup {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.source_topics = source.array(Source::int16);
        value.source_topic_regex = source.array(Source::int16);
        value.repartition_source_topics = source.array(Source::int16);
        value
    }
}

impl Sample for transactions::TransactionLogKey {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.transactional_id = source.string();
        value
    }
}

impl Sample for transactions::TransactionLogValue {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.producer_id = source.int64();
        if version >= 1 {
            value.previous_producer_id = source.int64();
        }
        if version >= 1 {
            value.next_producer_id = source.int64();
        }
        value.producer_epoch = source.int16();
        if version >= 1 {
            value.next_producer_epoch = source.int16();
        }
        value.transaction_timeout_ms = source.int32();
        value.transaction_status = source.int8();
        value.transaction_partitions = source.nullable(|source| {
            source.array(|source| transactions::PartitionsSchema::sample(source, version))
        });
        value.transaction_last_update_timestamp_ms = source.int64();
        value.transaction_start_timestamp_ms = source.int64();
        if version >= 1 {
            value.client_transaction_version = source.int16();
        }
        value
    }
}

impl Sample for transactions::PartitionsSchema {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.topic = source.string();
        value.partition_ids = source.array(Source::int32);
        value
    }
}

impl Sample for control::EndTxnMarker {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.coordinator_epoch = source.int32();
        value
    }
}

impl Sample for control::KRaftVersionRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.version = source.int16();
        value.kraft_version = source.int16();
        value
    }
}

impl Sample for control::LeaderChangeMessage {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.version = source.int16();
        value.leader_id = source.int32();
        value.voters = source.array(|source| control::Voter::sample(source, version));
        value.granting_voters = source.array(|source| control::Voter::sample(source, version));
        value
    }
}

impl Sample for control::Voter {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.voter_id = source.int32();
        if version >= 1 {
            value.voter_directory_id = source.uuid();
        }
        value
    }
}

impl Sample for control::SnapshotFooterRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.version = source.int16();
        value
    }
}

impl Sample for control::SnapshotHeaderRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.version = source.int16();
        value.last_contained_log_timestamp = source.int64();
        value
    }
}

impl Sample for control::VotersRecord {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.version = source.int16();
        value.voters = source.array(|source| control::VotersVoter::sample(source, version));
        value
    }
}

impl Sample for control::VotersVoter {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.voter_id = source.int32();
        value.voter_directory_id = source.uuid();
        value.endpoints = source.array(|source| control::Endpoint::sample(source, version));
        value.kraft_version_feature = control::KRaftVersionFeature::sample(source, version);
        value
    }
}

impl Sample for control::Endpoint {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.name = source.string();
        value.host = source.string();
        value.port = source.uint16();
        value
    }
}

impl Sample for control::KRaftVersionFeature {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.min_supported_version = source.int16();
        value.max_supported_version = source.int16();
        value
    }
}

impl Sample for metadata_topics::TopicRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.name = source.string();
        value.topic_id = source.uuid();
        value
    }
}

impl Sample for metadata_topics::PartitionRecord {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.partition_id = source.int32();
        value.topic_id = source.uuid();
        value.replicas = source.array(Source::int32);
        value.isr = source.array(Source::int32);
        value.removing_replicas = source.array(Source::int32);
        value.adding_replicas = source.array(Source::int32);
        value.leader = source.int32();
        value.leader_recovery_state = source.int8();
        value.leader_epoch = source.int32();
        value.partition_epoch = source.int32();
        if version >= 1 {
            value.directories = source.array(Source::uuid);
        }
        if version >= 2 {
            value.eligible_leader_replicas = source.nullable(|source| source.array(Source::int32));
        }
        if version >= 2 {
            value.last_known_elr = source.nullable(|source| source.array(Source::int32));
        }
        value
    }
}

impl Sample for metadata_topics::PartitionChangeRecord {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.partition_id = source.int32();
        value.topic_id = source.uuid();
        value.isr = source.nullable(|source| source.array(Source::int32));
        value.leader = source.int32();
        value.replicas = source.nullable(|source| source.array(Source::int32));
        value.removing_replicas = source.nullable(|source| source.array(Source::int32));
        value.adding_replicas = source.nullable(|source| source.array(Source::int32));
        value.leader_recovery_state = source.int8();
        if version >= 1 {
            value.directories = source.nullable(|source| source.array(Source::uuid));
        }
        if version >= 2 {
            value.eligible_leader_replicas = source.nullable(|source| source.array(Source::int32));
        }
        if version >= 2 {
            value.last_known_elr = source.nullable(|source| source.array(Source::int32));
        }
        value
    }
}

impl Sample for metadata_topics::RemoveTopicRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.topic_id = source.uuid();
        value
    }
}

impl Sample for metadata_topics::ClearElrRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.topic_name = source.string();
        value
    }
}

impl Sample for metadata_settings::ConfigRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.resource_type = source.int8();
        value.resource_name = source.string();
        value.name = source.string();
        value.value = source.nullable(Source::string);
        value
    }
}

impl Sample for metadata_settings::FeatureLevelRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.name = source.string();
        value.feature_level = source.int16();
        value
    }
}

impl Sample for metadata_settings::ProducerIdsRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.broker_id = source.int32();
        value.broker_epoch = source.int64();
        value.next_producer_id = source.int64();
        value
    }
}

impl Sample for metadata_settings::NoOpRecord {
    fn sample(_source: &mut Source<'_>, _version: i16) -> Self {
        Self::default()
    }
}

impl Sample for metadata_settings::ZkMigrationStateRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.zk_migration_state = source.int8();
        value
    }
}

impl Sample for metadata_settings::BeginTransactionRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.name = source.nullable(Source::string);
        value
    }
}

impl Sample for metadata_settings::EndTransactionRecord {
    fn sample(_source: &mut Source<'_>, _version: i16) -> Self {
        Self::default()
    }
}

impl Sample for metadata_settings::AbortTransactionRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.reason = source.nullable(Source::string);
        value
    }
}

impl Sample for metadata_brokers::RegisterBrokerRecord {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.broker_id = source.int32();
        if version >= 2 {
            value.is_migrating_zk_broker = source.bool();
        }
        value.incarnation_id = source.uuid();
        value.broker_epoch = source.int64();
        value.end_points = source.array(|source| metadata_brokers::BrokerEndpoint::sample(source, version));
        value.features = source.array(|source| metadata_brokers::BrokerFeature::sample(source, version));
        value.rack = source.nullable(Source::string);
        value.fenced = source.bool();
        if version >= 1 {
            value.in_controlled_shutdown = source.bool();
        }
        if version >= 3 {
            value.log_dirs = source.array(Source::uuid);
        }
        if version >= 4 {
            value.cordoned_log_dirs = source.nullable(|source| source.array(Source::uuid));
        }
        value
    }
}

impl Sample for metadata_brokers::BrokerEndpoint {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.name = source.string();
        value.host = source.string();
        value.port = source.uint16();
        value.security_protocol = source.int16();
        value
    }
}

impl Sample for metadata_brokers::BrokerFeature {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.name = source.string();
        value.min_supported_version = source.int16();
        value.max_supported_version = source.int16();
        value
    }
}

impl Sample for metadata_brokers::UnregisterBrokerRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.broker_id = source.int32();
        value.broker_epoch = source.int64();
        value
    }
}

impl Sample for metadata_brokers::FenceBrokerRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.id = source.int32();
        value.epoch = source.int64();
        value
    }
}

impl Sample for metadata_brokers::UnfenceBrokerRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.id = source.int32();
        value.epoch = source.int64();
        value
    }
}

impl Sample for metadata_brokers::BrokerRegistrationChangeRecord {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.broker_id = source.int32();
        value.broker_epoch = source.int64();
        value.fenced = source.int8();
        if version >= 1 {
            value.in_controlled_shutdown = source.int8();
        }
        if version >= 2 {
            value.log_dirs = source.array(Source::uuid);
        }
        if version >= 3 {
            value.cordoned_log_dirs = source.nullable(|source| source.array(Source::uuid));
        }
        value
    }
}

impl Sample for metadata_brokers::RegisterControllerRecord {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.controller_id = source.int32();
        value.incarnation_id = source.uuid();
        value.zk_migration_ready = source.bool();
        value.end_points =
            source.array(|source| metadata_brokers::ControllerEndpoint::sample(source, version));
        value.features = source.array(|source| metadata_brokers::ControllerFeature::sample(source, version));
        value
    }
}

impl Sample for metadata_brokers::ControllerEndpoint {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.name = source.string();
        value.host = source.string();
        value.port = source.uint16();
        value.security_protocol = source.int16();
        value
    }
}

impl Sample for metadata_brokers::ControllerFeature {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.name = source.string();
        value.min_supported_version = source.int16();
        value.max_supported_version = source.int16();
        value
    }
}

impl Sample for metadata_security::DelegationTokenRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.owner = source.string();
        value.requester = source.string();
        value.renewers = source.array(Source::string);
        value.issue_timestamp = source.int64();
        value.max_timestamp = source.int64();
        value.expiration_timestamp = source.int64();
        value.token_id = source.string();
        value
    }
}

impl Sample for metadata_security::UserScramCredentialRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.name = source.string();
        value.mechanism = source.int8();
        value.salt = source.bytes();
        value.stored_key = source.bytes();
        value.server_key = source.bytes();
        value.iterations = source.int32();
        value
    }
}

impl Sample for metadata_security::ClientQuotaRecord {
    fn sample(source: &mut Source<'_>, version: i16) -> Self {
        let mut value = Self::default();
        value.entity = source.array(|source| metadata_security::EntityData::sample(source, version));
        value.key = source.string();
        value.value = source.float64();
        value.remove = source.bool();
        value
    }
}

impl Sample for metadata_security::EntityData {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.entity_type = source.string();
        value.entity_name = source.nullable(Source::string);
        value
    }
}

impl Sample for metadata_security::AccessControlEntryRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.id = source.uuid();
        value.resource_type = source.int8();
        value.resource_name = source.string();
        value.pattern_type = source.int8();
        value.principal = source.string();
        value.host = source.string();
        value.operation = source.int8();
        value.permission_type = source.int8();
        value
    }
}

impl Sample for metadata_security::RemoveAccessControlEntryRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.id = source.uuid();
        value
    }
}

impl Sample for metadata_security::RemoveUserScramCredentialRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.name = source.string();
        value.mechanism = source.int8();
        value
    }
}

impl Sample for metadata_security::RemoveDelegationTokenRecord {
    fn sample(source: &mut Source<'_>, _version: i16) -> Self {
        let mut value = Self::default();
        value.token_id = source.string();
        value
    }
}
