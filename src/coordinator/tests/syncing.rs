//! The leader's assignment, and members that never ask for it.

use super::*;

#[test]
fn followers_that_sync_first_wait_for_the_leader() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a", "b"]);
    let again = [bench.rejoin("a", &ids[0]), bench.rejoin("b", &ids[1])];
    for ticket in again {
        assert_eq!(bench.joined(ticket).unwrap().generation, generation + 1);
    }
    let follower = bench.sync(&ids[1], generation + 1, vec![]);
    assert!(bench.synced(follower).is_none());
    let written = bench.log.len();
    let leader = bench.sync(&ids[0], generation + 1, vec![(ids[1].clone(), Bytes::from_static(b"p0"))]);
    let leader = bench.synced(leader).unwrap();
    assert_eq!((leader.error, leader.assignment.len()), (None, 0), "whom the leader forgets gets nothing");
    let follower = bench.synced(follower).unwrap();
    assert_eq!(follower.assignment, "p0");
    assert_eq!(
        (follower.protocol.as_deref(), follower.protocol_type.as_deref()),
        (Some("range"), Some("consumer"))
    );
    assert_eq!(bench.log.len(), written + 1, "one record holds the whole generation");
    let late = bench.sync(&ids[1], generation + 1, vec![]);
    assert_eq!(bench.synced(late).unwrap().assignment, "p0");
}

#[test]
fn a_sync_of_a_stranger_or_another_generation_or_protocol_is_refused() {
    let mut bench = Bench::default();
    let none = bench.sync("nobody", 1, vec![]);
    assert_eq!(bench.synced(none).unwrap().error, Some(ErrorCode::UnknownMemberId));
    let (ids, generation) = bench.stable(&["a"]);
    let stranger = bench.sync("nobody", generation, vec![]);
    assert_eq!(bench.synced(stranger).unwrap().error, Some(ErrorCode::UnknownMemberId));
    for stale in [generation - 1, generation + 1] {
        let ticket = bench.sync(&ids[0], stale, vec![]);
        assert_eq!(bench.synced(ticket).unwrap().error, Some(ErrorCode::IllegalGeneration));
    }
    let sync =
        SyncGroup { group_id: GROUP.into(), member_id: ids[0].clone(), generation, ..SyncGroup::default() };
    for odd in [
        SyncGroup { protocol: Some("sticky".into()), ..sync.clone() },
        SyncGroup { protocol_type: Some("connect".into()), ..sync.clone() },
    ] {
        let ticket = bench.send(Command::Sync(odd));
        assert_eq!(bench.synced(ticket).unwrap().error, Some(ErrorCode::InconsistentGroupProtocol));
    }
    let same = SyncGroup { protocol: Some("range".into()), protocol_type: Some("consumer".into()), ..sync };
    let ticket = bench.send(Command::Sync(same));
    assert_eq!(bench.synced(ticket).unwrap().error, None);
}

#[test]
fn when_groups_have_all_memory_no_assignment_comes_that_is_larger_than_what_members_have() {
    let memory = Arc::new(GroupMemory::new(20_000));
    let mut bench = Bench::new(Settings { memory: memory.clone(), ..Settings::default() });
    let (ids, generation) = bench.stable(&["a", "b"]);
    let again = [bench.rejoin("a", &ids[0]), bench.rejoin("b", &ids[1])];
    assert!(again.into_iter().all(|ticket| bench.joined(ticket).unwrap().error.is_none()));
    let generation = generation + 1;
    let follower = bench.sync(&ids[1], generation, vec![]);
    let taken = memory.taken();
    let large = vec![(ids[1].clone(), Bytes::from(vec![0; 20_000]))];
    let refused = bench.sync(&ids[0], generation, large);
    assert_eq!(bench.synced(refused).unwrap().error, Some(ErrorCode::CoordinatorNotAvailable));
    assert_eq!((memory.taken(), bench.synced(follower).is_none()), (taken, true));
    // Groups of one pending member each, until there is no room; what is of usual size was counted before.
    let mut told = 0;
    while bench.ask_for_id(&format!("group-{told}")) {
        told += 1;
        assert!(told < 100, "there is no bound");
    }
    let usual = ids.iter().map(|id| (id.clone(), Bytes::from(vec![0; 200]))).collect();
    let leader = bench.sync(&ids[0], generation, usual);
    for ticket in [leader, follower] {
        let answer = bench.synced(ticket).unwrap();
        assert_eq!((answer.error, answer.assignment.len()), (None, 200));
    }
}

#[test]
fn a_rebalance_sends_members_that_wait_for_an_assignment_back_to_join() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a", "b"]);
    bench.rejoin("a", &ids[0]);
    bench.rejoin("b", &ids[1]);
    let waiting = bench.sync(&ids[1], generation + 1, vec![]);
    let (_, newcomer) = bench.join_as("c");
    assert_eq!(bench.synced(waiting).unwrap().error, Some(ErrorCode::RebalanceInProgress));
    assert!(bench.joined(newcomer).is_none());
    let during = bench.sync(&ids[0], generation + 1, vec![]);
    assert_eq!(bench.synced(during).unwrap().error, Some(ErrorCode::RebalanceInProgress));
}

#[test]
fn a_leader_that_never_syncs_is_removed_at_the_rebalance_timeout() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a", "b"]);
    bench.rejoin("a", &ids[0]);
    bench.rejoin("b", &ids[1]);
    let follower = bench.sync(&ids[1], generation + 1, vec![]);
    for _ in 0..REBALANCE_MS / SESSION_MS - 1 {
        bench.pass(i64::from(SESSION_MS) - 1);
        assert_eq!(bench.heartbeat(&ids[0], generation + 1), Ok(()));
    }
    assert!(bench.synced(follower).is_none());
    bench.pass(i64::from(SESSION_MS));
    assert_eq!(bench.synced(follower).unwrap().error, Some(ErrorCode::RebalanceInProgress));
    assert_eq!(bench.heartbeat(&ids[0], generation + 1), Err(ErrorCode::UnknownMemberId));
    let again = bench.rejoin("b", &ids[1]);
    assert_eq!(bench.joined(again).unwrap().leader, ids[1]);
}

#[test]
fn a_follower_that_never_syncs_is_removed_from_a_stable_group() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a", "b"]);
    bench.rejoin("a", &ids[0]);
    bench.rejoin("b", &ids[1]);
    bench.sync(&ids[0], generation + 1, vec![]);
    assert_eq!(bench.state(), "Stable");
    for _ in 0..REBALANCE_MS / 5_000 {
        bench.pass(5_000);
        let _ = bench.heartbeat(&ids[0], generation + 1);
        let _ = bench.heartbeat(&ids[1], generation + 1);
    }
    assert_eq!(bench.state(), "PreparingRebalance");
    assert_eq!(bench.heartbeat(&ids[1], generation + 1), Err(ErrorCode::UnknownMemberId));
    assert_eq!(bench.heartbeat(&ids[0], generation + 1), Err(ErrorCode::RebalanceInProgress));
}

#[test]
fn waiting_for_the_assignment_does_not_end_a_session_and_getting_it_begins_a_new_one() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a", "b"]);
    bench.rejoin("a", &ids[0]);
    bench.rejoin("b", &ids[1]);
    let follower = bench.sync(&ids[1], generation + 1, vec![]);
    for _ in 0..4 {
        bench.pass(i64::from(SESSION_MS) - 1);
        assert_eq!(bench.heartbeat(&ids[0], generation + 1), Ok(()));
    }
    bench.sync(&ids[0], generation + 1, vec![]);
    assert_eq!(bench.synced(follower).unwrap().error, None);
    bench.pass(i64::from(SESSION_MS) - 1);
    assert_eq!(bench.heartbeat(&ids[0], generation + 1), Ok(()));
    bench.pass(1);
    let gone = bench.heartbeat(&ids[1], generation + 1);
    assert_eq!(gone, Err(ErrorCode::UnknownMemberId), "the new session ends like any other");
}

#[test]
fn an_assignment_too_large_for_the_log_is_refused_and_the_group_rebalances() {
    let mut bench = Bench::default();
    let (id, joined) = bench.join_as("a");
    let generation = bench.joined(joined).unwrap().generation;
    let written = bench.log.len();
    let ticket = bench.sync(&id, generation, vec![(id.clone(), Bytes::from(vec![0; 1_100_000]))]);
    assert_eq!(bench.synced(ticket).unwrap().error, Some(ErrorCode::UnknownServerError));
    assert_eq!((bench.log.len(), bench.state()), (written, "PreparingRebalance"));
    let again = bench.rejoin("a", &id);
    assert_eq!(bench.joined(again).unwrap().generation, generation + 1);
}
