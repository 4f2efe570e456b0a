//! One row an API. A new API is one file beside this one and one row here. The README's table is made from it: a row may
//! end with what is said there.

use super::{Api, ApiKey, Operation, call};

/// Requests: the protocol crate's, and ours where it lacks a version.
mod m {
    pub(super) use kafka_protocol::messages::*;

    pub(super) use crate::wire::messages::{
        DescribeLogDirsRequest, ListOffsetsRequest, OffsetCommitRequest, OffsetFetchRequest,
    };
}

macro_rules! api {
    ($key:ident $min:literal..=$max:literal, $($rest:tt)*) => {
        api!(@row $key $min..=$max, Some($min), $($rest)*)
    };
    ($key:ident $min:literal..=$max:literal advertised $low:literal, $($rest:tt)*) => {
        api!(@row $key $min..=$max, Some($low), $($rest)*)
    };
    ($key:ident $min:literal..=$max:literal unadvertised, $($rest:tt)*) => {
        api!(@row $key $min..=$max, None, $($rest)*)
    };
    (@row $key:ident $min:literal..=$max:literal, $low:expr, $operation:ident, $request:ident => $handler:path $(, $note:literal)?) => {
        Api {
            key: ApiKey::$key,
            name: stringify!($key),
            served: ($min, $max),
            advertised_min: $low,
            operation: Operation::$operation,
            note: concat!($($note)?),
            call: |context, body, correlation_id| {
                call::<m::$request, _>(
                    ApiKey::$key,
                    stringify!($key),
                    context,
                    body,
                    correlation_id,
                    $handler,
                )
            },
        }
    };
}

/// Every API that is served, by key.
pub static TABLE: &[Api] = &[
    api!(Produce 3..=13 advertised 0, Write, ProduceRequest => super::produce::handle, "idempotence; every codec; transactions are refused"),
    api!(Fetch 4..=18, Read, FetchRequest => super::fetch::handle, "incremental sessions, topic ids, read_committed"),
    api!(ListOffsets 1..=11, Describe, ListOffsetsRequest => super::list_offsets::handle, "the special timestamps −1 to −6"),
    api!(Metadata 0..=13, Describe, MetadataRequest => super::metadata::handle),
    api!(OffsetCommit 2..=10, Read, OffsetCommitRequest => super::offset_commit::handle, "by topic name, by id from 10 on"),
    api!(OffsetFetch 1..=10, Describe, OffsetFetchRequest => super::offset_fetch::handle, "by topic name, by id from 10 on"),
    api!(FindCoordinator 0..=6, Describe, FindCoordinatorRequest => super::find_coordinator::handle, "groups; transactions and share groups are refused"),
    api!(JoinGroup 0..=9, Read, JoinGroupRequest => super::join_group::handle, "classic groups, static members, cooperative rebalancing"),
    api!(Heartbeat 0..=4, Read, HeartbeatRequest => super::heartbeat::handle),
    api!(LeaveGroup 0..=5, Read, LeaveGroupRequest => super::leave_group::handle),
    api!(SyncGroup 0..=5, Read, SyncGroupRequest => super::sync_group::handle),
    api!(DescribeGroups 0..=6, Describe, DescribeGroupsRequest => super::describe_groups::handle),
    api!(ListGroups 0..=5, Describe, ListGroupsRequest => super::list_groups::handle),
    api!(SaslHandshake 0..=1, None, SaslHandshakeRequest => super::sasl::handshake, "refused: nobody authenticates on a listener without authentication"),
    api!(ApiVersions 0..=4, None, ApiVersionsRequest => super::api_versions::handle),
    api!(CreateTopics 2..=7, Create, CreateTopicsRequest => super::create_topics::handle),
    api!(DeleteTopics 1..=6, Delete, DeleteTopicsRequest => super::delete_topics::handle),
    api!(DeleteRecords 0..=2, Delete, DeleteRecordsRequest => super::delete_records::handle),
    api!(InitProducerId 0..=5, Write, InitProducerIdRequest => super::init_producer_id::handle, "for idempotent producers"),
    api!(OffsetForLeaderEpoch 2..=4, Describe, OffsetForLeaderEpochRequest => super::offset_for_leader_epoch::handle),
    api!(DescribeAcls 1..=3, Describe, DescribeAclsRequest => super::acls::describe, "refused: there is no authorizer"),
    api!(CreateAcls 1..=3, Alter, CreateAclsRequest => super::acls::create, "refused: there is no authorizer"),
    api!(DeleteAcls 1..=3, Alter, DeleteAclsRequest => super::acls::delete, "refused: there is no authorizer"),
    api!(DescribeConfigs 1..=4, DescribeConfigs, DescribeConfigsRequest => super::describe_configs::handle),
    api!(AlterConfigs 0..=2, AlterConfigs, AlterConfigsRequest => super::alter_configs::handle),
    api!(AlterReplicaLogDirs 1..=2, Alter, AlterReplicaLogDirsRequest => super::alter_replica_log_dirs::handle, "moves nothing"),
    api!(DescribeLogDirs 1..=5, Describe, DescribeLogDirsRequest => super::describe_log_dirs::handle),
    api!(SaslAuthenticate 0..=2, None, SaslAuthenticateRequest => super::sasl::authenticate, "refused, as SaslHandshake is"),
    api!(CreatePartitions 0..=3, Alter, CreatePartitionsRequest => super::create_partitions::handle),
    api!(DeleteGroups 0..=2, Delete, DeleteGroupsRequest => super::delete_groups::handle),
    api!(ElectLeaders 0..=2, Alter, ElectLeadersRequest => super::elect_leaders::handle),
    api!(IncrementalAlterConfigs 0..=1, AlterConfigs, IncrementalAlterConfigsRequest => super::incremental_alter_configs::handle),
    api!(AlterPartitionReassignments 0..=1, Alter, AlterPartitionReassignmentsRequest => super::alter_partition_reassignments::handle, "between the brokers there are: this one"),
    api!(ListPartitionReassignments 0..=0, Describe, ListPartitionReassignmentsRequest => super::list_partition_reassignments::handle),
    api!(OffsetDelete 0..=0, Delete, OffsetDeleteRequest => super::offset_delete::handle),
    api!(DescribeQuorum 0..=2, Describe, DescribeQuorumRequest => super::describe_quorum::handle),
    api!(UpdateFeatures 0..=2, Alter, UpdateFeaturesRequest => super::update_features::handle, "`metadata.version`"),
    api!(DescribeCluster 0..=2, Describe, DescribeClusterRequest => super::describe_cluster::handle),
    api!(DescribeProducers 0..=0, Read, DescribeProducersRequest => super::describe_producers::handle),
    api!(GetTelemetrySubscriptions 0..=0 unadvertised, None, GetTelemetrySubscriptionsRequest => super::telemetry::subscriptions, "answered, not advertised: no metrics are wanted"),
    api!(PushTelemetry 0..=0 unadvertised, None, PushTelemetryRequest => super::telemetry::push, "likewise"),
    api!(ListConfigResources 0..=1, DescribeConfigs, ListConfigResourcesRequest => super::list_config_resources::handle),
    api!(DescribeTopicPartitions 0..=0, Describe, DescribeTopicPartitionsRequest => super::describe_topic_partitions::handle),
];

/// The row of the API with this key.
pub fn row(key: ApiKey) -> Option<&'static Api> {
    TABLE.iter().find(|api| api.key == key)
}
