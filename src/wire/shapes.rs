//! What the decoders of the protocol crate and of `messages` read for every request at every version: the guard walks
//! it. Learned from them and written by `tests/shapes`, which fails when this is stale; not edited by hand.

use super::guard::Shape::{self, Array, Bytes, Compact, CompactArray, Fixed, Optional, String, Tags};

/// The shape of a request's body; `None` when the decoder does not have the version.
pub fn of(api_key: i16, version: i16) -> Option<&'static [Shape]> {
    let behind = ROWS.partition_point(|&(key, first, _, _)| (key, first) <= (api_key, version));
    let &(key, _, last, shape) = ROWS.get(behind.checked_sub(1)?)?;
    (key == api_key && version <= last).then_some(shape)
}

/// API key, first and last version of every row, in order.
pub fn versions() -> impl Iterator<Item = (i16, i16, i16)> {
    ROWS.iter().map(|&(key, first, last, _)| (key, first, last))
}

/// API key, first version, last version and shape, ordered by key and version.
static ROWS: &[(i16, i16, i16, &[Shape])] = &[
    // ProduceRequest v3 to v8
    (0, 3, 8, &[String, Fixed(6), Array(&[String, Array(&[Fixed(4), Bytes])])]),
    // ProduceRequest v9 to v12
    (
        0,
        9,
        12,
        &[
            Compact,
            Fixed(6),
            CompactArray(&[Compact, CompactArray(&[Fixed(4), Compact, Tags(&[])]), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // ProduceRequest v13
    (
        0,
        13,
        13,
        &[
            Compact,
            Fixed(6),
            CompactArray(&[Fixed(16), CompactArray(&[Fixed(4), Compact, Tags(&[])]), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // FetchRequest v4
    (1, 4, 4, &[Fixed(17), Array(&[String, Array(&[Fixed(16)])])]),
    // FetchRequest v5 to v6
    (1, 5, 6, &[Fixed(17), Array(&[String, Array(&[Fixed(24)])])]),
    // FetchRequest v7 to v8
    (1, 7, 8, &[Fixed(25), Array(&[String, Array(&[Fixed(24)])]), Array(&[String, Array(&[Fixed(4)])])]),
    // FetchRequest v9 to v10
    (1, 9, 10, &[Fixed(25), Array(&[String, Array(&[Fixed(28)])]), Array(&[String, Array(&[Fixed(4)])])]),
    // FetchRequest v11
    (
        1,
        11,
        11,
        &[Fixed(25), Array(&[String, Array(&[Fixed(28)])]), Array(&[String, Array(&[Fixed(4)])]), String],
    ),
    // FetchRequest v12
    (
        1,
        12,
        12,
        &[
            Fixed(25),
            CompactArray(&[Compact, CompactArray(&[Fixed(32), Tags(&[])]), Tags(&[])]),
            CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]),
            Compact,
            Tags(&[(0, &[Compact])]),
        ],
    ),
    // FetchRequest v13 to v14
    (
        1,
        13,
        14,
        &[
            Fixed(25),
            CompactArray(&[Fixed(16), CompactArray(&[Fixed(32), Tags(&[])]), Tags(&[])]),
            CompactArray(&[Fixed(16), CompactArray(&[Fixed(4)]), Tags(&[])]),
            Compact,
            Tags(&[(0, &[Compact])]),
        ],
    ),
    // FetchRequest v15 to v16
    (
        1,
        15,
        16,
        &[
            Fixed(21),
            CompactArray(&[Fixed(16), CompactArray(&[Fixed(32), Tags(&[])]), Tags(&[])]),
            CompactArray(&[Fixed(16), CompactArray(&[Fixed(4)]), Tags(&[])]),
            Compact,
            Tags(&[(0, &[Compact]), (1, &[Fixed(12), Tags(&[])])]),
        ],
    ),
    // FetchRequest v17
    (
        1,
        17,
        17,
        &[
            Fixed(21),
            CompactArray(&[Fixed(16), CompactArray(&[Fixed(32), Tags(&[(0, &[Fixed(16)])])]), Tags(&[])]),
            CompactArray(&[Fixed(16), CompactArray(&[Fixed(4)]), Tags(&[])]),
            Compact,
            Tags(&[(0, &[Compact]), (1, &[Fixed(12), Tags(&[])])]),
        ],
    ),
    // FetchRequest v18
    (
        1,
        18,
        18,
        &[
            Fixed(21),
            CompactArray(&[
                Fixed(16),
                CompactArray(&[Fixed(32), Tags(&[(0, &[Fixed(16)]), (1, &[Fixed(8)])])]),
                Tags(&[]),
            ]),
            CompactArray(&[Fixed(16), CompactArray(&[Fixed(4)]), Tags(&[])]),
            Compact,
            Tags(&[(0, &[Compact]), (1, &[Fixed(12), Tags(&[])])]),
        ],
    ),
    // ListOffsetsRequest v1
    (2, 1, 1, &[Fixed(4), Array(&[String, Array(&[Fixed(12)])])]),
    // ListOffsetsRequest v2 to v3
    (2, 2, 3, &[Fixed(5), Array(&[String, Array(&[Fixed(12)])])]),
    // ListOffsetsRequest v4 to v5
    (2, 4, 5, &[Fixed(5), Array(&[String, Array(&[Fixed(16)])])]),
    // ListOffsetsRequest v6 to v9
    (
        2,
        6,
        9,
        &[Fixed(5), CompactArray(&[Compact, CompactArray(&[Fixed(16), Tags(&[])]), Tags(&[])]), Tags(&[])],
    ),
    // ListOffsetsRequest v10 to v11
    (
        2,
        10,
        11,
        &[
            Fixed(5),
            CompactArray(&[Compact, CompactArray(&[Fixed(16), Tags(&[])]), Tags(&[])]),
            Fixed(4),
            Tags(&[]),
        ],
    ),
    // MetadataRequest v0 to v3
    (3, 0, 3, &[Array(&[String])]),
    // MetadataRequest v4 to v7
    (3, 4, 7, &[Array(&[String]), Fixed(1)]),
    // MetadataRequest v8
    (3, 8, 8, &[Array(&[String]), Fixed(3)]),
    // MetadataRequest v9
    (3, 9, 9, &[CompactArray(&[Compact, Tags(&[])]), Fixed(3), Tags(&[])]),
    // MetadataRequest v10
    (3, 10, 10, &[CompactArray(&[Fixed(16), Compact, Tags(&[])]), Fixed(3), Tags(&[])]),
    // MetadataRequest v11 to v13
    (3, 11, 13, &[CompactArray(&[Fixed(16), Compact, Tags(&[])]), Fixed(2), Tags(&[])]),
    // OffsetCommitRequest v2 to v4
    (8, 2, 4, &[String, Fixed(4), String, Fixed(8), Array(&[String, Array(&[Fixed(12), String])])]),
    // OffsetCommitRequest v5
    (8, 5, 5, &[String, Fixed(4), String, Array(&[String, Array(&[Fixed(12), String])])]),
    // OffsetCommitRequest v6
    (8, 6, 6, &[String, Fixed(4), String, Array(&[String, Array(&[Fixed(16), String])])]),
    // OffsetCommitRequest v7
    (8, 7, 7, &[String, Fixed(4), String, String, Array(&[String, Array(&[Fixed(16), String])])]),
    // OffsetCommitRequest v8 to v9
    (
        8,
        8,
        9,
        &[
            Compact,
            Fixed(4),
            Compact,
            Compact,
            CompactArray(&[Compact, CompactArray(&[Fixed(16), Compact, Tags(&[])]), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // OffsetCommitRequest v10
    (
        8,
        10,
        10,
        &[
            Compact,
            Fixed(4),
            Compact,
            Compact,
            CompactArray(&[Fixed(16), CompactArray(&[Fixed(16), Compact, Tags(&[])]), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // OffsetFetchRequest v1 to v5
    (9, 1, 5, &[String, Array(&[String, Array(&[Fixed(4)])])]),
    // OffsetFetchRequest v6
    (9, 6, 6, &[Compact, CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]), Tags(&[])]),
    // OffsetFetchRequest v7
    (
        9,
        7,
        7,
        &[Compact, CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]), Fixed(1), Tags(&[])],
    ),
    // OffsetFetchRequest v8
    (
        9,
        8,
        8,
        &[
            CompactArray(&[
                Compact,
                CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]),
                Tags(&[]),
            ]),
            Fixed(1),
            Tags(&[]),
        ],
    ),
    // OffsetFetchRequest v9
    (
        9,
        9,
        9,
        &[
            CompactArray(&[
                Compact,
                Compact,
                Fixed(4),
                CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]),
                Tags(&[]),
            ]),
            Fixed(1),
            Tags(&[]),
        ],
    ),
    // OffsetFetchRequest v10
    (
        9,
        10,
        10,
        &[
            CompactArray(&[
                Compact,
                Compact,
                Fixed(4),
                CompactArray(&[Fixed(16), CompactArray(&[Fixed(4)]), Tags(&[])]),
                Tags(&[]),
            ]),
            Fixed(1),
            Tags(&[]),
        ],
    ),
    // FindCoordinatorRequest v0
    (10, 0, 0, &[String]),
    // FindCoordinatorRequest v1 to v2
    (10, 1, 2, &[String, Fixed(1)]),
    // FindCoordinatorRequest v3
    (10, 3, 3, &[Compact, Fixed(1), Tags(&[])]),
    // FindCoordinatorRequest v4 to v6
    (10, 4, 6, &[Fixed(1), CompactArray(&[Compact]), Tags(&[])]),
    // JoinGroupRequest v0
    (11, 0, 0, &[String, Fixed(4), String, String, Array(&[String, Bytes])]),
    // JoinGroupRequest v1 to v4
    (11, 1, 4, &[String, Fixed(8), String, String, Array(&[String, Bytes])]),
    // JoinGroupRequest v5
    (11, 5, 5, &[String, Fixed(8), String, String, String, Array(&[String, Bytes])]),
    // JoinGroupRequest v6 to v7
    (
        11,
        6,
        7,
        &[
            Compact,
            Fixed(8),
            Compact,
            Compact,
            Compact,
            CompactArray(&[Compact, Compact, Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // JoinGroupRequest v8 to v9
    (
        11,
        8,
        9,
        &[
            Compact,
            Fixed(8),
            Compact,
            Compact,
            Compact,
            CompactArray(&[Compact, Compact, Tags(&[])]),
            Compact,
            Tags(&[]),
        ],
    ),
    // HeartbeatRequest v0 to v2
    (12, 0, 2, &[String, Fixed(4), String]),
    // HeartbeatRequest v3
    (12, 3, 3, &[String, Fixed(4), String, String]),
    // HeartbeatRequest v4
    (12, 4, 4, &[Compact, Fixed(4), Compact, Compact, Tags(&[])]),
    // LeaveGroupRequest v0 to v2
    (13, 0, 2, &[String, String]),
    // LeaveGroupRequest v3
    (13, 3, 3, &[String, Array(&[String, String])]),
    // LeaveGroupRequest v4
    (13, 4, 4, &[Compact, CompactArray(&[Compact, Compact, Tags(&[])]), Tags(&[])]),
    // LeaveGroupRequest v5
    (13, 5, 5, &[Compact, CompactArray(&[Compact, Compact, Compact, Tags(&[])]), Tags(&[])]),
    // SyncGroupRequest v0 to v2
    (14, 0, 2, &[String, Fixed(4), String, Array(&[String, Bytes])]),
    // SyncGroupRequest v3
    (14, 3, 3, &[String, Fixed(4), String, String, Array(&[String, Bytes])]),
    // SyncGroupRequest v4
    (
        14,
        4,
        4,
        &[Compact, Fixed(4), Compact, Compact, CompactArray(&[Compact, Compact, Tags(&[])]), Tags(&[])],
    ),
    // SyncGroupRequest v5
    (
        14,
        5,
        5,
        &[
            Compact,
            Fixed(4),
            Compact,
            Compact,
            Compact,
            Compact,
            CompactArray(&[Compact, Compact, Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // DescribeGroupsRequest v0 to v2
    (15, 0, 2, &[Array(&[String])]),
    // DescribeGroupsRequest v3 to v4
    (15, 3, 4, &[Array(&[String]), Fixed(1)]),
    // DescribeGroupsRequest v5 to v6
    (15, 5, 6, &[CompactArray(&[Compact]), Fixed(1), Tags(&[])]),
    // ListGroupsRequest v0 to v2
    (16, 0, 2, &[]),
    // ListGroupsRequest v3
    (16, 3, 3, &[Tags(&[])]),
    // ListGroupsRequest v4
    (16, 4, 4, &[CompactArray(&[Compact]), Tags(&[])]),
    // ListGroupsRequest v5
    (16, 5, 5, &[CompactArray(&[Compact]), CompactArray(&[Compact]), Tags(&[])]),
    // SaslHandshakeRequest v0 to v1
    (17, 0, 1, &[String]),
    // ApiVersionsRequest v0 to v2
    (18, 0, 2, &[]),
    // ApiVersionsRequest v3 to v4
    (18, 3, 4, &[Compact, Compact, Tags(&[])]),
    // CreateTopicsRequest v2 to v4
    (
        19,
        2,
        4,
        &[
            Array(&[String, Fixed(6), Array(&[Fixed(4), Array(&[Fixed(4)])]), Array(&[String, String])]),
            Fixed(5),
        ],
    ),
    // CreateTopicsRequest v5 to v7
    (
        19,
        5,
        7,
        &[
            CompactArray(&[
                Compact,
                Fixed(6),
                CompactArray(&[Fixed(4), CompactArray(&[Fixed(4)]), Tags(&[])]),
                CompactArray(&[Compact, Compact, Tags(&[])]),
                Tags(&[]),
            ]),
            Fixed(5),
            Tags(&[]),
        ],
    ),
    // DeleteTopicsRequest v1 to v3
    (20, 1, 3, &[Array(&[String]), Fixed(4)]),
    // DeleteTopicsRequest v4 to v5
    (20, 4, 5, &[CompactArray(&[Compact]), Fixed(4), Tags(&[])]),
    // DeleteTopicsRequest v6
    (20, 6, 6, &[CompactArray(&[Compact, Fixed(16), Tags(&[])]), Fixed(4), Tags(&[])]),
    // DeleteRecordsRequest v0 to v1
    (21, 0, 1, &[Array(&[String, Array(&[Fixed(12)])]), Fixed(4)]),
    // DeleteRecordsRequest v2
    (
        21,
        2,
        2,
        &[CompactArray(&[Compact, CompactArray(&[Fixed(12), Tags(&[])]), Tags(&[])]), Fixed(4), Tags(&[])],
    ),
    // InitProducerIdRequest v0 to v1
    (22, 0, 1, &[String, Fixed(4)]),
    // InitProducerIdRequest v2
    (22, 2, 2, &[Compact, Fixed(4), Tags(&[])]),
    // InitProducerIdRequest v3 to v5
    (22, 3, 5, &[Compact, Fixed(14), Tags(&[])]),
    // OffsetForLeaderEpochRequest v2
    (23, 2, 2, &[Array(&[String, Array(&[Fixed(12)])])]),
    // OffsetForLeaderEpochRequest v3
    (23, 3, 3, &[Fixed(4), Array(&[String, Array(&[Fixed(12)])])]),
    // OffsetForLeaderEpochRequest v4
    (
        23,
        4,
        4,
        &[Fixed(4), CompactArray(&[Compact, CompactArray(&[Fixed(12), Tags(&[])]), Tags(&[])]), Tags(&[])],
    ),
    // AddPartitionsToTxnRequest v0 to v2
    (24, 0, 2, &[String, Fixed(10), Array(&[String, Array(&[Fixed(4)])])]),
    // AddPartitionsToTxnRequest v3
    (
        24,
        3,
        3,
        &[Compact, Fixed(10), CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]), Tags(&[])],
    ),
    // AddPartitionsToTxnRequest v4 to v5
    (
        24,
        4,
        5,
        &[
            CompactArray(&[
                Compact,
                Fixed(11),
                CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]),
                Tags(&[]),
            ]),
            Tags(&[]),
        ],
    ),
    // AddOffsetsToTxnRequest v0 to v2
    (25, 0, 2, &[String, Fixed(10), String]),
    // AddOffsetsToTxnRequest v3 to v4
    (25, 3, 4, &[Compact, Fixed(10), Compact, Tags(&[])]),
    // EndTxnRequest v0 to v2
    (26, 0, 2, &[String, Fixed(11)]),
    // EndTxnRequest v3 to v5
    (26, 3, 5, &[Compact, Fixed(11), Tags(&[])]),
    // WriteTxnMarkersRequest v1
    (
        27,
        1,
        1,
        &[
            CompactArray(&[
                Fixed(11),
                CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]),
                Fixed(4),
                Tags(&[]),
            ]),
            Tags(&[]),
        ],
    ),
    // TxnOffsetCommitRequest v0 to v1
    (28, 0, 1, &[String, String, Fixed(10), Array(&[String, Array(&[Fixed(12), String])])]),
    // TxnOffsetCommitRequest v2
    (28, 2, 2, &[String, String, Fixed(10), Array(&[String, Array(&[Fixed(16), String])])]),
    // TxnOffsetCommitRequest v3 to v5
    (
        28,
        3,
        5,
        &[
            Compact,
            Compact,
            Fixed(14),
            Compact,
            Compact,
            CompactArray(&[Compact, CompactArray(&[Fixed(16), Compact, Tags(&[])]), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // DescribeAclsRequest v1
    (29, 1, 1, &[Fixed(1), String, Fixed(1), String, String, Fixed(2)]),
    // DescribeAclsRequest v2 to v3
    (29, 2, 3, &[Fixed(1), Compact, Fixed(1), Compact, Compact, Fixed(2), Tags(&[])]),
    // CreateAclsRequest v1
    (30, 1, 1, &[Array(&[Fixed(1), String, Fixed(1), String, String, Fixed(2)])]),
    // CreateAclsRequest v2 to v3
    (
        30,
        2,
        3,
        &[CompactArray(&[Fixed(1), Compact, Fixed(1), Compact, Compact, Fixed(2), Tags(&[])]), Tags(&[])],
    ),
    // DeleteAclsRequest v1
    (31, 1, 1, &[Array(&[Fixed(1), String, Fixed(1), String, String, Fixed(2)])]),
    // DeleteAclsRequest v2 to v3
    (
        31,
        2,
        3,
        &[CompactArray(&[Fixed(1), Compact, Fixed(1), Compact, Compact, Fixed(2), Tags(&[])]), Tags(&[])],
    ),
    // DescribeConfigsRequest v1 to v2
    (32, 1, 2, &[Array(&[Fixed(1), String, Array(&[String])]), Fixed(1)]),
    // DescribeConfigsRequest v3
    (32, 3, 3, &[Array(&[Fixed(1), String, Array(&[String])]), Fixed(2)]),
    // DescribeConfigsRequest v4
    (
        32,
        4,
        4,
        &[CompactArray(&[Fixed(1), Compact, CompactArray(&[Compact]), Tags(&[])]), Fixed(2), Tags(&[])],
    ),
    // AlterConfigsRequest v0 to v1
    (33, 0, 1, &[Array(&[Fixed(1), String, Array(&[String, String])]), Fixed(1)]),
    // AlterConfigsRequest v2
    (
        33,
        2,
        2,
        &[
            CompactArray(&[Fixed(1), Compact, CompactArray(&[Compact, Compact, Tags(&[])]), Tags(&[])]),
            Fixed(1),
            Tags(&[]),
        ],
    ),
    // AlterReplicaLogDirsRequest v1
    (34, 1, 1, &[Array(&[String, Array(&[String, Array(&[Fixed(4)])])])]),
    // AlterReplicaLogDirsRequest v2
    (
        34,
        2,
        2,
        &[
            CompactArray(&[
                Compact,
                CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]),
                Tags(&[]),
            ]),
            Tags(&[]),
        ],
    ),
    // DescribeLogDirsRequest v1
    (35, 1, 1, &[Array(&[String, Array(&[Fixed(4)])])]),
    // DescribeLogDirsRequest v2 to v5
    (35, 2, 5, &[CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]), Tags(&[])]),
    // SaslAuthenticateRequest v0 to v1
    (36, 0, 1, &[Bytes]),
    // SaslAuthenticateRequest v2
    (36, 2, 2, &[Compact, Tags(&[])]),
    // CreatePartitionsRequest v0 to v1
    (37, 0, 1, &[Array(&[String, Fixed(4), Array(&[Array(&[Fixed(4)])])]), Fixed(5)]),
    // CreatePartitionsRequest v2 to v3
    (
        37,
        2,
        3,
        &[
            CompactArray(&[
                Compact,
                Fixed(4),
                CompactArray(&[CompactArray(&[Fixed(4)]), Tags(&[])]),
                Tags(&[]),
            ]),
            Fixed(5),
            Tags(&[]),
        ],
    ),
    // CreateDelegationTokenRequest v1
    (38, 1, 1, &[Array(&[String, String]), Fixed(8)]),
    // CreateDelegationTokenRequest v2
    (38, 2, 2, &[CompactArray(&[Compact, Compact, Tags(&[])]), Fixed(8), Tags(&[])]),
    // CreateDelegationTokenRequest v3
    (38, 3, 3, &[Compact, Compact, CompactArray(&[Compact, Compact, Tags(&[])]), Fixed(8), Tags(&[])]),
    // RenewDelegationTokenRequest v1
    (39, 1, 1, &[Bytes, Fixed(8)]),
    // RenewDelegationTokenRequest v2
    (39, 2, 2, &[Compact, Fixed(8), Tags(&[])]),
    // ExpireDelegationTokenRequest v1
    (40, 1, 1, &[Bytes, Fixed(8)]),
    // ExpireDelegationTokenRequest v2
    (40, 2, 2, &[Compact, Fixed(8), Tags(&[])]),
    // DescribeDelegationTokenRequest v1
    (41, 1, 1, &[Array(&[String, String])]),
    // DescribeDelegationTokenRequest v2 to v3
    (41, 2, 3, &[CompactArray(&[Compact, Compact, Tags(&[])]), Tags(&[])]),
    // DeleteGroupsRequest v0 to v1
    (42, 0, 1, &[Array(&[String])]),
    // DeleteGroupsRequest v2
    (42, 2, 2, &[CompactArray(&[Compact]), Tags(&[])]),
    // ElectLeadersRequest v0
    (43, 0, 0, &[Array(&[String, Array(&[Fixed(4)])]), Fixed(4)]),
    // ElectLeadersRequest v1
    (43, 1, 1, &[Fixed(1), Array(&[String, Array(&[Fixed(4)])]), Fixed(4)]),
    // ElectLeadersRequest v2
    (
        43,
        2,
        2,
        &[Fixed(1), CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]), Fixed(4), Tags(&[])],
    ),
    // IncrementalAlterConfigsRequest v0
    (44, 0, 0, &[Array(&[Fixed(1), String, Array(&[String, Fixed(1), String])]), Fixed(1)]),
    // IncrementalAlterConfigsRequest v1
    (
        44,
        1,
        1,
        &[
            CompactArray(&[
                Fixed(1),
                Compact,
                CompactArray(&[Compact, Fixed(1), Compact, Tags(&[])]),
                Tags(&[]),
            ]),
            Fixed(1),
            Tags(&[]),
        ],
    ),
    // AlterPartitionReassignmentsRequest v0
    (
        45,
        0,
        0,
        &[
            Fixed(4),
            CompactArray(&[
                Compact,
                CompactArray(&[Fixed(4), CompactArray(&[Fixed(4)]), Tags(&[])]),
                Tags(&[]),
            ]),
            Tags(&[]),
        ],
    ),
    // AlterPartitionReassignmentsRequest v1
    (
        45,
        1,
        1,
        &[
            Fixed(5),
            CompactArray(&[
                Compact,
                CompactArray(&[Fixed(4), CompactArray(&[Fixed(4)]), Tags(&[])]),
                Tags(&[]),
            ]),
            Tags(&[]),
        ],
    ),
    // ListPartitionReassignmentsRequest v0
    (46, 0, 0, &[Fixed(4), CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]), Tags(&[])]),
    // OffsetDeleteRequest v0
    (47, 0, 0, &[String, Array(&[String, Array(&[Fixed(4)])])]),
    // DescribeClientQuotasRequest v0
    (48, 0, 0, &[Array(&[String, Fixed(1), String]), Fixed(1)]),
    // DescribeClientQuotasRequest v1
    (48, 1, 1, &[CompactArray(&[Compact, Fixed(1), Compact, Tags(&[])]), Fixed(1), Tags(&[])]),
    // AlterClientQuotasRequest v0
    (49, 0, 0, &[Array(&[Array(&[String, String]), Array(&[String, Fixed(9)])]), Fixed(1)]),
    // AlterClientQuotasRequest v1
    (
        49,
        1,
        1,
        &[
            CompactArray(&[
                CompactArray(&[Compact, Compact, Tags(&[])]),
                CompactArray(&[Compact, Fixed(9), Tags(&[])]),
                Tags(&[]),
            ]),
            Fixed(1),
            Tags(&[]),
        ],
    ),
    // DescribeUserScramCredentialsRequest v0
    (50, 0, 0, &[CompactArray(&[Compact, Tags(&[])]), Tags(&[])]),
    // AlterUserScramCredentialsRequest v0
    (
        51,
        0,
        0,
        &[
            CompactArray(&[Compact, Fixed(1), Tags(&[])]),
            CompactArray(&[Compact, Fixed(5), Compact, Compact, Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // VoteRequest v0
    (
        52,
        0,
        0,
        &[Compact, CompactArray(&[Compact, CompactArray(&[Fixed(24), Tags(&[])]), Tags(&[])]), Tags(&[])],
    ),
    // VoteRequest v1
    (
        52,
        1,
        1,
        &[
            Compact,
            Fixed(4),
            CompactArray(&[Compact, CompactArray(&[Fixed(56), Tags(&[])]), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // VoteRequest v2
    (
        52,
        2,
        2,
        &[
            Compact,
            Fixed(4),
            CompactArray(&[Compact, CompactArray(&[Fixed(57), Tags(&[])]), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // BeginQuorumEpochRequest v0
    (53, 0, 0, &[String, Array(&[String, Array(&[Fixed(12)])])]),
    // BeginQuorumEpochRequest v1
    (
        53,
        1,
        1,
        &[
            Compact,
            Fixed(4),
            CompactArray(&[Compact, CompactArray(&[Fixed(28), Tags(&[])]), Tags(&[])]),
            CompactArray(&[Compact, Compact, Fixed(2), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // EndQuorumEpochRequest v0
    (54, 0, 0, &[String, Array(&[String, Array(&[Fixed(12), Array(&[Fixed(4)])])])]),
    // EndQuorumEpochRequest v1
    (
        54,
        1,
        1,
        &[
            Compact,
            CompactArray(&[
                Compact,
                CompactArray(&[Fixed(12), CompactArray(&[Fixed(20), Tags(&[])]), Tags(&[])]),
                Tags(&[]),
            ]),
            CompactArray(&[Compact, Compact, Fixed(2), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // DescribeQuorumRequest v0 to v2
    (55, 0, 2, &[CompactArray(&[Compact, CompactArray(&[Fixed(4), Tags(&[])]), Tags(&[])]), Tags(&[])]),
    // AlterPartitionRequest v2
    (
        56,
        2,
        2,
        &[
            Fixed(12),
            CompactArray(&[
                Fixed(16),
                CompactArray(&[Fixed(8), CompactArray(&[Fixed(4)]), Fixed(5), Tags(&[])]),
                Tags(&[]),
            ]),
            Tags(&[]),
        ],
    ),
    // AlterPartitionRequest v3
    (
        56,
        3,
        3,
        &[
            Fixed(12),
            CompactArray(&[
                Fixed(16),
                CompactArray(&[Fixed(8), CompactArray(&[Fixed(12), Tags(&[])]), Fixed(5), Tags(&[])]),
                Tags(&[]),
            ]),
            Tags(&[]),
        ],
    ),
    // UpdateFeaturesRequest v0
    (57, 0, 0, &[Fixed(4), CompactArray(&[Compact, Fixed(3), Tags(&[])]), Tags(&[])]),
    // UpdateFeaturesRequest v1 to v2
    (57, 1, 2, &[Fixed(4), CompactArray(&[Compact, Fixed(3), Tags(&[])]), Fixed(1), Tags(&[])]),
    // EnvelopeRequest v0
    (58, 0, 0, &[Compact, Compact, Compact, Tags(&[])]),
    // FetchSnapshotRequest v0
    (
        59,
        0,
        0,
        &[
            Fixed(8),
            CompactArray(&[Compact, CompactArray(&[Fixed(20), Tags(&[]), Fixed(8), Tags(&[])]), Tags(&[])]),
            Tags(&[(0, &[Compact])]),
        ],
    ),
    // FetchSnapshotRequest v1
    (
        59,
        1,
        1,
        &[
            Fixed(8),
            CompactArray(&[
                Compact,
                CompactArray(&[Fixed(20), Tags(&[]), Fixed(8), Tags(&[(0, &[Fixed(16)])])]),
                Tags(&[]),
            ]),
            Tags(&[(0, &[Compact])]),
        ],
    ),
    // DescribeClusterRequest v0
    (60, 0, 0, &[Fixed(1), Tags(&[])]),
    // DescribeClusterRequest v1
    (60, 1, 1, &[Fixed(2), Tags(&[])]),
    // DescribeClusterRequest v2
    (60, 2, 2, &[Fixed(3), Tags(&[])]),
    // DescribeProducersRequest v0
    (61, 0, 0, &[CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]), Tags(&[])]),
    // BrokerRegistrationRequest v0
    (
        62,
        0,
        0,
        &[
            Fixed(4),
            Compact,
            Fixed(16),
            CompactArray(&[Compact, Compact, Fixed(4), Tags(&[])]),
            CompactArray(&[Compact, Fixed(4), Tags(&[])]),
            Compact,
            Tags(&[]),
        ],
    ),
    // BrokerRegistrationRequest v1
    (
        62,
        1,
        1,
        &[
            Fixed(4),
            Compact,
            Fixed(16),
            CompactArray(&[Compact, Compact, Fixed(4), Tags(&[])]),
            CompactArray(&[Compact, Fixed(4), Tags(&[])]),
            Compact,
            Fixed(1),
            Tags(&[]),
        ],
    ),
    // BrokerRegistrationRequest v2
    (
        62,
        2,
        2,
        &[
            Fixed(4),
            Compact,
            Fixed(16),
            CompactArray(&[Compact, Compact, Fixed(4), Tags(&[])]),
            CompactArray(&[Compact, Fixed(4), Tags(&[])]),
            Compact,
            Fixed(1),
            CompactArray(&[Fixed(16)]),
            Tags(&[]),
        ],
    ),
    // BrokerRegistrationRequest v3 to v4
    (
        62,
        3,
        4,
        &[
            Fixed(4),
            Compact,
            Fixed(16),
            CompactArray(&[Compact, Compact, Fixed(4), Tags(&[])]),
            CompactArray(&[Compact, Fixed(4), Tags(&[])]),
            Compact,
            Fixed(1),
            CompactArray(&[Fixed(16)]),
            Fixed(8),
            Tags(&[]),
        ],
    ),
    // BrokerHeartbeatRequest v0
    (63, 0, 0, &[Fixed(22), Tags(&[])]),
    // BrokerHeartbeatRequest v1
    (63, 1, 1, &[Fixed(22), Tags(&[(0, &[CompactArray(&[Fixed(16)])])])]),
    // UnregisterBrokerRequest v0
    (64, 0, 0, &[Fixed(4), Tags(&[])]),
    // DescribeTransactionsRequest v0
    (65, 0, 0, &[CompactArray(&[Compact]), Tags(&[])]),
    // ListTransactionsRequest v0
    (66, 0, 0, &[CompactArray(&[Compact]), CompactArray(&[Fixed(8)]), Tags(&[])]),
    // ListTransactionsRequest v1
    (66, 1, 1, &[CompactArray(&[Compact]), CompactArray(&[Fixed(8)]), Fixed(8), Tags(&[])]),
    // ListTransactionsRequest v2
    (66, 2, 2, &[CompactArray(&[Compact]), CompactArray(&[Fixed(8)]), Fixed(8), Compact, Tags(&[])]),
    // AllocateProducerIdsRequest v0
    (67, 0, 0, &[Fixed(12), Tags(&[])]),
    // ConsumerGroupHeartbeatRequest v0
    (
        68,
        0,
        0,
        &[
            Compact,
            Compact,
            Fixed(4),
            Compact,
            Compact,
            Fixed(4),
            CompactArray(&[Compact]),
            Compact,
            CompactArray(&[Fixed(16), CompactArray(&[Fixed(4)]), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // ConsumerGroupHeartbeatRequest v1
    (
        68,
        1,
        1,
        &[
            Compact,
            Compact,
            Fixed(4),
            Compact,
            Compact,
            Fixed(4),
            CompactArray(&[Compact]),
            Compact,
            Compact,
            CompactArray(&[Fixed(16), CompactArray(&[Fixed(4)]), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // ConsumerGroupDescribeRequest v0 to v1
    (69, 0, 1, &[CompactArray(&[Compact]), Fixed(1), Tags(&[])]),
    // ControllerRegistrationRequest v0
    (
        70,
        0,
        0,
        &[
            Fixed(21),
            CompactArray(&[Compact, Compact, Fixed(4), Tags(&[])]),
            CompactArray(&[Compact, Fixed(4), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // GetTelemetrySubscriptionsRequest v0
    (71, 0, 0, &[Fixed(16), Tags(&[])]),
    // PushTelemetryRequest v0
    (72, 0, 0, &[Fixed(22), Compact, Tags(&[])]),
    // AssignReplicasToDirsRequest v0
    (
        73,
        0,
        0,
        &[
            Fixed(12),
            CompactArray(&[
                Fixed(16),
                CompactArray(&[Fixed(16), CompactArray(&[Fixed(4), Tags(&[])]), Tags(&[])]),
                Tags(&[]),
            ]),
            Tags(&[]),
        ],
    ),
    // ListConfigResourcesRequest v0
    (74, 0, 0, &[Tags(&[])]),
    // ListConfigResourcesRequest v1
    (74, 1, 1, &[CompactArray(&[Fixed(1)]), Tags(&[])]),
    // DescribeTopicPartitionsRequest v0
    (
        75,
        0,
        0,
        &[
            CompactArray(&[Compact, Tags(&[])]),
            Fixed(4),
            Optional(&[Compact, Fixed(4), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // ShareGroupHeartbeatRequest v1
    (76, 1, 1, &[Compact, Compact, Fixed(4), Compact, CompactArray(&[Compact]), Tags(&[])]),
    // ShareGroupDescribeRequest v1
    (77, 1, 1, &[CompactArray(&[Compact]), Fixed(1), Tags(&[])]),
    // ShareFetchRequest v1
    (
        78,
        1,
        1,
        &[
            Compact,
            Compact,
            Fixed(24),
            CompactArray(&[
                Fixed(16),
                CompactArray(&[
                    Fixed(4),
                    CompactArray(&[Fixed(16), CompactArray(&[Fixed(1)]), Tags(&[])]),
                    Tags(&[]),
                ]),
                Tags(&[]),
            ]),
            CompactArray(&[Fixed(16), CompactArray(&[Fixed(4)]), Tags(&[])]),
            Tags(&[]),
        ],
    ),
    // ShareAcknowledgeRequest v1
    (
        79,
        1,
        1,
        &[
            Compact,
            Compact,
            Fixed(4),
            CompactArray(&[
                Fixed(16),
                CompactArray(&[
                    Fixed(4),
                    CompactArray(&[Fixed(16), CompactArray(&[Fixed(1)]), Tags(&[])]),
                    Tags(&[]),
                ]),
                Tags(&[]),
            ]),
            Tags(&[]),
        ],
    ),
    // AddRaftVoterRequest v0
    (80, 0, 0, &[Compact, Fixed(24), CompactArray(&[Compact, Compact, Fixed(2), Tags(&[])]), Tags(&[])]),
    // RemoveRaftVoterRequest v0
    (81, 0, 0, &[Compact, Fixed(20), Tags(&[])]),
    // UpdateRaftVoterRequest v0
    (
        82,
        0,
        0,
        &[
            Compact,
            Fixed(24),
            CompactArray(&[Compact, Compact, Fixed(2), Tags(&[])]),
            Fixed(4),
            Tags(&[]),
            Tags(&[]),
        ],
    ),
    // InitializeShareGroupStateRequest v0
    (
        83,
        0,
        0,
        &[Compact, CompactArray(&[Fixed(16), CompactArray(&[Fixed(16), Tags(&[])]), Tags(&[])]), Tags(&[])],
    ),
    // ReadShareGroupStateRequest v0
    (
        84,
        0,
        0,
        &[Compact, CompactArray(&[Fixed(16), CompactArray(&[Fixed(8), Tags(&[])]), Tags(&[])]), Tags(&[])],
    ),
    // WriteShareGroupStateRequest v0
    (
        85,
        0,
        0,
        &[
            Compact,
            CompactArray(&[
                Fixed(16),
                CompactArray(&[Fixed(20), CompactArray(&[Fixed(19), Tags(&[])]), Tags(&[])]),
                Tags(&[]),
            ]),
            Tags(&[]),
        ],
    ),
    // DeleteShareGroupStateRequest v0
    (
        86,
        0,
        0,
        &[Compact, CompactArray(&[Fixed(16), CompactArray(&[Fixed(4), Tags(&[])]), Tags(&[])]), Tags(&[])],
    ),
    // ReadShareGroupStateSummaryRequest v0
    (
        87,
        0,
        0,
        &[Compact, CompactArray(&[Fixed(16), CompactArray(&[Fixed(8), Tags(&[])]), Tags(&[])]), Tags(&[])],
    ),
    // DescribeShareGroupOffsetsRequest v0
    (
        90,
        0,
        0,
        &[
            CompactArray(&[
                Compact,
                CompactArray(&[Compact, CompactArray(&[Fixed(4)]), Tags(&[])]),
                Tags(&[]),
            ]),
            Tags(&[]),
        ],
    ),
    // AlterShareGroupOffsetsRequest v0
    (
        91,
        0,
        0,
        &[Compact, CompactArray(&[Compact, CompactArray(&[Fixed(12), Tags(&[])]), Tags(&[])]), Tags(&[])],
    ),
    // DeleteShareGroupOffsetsRequest v0
    (92, 0, 0, &[Compact, CompactArray(&[Compact, Tags(&[])]), Tags(&[])]),
];
