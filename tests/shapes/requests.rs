//! Every request that the protocol crate or `wire::messages` decodes, as rows of functions.

use bytes::Bytes;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::Request;
// Instead of the crate's, which lack a version.
use milena::wire::messages::{
    DescribeLogDirsRequest, ListOffsetsRequest, OffsetCommitRequest, OffsetFetchRequest,
};

use crate::probe::{Probe, Read};

/// One request: its key, its versions, and its decoder over a probe and over bytes.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) api_key: i16,
    pub(crate) versions: std::ops::RangeInclusive<i16>,
    /// Decodes from a script of values: what was read, and whether the decoder was content.
    pub(crate) probe: fn(&[i64], i16) -> (Vec<Read>, bool),
    /// Decodes bytes: how many were taken, or `None` for an error.
    pub(crate) decode: fn(&Bytes, i16) -> Option<usize>,
}

fn row<T: Request>(name: &'static str) -> Row {
    Row {
        name,
        api_key: T::KEY,
        versions: T::VERSIONS.min..=T::VERSIONS.max,
        probe: |script, version| {
            let mut probe = Probe::new(script);
            let content = T::decode(&mut probe, version).is_ok();
            (probe.into_log(), content)
        },
        decode: |body, version| {
            let mut rest = body.clone();
            T::decode(&mut rest, version).ok().map(|_| body.len() - rest.len())
        },
    }
}

macro_rules! rows {
    ($($request:ident),* $(,)?) => { vec![$(row::<$request>(stringify!($request))),*] };
}

/// All requests, by key.
pub(crate) fn all() -> Vec<Row> {
    let mut rows = rows![
        AddOffsetsToTxnRequest,
        AddPartitionsToTxnRequest,
        AddRaftVoterRequest,
        AllocateProducerIdsRequest,
        AlterClientQuotasRequest,
        AlterConfigsRequest,
        AlterPartitionReassignmentsRequest,
        AlterPartitionRequest,
        AlterReplicaLogDirsRequest,
        AlterShareGroupOffsetsRequest,
        AlterUserScramCredentialsRequest,
        ApiVersionsRequest,
        AssignReplicasToDirsRequest,
        BeginQuorumEpochRequest,
        BrokerHeartbeatRequest,
        BrokerRegistrationRequest,
        ConsumerGroupDescribeRequest,
        ConsumerGroupHeartbeatRequest,
        ControllerRegistrationRequest,
        CreateAclsRequest,
        CreateDelegationTokenRequest,
        CreatePartitionsRequest,
        CreateTopicsRequest,
        DeleteAclsRequest,
        DeleteGroupsRequest,
        DeleteRecordsRequest,
        DeleteShareGroupOffsetsRequest,
        DeleteShareGroupStateRequest,
        DeleteTopicsRequest,
        DescribeAclsRequest,
        DescribeClientQuotasRequest,
        DescribeClusterRequest,
        DescribeConfigsRequest,
        DescribeDelegationTokenRequest,
        DescribeGroupsRequest,
        DescribeLogDirsRequest,
        DescribeProducersRequest,
        DescribeQuorumRequest,
        DescribeShareGroupOffsetsRequest,
        DescribeTopicPartitionsRequest,
        DescribeTransactionsRequest,
        DescribeUserScramCredentialsRequest,
        ElectLeadersRequest,
        EndQuorumEpochRequest,
        EndTxnRequest,
        EnvelopeRequest,
        ExpireDelegationTokenRequest,
        FetchRequest,
        FetchSnapshotRequest,
        FindCoordinatorRequest,
        GetTelemetrySubscriptionsRequest,
        HeartbeatRequest,
        IncrementalAlterConfigsRequest,
        InitProducerIdRequest,
        InitializeShareGroupStateRequest,
        JoinGroupRequest,
        LeaveGroupRequest,
        ListConfigResourcesRequest,
        ListGroupsRequest,
        ListOffsetsRequest,
        ListPartitionReassignmentsRequest,
        ListTransactionsRequest,
        MetadataRequest,
        OffsetCommitRequest,
        OffsetDeleteRequest,
        OffsetFetchRequest,
        OffsetForLeaderEpochRequest,
        ProduceRequest,
        PushTelemetryRequest,
        ReadShareGroupStateRequest,
        ReadShareGroupStateSummaryRequest,
        RemoveRaftVoterRequest,
        RenewDelegationTokenRequest,
        SaslAuthenticateRequest,
        SaslHandshakeRequest,
        ShareAcknowledgeRequest,
        ShareFetchRequest,
        ShareGroupDescribeRequest,
        ShareGroupHeartbeatRequest,
        SyncGroupRequest,
        TxnOffsetCommitRequest,
        UnregisterBrokerRequest,
        UpdateFeaturesRequest,
        UpdateRaftVoterRequest,
        VoteRequest,
        WriteShareGroupStateRequest,
        WriteTxnMarkersRequest
    ];
    rows.sort_by_key(|row| row.api_key);
    rows
}
