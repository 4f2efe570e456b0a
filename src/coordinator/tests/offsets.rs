//! Committed offsets: who may commit, what is kept, and when it goes.

use super::*;
use crate::coordinator::record::{ForeignKind, OffsetValue};
use crate::types::TopicId;

const HOUR_MS: i64 = 60 * 60 * 1_000;
const WEEK_MS: i64 = 7 * 24 * HOUR_MS;

#[test]
fn a_consumer_without_a_group_commits_and_fetches() {
    let mut bench = Bench::default();
    assert_eq!(bench.offset("orders", 0), -1);
    bench.commit("", -1, &[("orders", 0, 42), ("orders", 1, 7)]).unwrap();
    assert_eq!(
        (bench.offset("orders", 0), bench.offset("orders", 1), bench.offset("orders", 2)),
        (42, 7, -1)
    );
    assert_eq!(bench.state(), "Empty");
    let all: Vec<FetchedTopic> =
        bench.ask(Command::Fetch(Fetch { group_id: GROUP.into(), ..Fetch::default() })).unwrap();
    let partition = &all[0].partitions[0];
    assert_eq!((all.len(), all[0].partitions.len()), (1, 2));
    assert_eq!((partition.offset, partition.leader_epoch, &*partition.metadata), (42, 2, "note"));
    assert_eq!(bench.restarted().offset("orders", 0), 42);
}

#[test]
fn when_groups_have_all_memory_new_offsets_are_refused_and_known_ones_move_on() {
    let memory = Arc::new(GroupMemory::new(10_000));
    let mut bench = Bench::new(Settings { memory: memory.clone(), ..Settings::default() });
    bench.commit("", -1, &[("orders", 0, 1)]).unwrap();
    let mut partition = 1;
    while bench.commit("", -1, &[("orders", partition, 1)]).is_ok() {
        partition += 1;
        assert!(partition < 1_000, "there is no bound");
    }
    assert_eq!(bench.commit("", -1, &[("orders", partition, 1)]), Err(ErrorCode::InvalidCommitOffsetSize));
    assert_eq!(bench.commit("", -1, &[("orders", 0, 2)]), Ok(()));
    assert_eq!(bench.offset("orders", 0), 2);
    drop(bench);
    assert_eq!(memory.taken(), 0);
}

#[test]
fn who_may_commit_depends_on_the_group() {
    let mut bench = Bench::default();
    let offsets = [("orders", 0, 1)];
    assert_eq!(bench.commit("m", 3, &offsets), Err(ErrorCode::GroupIdNotFound));
    let old = Commit { tells_unknown_group: false, ..commit(3, &offsets) };
    assert_eq!(bench.ask::<Vec<CommittedTopic>>(Command::Commit(old)), Err(ErrorCode::IllegalGeneration));
    let (ids, generation) = bench.stable(&["a"]);
    assert_eq!(bench.commit("", -1, &offsets), Err(ErrorCode::UnknownMemberId));
    assert_eq!(bench.commit("nobody", generation, &offsets), Err(ErrorCode::UnknownMemberId));
    assert_eq!(bench.commit(&ids[0], generation, &offsets), Ok(()));
    let again = bench.rejoin("a", &ids[0]);
    let generation = bench.joined(again).unwrap().generation;
    assert_eq!(bench.commit(&ids[0], generation, &offsets), Err(ErrorCode::RebalanceInProgress));
    bench.sync(&ids[0], generation, vec![]);
    bench.join_as("b");
    assert_eq!(bench.state(), "PreparingRebalance");
    assert_eq!(bench.commit(&ids[0], generation, &offsets), Ok(()), "the last generation may still commit");
}

#[test]
fn a_commit_keeps_its_member_alive() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a"]);
    for offset in 0..5 {
        bench.pass(i64::from(SESSION_MS) - 1);
        assert_eq!(bench.commit(&ids[0], generation, &[("orders", 0, offset)]), Ok(()));
    }
}

#[test]
fn metadata_that_is_too_large_is_refused_for_its_partition_alone() {
    let mut bench = Bench::default();
    let mut request = commit(-1, &[("orders", 0, 1), ("orders", 1, 2)]);
    request.topics[0].partitions[0].metadata = Some("x".repeat(4_097));
    request.topics[1].partitions[0].metadata = Some("é".repeat(4_096));
    let verdicts: Vec<CommittedTopic> = bench.ask(Command::Commit(request)).unwrap();
    assert_eq!(verdicts[0].partitions, [(0, Some(ErrorCode::OffsetMetadataTooLarge))]);
    assert_eq!(verdicts[1].partitions, [(1, None)]);
    assert_eq!((bench.offset("orders", 0), bench.offset("orders", 1)), (-1, 2));
}

#[test]
fn a_commit_too_large_for_one_batch_is_refused_as_a_whole() {
    let mut bench = Bench::default();
    let offsets: Vec<_> = (0..20_000).map(|partition| ("a-topic-with-a-longer-name", partition, 1)).collect();
    assert_eq!(bench.commit("", -1, &offsets), Err(ErrorCode::UnknownServerError));
    assert!(bench.log.is_empty());
}

#[test]
fn a_deleted_topic_takes_its_offsets_along_in_every_group() {
    let mut bench = Bench::default();
    bench.commit("", -1, &[("orders", 0, 1), ("orders", 1, 2), ("kept", 0, 3)]).unwrap();
    let other = Commit { group_id: "other".into(), ..commit(-1, &[("orders", 5, 9)]) };
    let _: Vec<CommittedTopic> = bench.ask(Command::Commit(other)).unwrap();
    let effects = bench.machine.delete_topics(&["orders", "a", "b", "c"].map(Into::into).into());
    assert_eq!(effects.records.len(), 3);
    bench.take(effects);
    let mut restarted = bench.restarted();
    for bench in [&mut bench, &mut restarted] {
        assert_eq!(
            (bench.offset("orders", 0), bench.offset("orders", 1), bench.offset("kept", 0)),
            (-1, -1, 3)
        );
    }
}

#[test]
fn offsets_of_an_empty_group_expire_from_when_it_became_empty() {
    let mut bench = Bench::default().restarted();
    let (ids, generation) = bench.stable(&["a"]);
    bench.commit(&ids[0], generation, &[("orders", 0, 1)]).unwrap();
    for _ in 0..WEEK_MS / HOUR_MS {
        for _ in 0..HOUR_MS / 9_000 {
            bench.pass(9_000);
            assert_eq!(bench.heartbeat(&ids[0], generation), Ok(()));
        }
    }
    bench.leave(&ids[0]);
    bench.pass(WEEK_MS - HOUR_MS);
    assert_eq!(bench.offset("orders", 0), 1);
    bench.pass(2 * HOUR_MS);
    assert_eq!((bench.offset("orders", 0), bench.state()), (-1, "Dead"));
    assert_eq!(bench.restarted().state(), "Dead", "the group is deleted on record");
}

#[test]
fn offsets_of_a_consumer_without_a_group_expire_from_their_commit() {
    let mut bench = Bench::default().restarted();
    bench.commit("", -1, &[("orders", 0, 1)]).unwrap();
    bench.pass(WEEK_MS / 2);
    bench.commit("", -1, &[("orders", 1, 2)]).unwrap();
    bench.pass(WEEK_MS / 2 + HOUR_MS);
    assert_eq!((bench.offset("orders", 0), bench.offset("orders", 1)), (-1, 2));
    bench.pass(WEEK_MS / 2);
    assert_eq!((bench.offset("orders", 1), bench.state()), (-1, "Dead"));
}

#[test]
fn a_stable_group_loses_offsets_of_topics_that_it_no_longer_reads() {
    let mut bench = Bench::new(Settings { offsets_retention_ms: HOUR_MS, ..Settings::default() }).restarted();
    let (ids, generation) = bench.stable(&["a"]);
    bench.commit(&ids[0], generation, &[("orders", 0, 1), ("dropped", 0, 2)]).unwrap();
    for _ in 0..2 * HOUR_MS / 9_000 {
        bench.pass(9_000);
        assert_eq!(bench.heartbeat(&ids[0], generation), Ok(()));
    }
    assert_eq!((bench.offset("orders", 0), bench.offset("dropped", 0)), (1, -1));
}

#[test]
fn a_commit_that_names_its_retention_expires_by_it() {
    let mut bench = Bench::default().restarted();
    let request = Commit { retention_ms: Some(HOUR_MS), ..commit(-1, &[("orders", 0, 1)]) };
    let _: Vec<CommittedTopic> = bench.ask(Command::Commit(request)).unwrap();
    bench.pass(HOUR_MS / 2);
    assert_eq!(bench.restarted().offset("orders", 0), 1);
    bench.pass(HOUR_MS);
    assert_eq!(bench.offset("orders", 0), -1);
}

fn pending(partition: i32, offset: i64) -> GroupRecord {
    GroupRecord::Offset {
        group: GROUP.into(),
        topic: "orders".into(),
        partition,
        value: Some(OffsetValue {
            offset,
            leader_epoch: -1,
            metadata: "".into(),
            commit_ms: 0,
            expire_ms: None,
            topic_id: TopicId::ZERO,
        }),
    }
}

#[test]
fn offsets_in_a_transaction_count_from_its_commit_on_and_never_after_an_abort() {
    let mut bench = Bench::default();
    let (committing, aborting) = (ProducerId(1), ProducerId(2));
    bench.machine.replay(&pending(0, 10), ProducerId::NONE, 0, bench.now);
    bench.machine.replay(&pending(0, 11), committing, 1, bench.now);
    bench.machine.replay(&pending(1, 99), aborting, 2, bench.now);
    assert_eq!((bench.offset("orders", 0), bench.offset("orders", 1)), (10, -1));
    let fetch = Fetch {
        group_id: GROUP.into(),
        topics: Some(vec![("orders".into(), vec![0])]),
        require_stable: true,
    };
    let told: Vec<FetchedTopic> = bench.ask(Command::Fetch(fetch.clone())).unwrap();
    assert_eq!(told[0].partitions[0].error, Some(ErrorCode::UnstableOffsetCommit));
    bench.machine.replay_marker(committing, true, 3);
    bench.machine.replay_marker(aborting, false, 4);
    assert_eq!((bench.offset("orders", 0), bench.offset("orders", 1)), (11, -1));
    let told: Vec<FetchedTopic> = bench.ask(Command::Fetch(fetch)).unwrap();
    assert_eq!((told[0].partitions[0].error, told[0].partitions[0].offset), (None, 11));
}

#[test]
fn a_later_plain_commit_wins_over_a_transaction_that_ends_after_it() {
    let mut bench = Bench::default();
    bench.machine.replay(&pending(0, 11), ProducerId(1), 0, bench.now);
    bench.commit("", -1, &[("orders", 0, 20)]).unwrap();
    bench.machine.replay_marker(ProducerId(1), true, 5);
    assert_eq!(bench.offset("orders", 0), 20);
}

#[test]
fn a_classic_group_takes_over_the_id_of_another_protocols_group_and_keeps_its_offsets() {
    let mut bench = Bench::default();
    let keys = [[0u8, 3, 0, 1, b'g'], [0, 5, 0, 1, b'g'], [0, 8, 0, 1, b'g']];
    for (position, key) in keys.iter().enumerate() {
        let record = GroupRecord::Foreign {
            group: GROUP.into(),
            kind: ForeignKind::Consumer,
            key: Bytes::copy_from_slice(key),
            present: true,
        };
        bench.machine.replay(&record, ProducerId::NONE, position as i64, bench.now);
    }
    bench.machine.replay(&pending(0, 10), ProducerId::NONE, 3, bench.now);
    let described: Description = bench.ask(Command::Describe { group_id: GROUP.into() }).unwrap();
    let Description::Group(described) = described else { panic!("{described:?}") };
    assert_eq!((described.state, described.protocol_type.as_str()), ("Empty", "consumer"));
    let listed: Vec<ListedGroup> = bench.ask(Command::List(ListFilter::default())).unwrap();
    assert_eq!((listed.len(), listed[0].group_type), (1, "consumer"));
    assert_eq!(bench.offset("orders", 0), 10);
    bench.stable(&["a"]);
    let deleted: Vec<u8> = bench
        .log
        .iter()
        .filter_map(|record| match record {
            GroupRecord::Foreign { key, present: false, .. } => Some(key[1]),
            _ => None,
        })
        .collect();
    assert_eq!(deleted, [8, 5, 3], "members before their group, or a real Kafka cannot replay it");
    assert_eq!((bench.state(), bench.offset("orders", 0)), ("Stable", 10));
}

#[test]
fn a_group_with_members_stays_without_offsets() {
    let mut bench = Bench::default().restarted();
    let (ids, generation) = bench.stable(&["a"]);
    for _ in 0..HOUR_MS / 9_000 {
        bench.pass(9_000);
        assert_eq!(bench.heartbeat(&ids[0], generation), Ok(()));
    }
}

#[test]
fn an_open_transaction_keeps_its_group_and_the_offsets_below_it() {
    let mut bench = Bench::default().restarted();
    bench.commit("", -1, &[("orders", 0, 5)]).unwrap();
    let position = bench.log.len() as i64;
    bench.machine.replay(&pending(0, 6), ProducerId(1), position, bench.now);
    let GroupRecord::Offset { topic, partition, value, .. } = pending(0, 7) else { unreachable!() };
    let other = GroupRecord::Offset { group: "other".into(), topic, partition, value };
    bench.machine.replay(&other, ProducerId(2), position + 1, bench.now);
    bench.pass(2 * WEEK_MS);
    assert_eq!(bench.offset("orders", 0), 5);
    let listed: Vec<ListedGroup> = bench.ask(Command::List(ListFilter::default())).unwrap();
    assert_eq!(listed.len(), 2);
    for producer in [1, 2] {
        bench.machine.replay_marker(ProducerId(producer), false, position + 1 + producer);
    }
    bench.pass(HOUR_MS);
    assert_eq!((bench.offset("orders", 0), bench.state()), (-1, "Dead"));
}

#[test]
fn a_deleted_topic_takes_offsets_in_open_transactions_along() {
    let mut bench = Bench::default();
    bench.machine.replay(&pending(0, 6), ProducerId(1), 0, bench.now);
    let effects = bench.machine.delete_topics(&["orders".into()].into());
    assert_eq!(effects.records.len(), 1);
    bench.machine.replay_marker(ProducerId(1), true, 2);
    assert_eq!(bench.offset("orders", 0), -1);
}

#[test]
fn committed_offsets_may_stand_before_their_groups_records() {
    let mut bench = Bench::default();
    bench.machine.replay(&pending(0, 10), ProducerId::NONE, 0, bench.now);
    let record = GroupRecord::Foreign {
        group: GROUP.into(),
        kind: ForeignKind::Consumer,
        key: Bytes::from_static(&[0, 3, 0, 1, b'g']),
        present: true,
    };
    bench.machine.replay(&record, ProducerId::NONE, 1, bench.now);
    let described: Description = bench.ask(Command::Describe { group_id: GROUP.into() }).unwrap();
    assert!(matches!(described, Description::Group(_)), "{described:?}");
    assert_eq!(bench.offset("orders", 0), 10);
}

#[test]
fn offsets_are_deleted_or_cut_as_they_are_judged_at_the_start() {
    let mut bench = Bench::default();
    let (old, new) = (TopicId::random(), TopicId::random());
    for (topic, topic_id) in
        [("made again", old), ("gone", old), ("there", new), ("unknown id", TopicId::ZERO)]
    {
        let mut commit = commit(-1, &[(topic, 0, 5)]);
        commit.topics[0].topic_id = topic_id;
        let _: Vec<CommittedTopic> = bench.ask(Command::Commit(commit)).unwrap();
    }
    let judge = |name: &str, _, id, offset: i64| match name {
        "there" if id == new && offset == 5 => Verdict::Keep,
        "unknown id" => Verdict::Cut(3),
        _ => Verdict::Delete,
    };
    let effects = bench.machine.mend_offsets(&judge);
    bench.take(effects);
    for bench in [&mut bench.restarted(), &mut bench] {
        let left = ["made again", "gone", "there", "unknown id"].map(|topic| bench.offset(topic, 0));
        assert_eq!(left, [-1, -1, 5, 3]);
    }
}

#[test]
fn a_share_groups_id_cannot_be_joined() {
    let mut bench = Bench::default();
    let record = GroupRecord::Foreign {
        group: GROUP.into(),
        kind: ForeignKind::Share,
        key: Bytes::from_static(&[0, 11, 0, 1, b'g']),
        present: true,
    };
    bench.machine.replay(&record, ProducerId::NONE, 0, bench.now);
    let ticket = bench.send(Command::Join(join("a")));
    assert_eq!(bench.joined(ticket).unwrap().error, Some(ErrorCode::InconsistentGroupProtocol));
    let described: Description = bench.ask(Command::Describe { group_id: GROUP.into() }).unwrap();
    assert_eq!(described, Description::NotClassic);
}

fn delete_offsets(bench: &mut Bench, offsets: &[(&str, i32)]) -> Result<Vec<Option<ErrorCode>>, ErrorCode> {
    let topics = offsets.iter().map(|(topic, partition)| ((*topic).into(), vec![*partition])).collect();
    let delete = DeleteOffsets { group_id: GROUP.into(), topics };
    let topics: Vec<CommittedTopic> = bench.ask(Command::DeleteOffsets(delete))?;
    Ok(topics.into_iter().map(|topic| topic.partitions[0].1).collect())
}

#[test]
fn offsets_are_deleted_unless_members_consume_the_topic() {
    let mut bench = Bench::default();
    assert_eq!(delete_offsets(&mut bench, &[("orders", 0)]), Err(ErrorCode::GroupIdNotFound));
    let (ids, generation) = bench.stable(&["a"]);
    bench.commit(&ids[0], generation, &[("orders", 0, 5), ("other", 0, 6)]).unwrap();
    let subscribed = Some(ErrorCode::GroupSubscribedToTopic);
    assert_eq!(delete_offsets(&mut bench, &[("orders", 0), ("other", 0)]), Ok(vec![subscribed, None]));
    assert_eq!((bench.offset("orders", 0), bench.offset("other", 0)), (5, -1));
    assert_eq!(bench.restarted().offset("other", 0), -1);
    let written = bench.log.len();
    assert_eq!(delete_offsets(&mut bench, &[("other", 0)]), Ok(vec![None]));
    assert_eq!(bench.log.len(), written, "what is not there needs no record");
    bench.leave(&ids[0]);
    let written = bench.log.len();
    assert_eq!(delete_offsets(&mut bench, &[("orders", 0); 3]), Ok(vec![None; 3]));
    assert_eq!(bench.log.len(), written + 1, "what is named again needs no record either");
    assert_eq!(bench.offset("orders", 0), -1);
    assert_eq!(bench.state(), "Empty", "the group stays");
}

#[test]
fn offsets_of_members_that_do_not_tell_what_they_consume_are_not_deleted() {
    let mut bench = Bench::default();
    let connect = Join { protocol_type: "connect".into(), member_id_required: false, ..join("a") };
    bench.send(Command::Join(connect));
    assert_eq!(delete_offsets(&mut bench, &[("orders", 0)]), Err(ErrorCode::NonEmptyGroup));
    let mut bench = Bench::default();
    let protocols = vec![Protocol { name: "range".into(), metadata: Bytes::from_static(b"?") }];
    bench.send(Command::Join(Join { protocols, member_id_required: false, ..join("a") }));
    assert_eq!(
        delete_offsets(&mut bench, &[("orders", 0)]),
        Ok(vec![Some(ErrorCode::GroupSubscribedToTopic)])
    );
}
