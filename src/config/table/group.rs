//! Keys of consumer, share and streams groups.
use super::Effect::Inert;
use super::Update::ClusterWide;
use super::{Key, row};
use crate::config::value::Kind::{Bool, Int, Text};
use crate::config::value::Valid::{Any, Min, OffsetReset, OneOf};

#[rustfmt::skip] // A table is read by its columns.
pub(super) const KEYS: &[Key] = &[
    row("consumer.assignment.interval.ms", Int, Some("1000"), Min(0), ClusterWide, Inert,
        "Shortest time between two assignments of a consumer group.").synonym("group.consumer.assignment.interval.ms"),
    row("consumer.heartbeat.interval.ms", Int, Some("5000"), Min(1), ClusterWide, Inert,
        "Pause between heartbeats of a consumer group's members.").synonym("group.consumer.heartbeat.interval.ms"),
    row("consumer.session.timeout.ms", Int, Some("45000"), Min(1), ClusterWide, Inert,
        "Time without a heartbeat after which a consumer group's member is removed.").synonym("group.consumer.session.timeout.ms"),
    row("share.assignment.interval.ms", Int, Some("1000"), Min(0), ClusterWide, Inert,
        "Shortest time between two assignments of a share group.").synonym("group.share.assignment.interval.ms"),
    row("share.auto.offset.reset", Text, Some("latest"), OffsetReset, ClusterWide, Inert,
        "Where a share group starts: latest, earliest or by_duration:<ISO 8601 duration>."),
    row("share.delivery.count.limit", Int, Some("5"), Min(2), ClusterWide, Inert,
        "Times that a share group delivers a record before it gives it up.").synonym("group.share.delivery.count.limit"),
    row("share.heartbeat.interval.ms", Int, Some("5000"), Min(1), ClusterWide, Inert,
        "Pause between heartbeats of a share group's members.").synonym("group.share.heartbeat.interval.ms"),
    row("share.isolation.level", Text, Some("read_uncommitted"), OneOf(&["read_committed", "read_uncommitted"]), ClusterWide, Inert,
        "Whether a share group reads records of open and aborted transactions."),
    row("share.partition.max.record.locks", Int, Some("2000"), Min(100), ClusterWide, Inert,
        "Records of a partition that a share group may hold at one time.").synonym("group.share.partition.max.record.locks"),
    row("share.record.lock.duration.ms", Int, Some("30000"), Min(1000), ClusterWide, Inert,
        "Time that a record is locked for a share group's member.").synonym("group.share.record.lock.duration.ms"),
    row("share.renew.acknowledge.enable", Bool, Some("true"), Any, ClusterWide, Inert,
        "Whether a share group's members may renew the lock of a record."),
    row("share.session.timeout.ms", Int, Some("45000"), Min(1), ClusterWide, Inert,
        "Time without a heartbeat after which a share group's member is removed.").synonym("group.share.session.timeout.ms"),
    row("streams.assignment.interval.ms", Int, Some("1000"), Min(0), ClusterWide, Inert,
        "Shortest time between two assignments of a streams group.").synonym("group.streams.assignment.interval.ms"),
    row("streams.heartbeat.interval.ms", Int, Some("5000"), Min(1), ClusterWide, Inert,
        "Pause between heartbeats of a streams group's members.").synonym("group.streams.heartbeat.interval.ms"),
    row("streams.initial.rebalance.delay.ms", Int, Some("3000"), Min(0), ClusterWide, Inert,
        "Time that a streams group waits for more members before its first assignment.").synonym("group.streams.initial.rebalance.delay.ms"),
    row("streams.num.standby.replicas", Int, Some("0"), Min(0), ClusterWide, Inert,
        "Standby replicas of each task of a streams group.").synonym("group.streams.num.standby.replicas"),
    row("streams.session.timeout.ms", Int, Some("45000"), Min(1), ClusterWide, Inert,
        "Time without a heartbeat after which a streams group's member is removed.").synonym("group.streams.session.timeout.ms"),
];
