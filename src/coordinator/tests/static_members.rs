//! Static members (KIP-345): an instance keeps its place across restarts, and has one holder at a time.

use super::*;

fn static_join(instance: &str) -> Join {
    Join { instance_id: Some(instance.into()), ..join("app") }
}

/// A stable group of static members: instance id → member id, the leader's first, and the generation.
fn stable(bench: &mut Bench, instances: &[&str]) -> (Vec<String>, i32) {
    let first = bench.send(Command::Join(static_join(instances[0])));
    let mut answers = vec![bench.joined(first).unwrap()];
    for instance in &instances[1..] {
        let new = bench.send(Command::Join(static_join(instance)));
        let again: Vec<_> = answers
            .iter()
            .zip(instances)
            .map(|(answer, instance)| {
                let rejoin = Join { member_id: answer.member_id.clone(), ..static_join(instance) };
                bench.send(Command::Join(rejoin))
            })
            .collect();
        answers = again.into_iter().chain([new]).map(|ticket| bench.joined(ticket).unwrap()).collect();
    }
    let generation = answers[0].generation;
    let ids: Vec<_> = answers.iter().map(|answer| answer.member_id.clone()).collect();
    assert_eq!(answers[0].leader, ids[0]);
    for id in ids.iter().rev() {
        let assignments = ids.iter().map(|id| (id.clone(), Bytes::from(format!("for {id}")))).collect();
        bench.sync(id, generation, assignments);
    }
    bench.answers.clear();
    assert_eq!(bench.state(), "Stable");
    (ids, generation)
}

#[test]
fn a_static_member_joins_without_asking_for_an_id_first() {
    let mut bench = Bench::default();
    let ticket = bench.send(Command::Join(static_join("i1")));
    let answer = bench.joined(ticket).unwrap();
    assert_eq!(answer.error, None);
    assert!(answer.member_id.starts_with("i1-"), "{}", answer.member_id);
    assert_eq!(answer.members[0].instance_id.as_deref(), Some("i1"));
}

#[test]
fn a_static_follower_that_restarts_gets_its_assignment_back_without_a_rebalance() {
    let mut bench = Bench::default();
    let (ids, generation) = stable(&mut bench, &["i1", "i2"]);
    bench.pass(5_000);
    let ticket = bench.send(Command::Join(static_join("i2")));
    let back = bench.joined(ticket).unwrap();
    assert_eq!((back.error, back.generation, back.leader.as_str()), (None, generation, ids[0].as_str()));
    assert_ne!(back.member_id, ids[1]);
    assert_eq!((bench.state(), back.skip_assignment), ("Stable", false));
    let synced = bench.sync(&back.member_id, generation, vec![]);
    assert_eq!(bench.synced(synced).unwrap().assignment, format!("for {}", ids[1]));
    assert_eq!(bench.heartbeat(&ids[0], generation), Ok(()));
    let mut restarted = bench.restarted();
    assert_eq!(restarted.heartbeat(&back.member_id, generation), Ok(()), "the new id is on record");
    assert_eq!(restarted.heartbeat(&ids[1], generation), Err(ErrorCode::UnknownMemberId));
}

#[test]
fn a_static_leader_that_restarts_skips_the_assignment() {
    let mut bench = Bench::default();
    let (_, generation) = stable(&mut bench, &["i1", "i2"]);
    let ticket = bench.send(Command::Join(static_join("i1")));
    let back = bench.joined(ticket).unwrap();
    assert_eq!((back.generation, back.leader.as_str()), (generation, back.member_id.as_str()));
    assert_eq!((back.skip_assignment, back.members.len()), (true, 2));
}

#[test]
fn a_static_leader_of_an_old_version_is_not_told_that_it_leads() {
    let mut bench = Bench::default();
    let (ids, _) = stable(&mut bench, &["i1", "i2"]);
    let ticket = bench.send(Command::Join(Join { can_skip_assignment: false, ..static_join("i1") }));
    let back = bench.joined(ticket).unwrap();
    assert_eq!((back.leader.as_str(), back.skip_assignment), (ids[0].as_str(), false));
    assert!(back.members.is_empty());
}

#[test]
fn the_former_holder_of_an_instance_id_is_fenced() {
    let mut bench = Bench::default();
    let (ids, generation) = stable(&mut bench, &["i1"]);
    bench.send(Command::Join(static_join("i1")));
    let heartbeat = Heartbeat {
        group_id: GROUP.into(),
        member_id: ids[0].clone(),
        instance_id: Some("i1".into()),
        generation,
    };
    assert_eq!(bench.ask::<()>(Command::Heartbeat(heartbeat)), Err(ErrorCode::FencedInstanceId));
    let rejoin = bench.send(Command::Join(Join { member_id: ids[0].clone(), ..static_join("i1") }));
    assert_eq!(bench.joined(rejoin).unwrap().error, Some(ErrorCode::FencedInstanceId));
    let stale = Commit {
        member_id: ids[0].clone(),
        instance_id: Some("i1".into()),
        ..commit(generation, &[("t", 0, 1)])
    };
    assert_eq!(bench.ask::<Vec<CommittedTopic>>(Command::Commit(stale)), Err(ErrorCode::FencedInstanceId));
    let members =
        vec![LeavingMember { member_id: ids[0].clone(), instance_id: Some("i1".into()), reason: None }];
    let left: Vec<LeftMember> = bench.ask(Command::Leave(Leave { group_id: GROUP.into(), members })).unwrap();
    assert_eq!(left[0].error, Some(ErrorCode::FencedInstanceId));
    let unknown = Heartbeat {
        group_id: GROUP.into(),
        member_id: ids[0].clone(),
        instance_id: Some("i9".into()),
        generation,
    };
    assert_eq!(bench.ask::<()>(Command::Heartbeat(unknown)), Err(ErrorCode::UnknownMemberId));
}

#[test]
fn a_parked_join_of_the_former_holder_is_fenced() {
    let mut bench = Bench::default();
    let (ids, _) = stable(&mut bench, &["i1", "i2"]);
    let parked = bench.send(Command::Join(Join { member_id: ids[0].clone(), ..static_join("i1") }));
    assert!(bench.joined(parked).is_none());
    let second = bench.send(Command::Join(static_join("i1")));
    assert_eq!(bench.joined(parked).unwrap().error, Some(ErrorCode::FencedInstanceId));
    assert!(bench.joined(second).is_none());
    let other = bench.send(Command::Join(Join { member_id: ids[1].clone(), ..static_join("i2") }));
    assert_eq!(bench.joined(other).unwrap().error, None);
    assert_eq!(bench.joined(second).unwrap().error, None);
}

#[test]
fn a_static_member_that_comes_back_while_the_assignment_is_made_rebalances() {
    let mut bench = Bench::default();
    let (ids, generation) = stable(&mut bench, &["i1", "i2"]);
    bench.send(Command::Join(Join { member_id: ids[0].clone(), ..static_join("i1") }));
    bench.send(Command::Join(Join { member_id: ids[1].clone(), ..static_join("i2") }));
    assert_eq!(bench.state(), "CompletingRebalance");
    let waiting = bench.sync(&ids[0].clone(), generation, vec![]);
    assert_eq!(bench.synced(waiting).unwrap().error, Some(ErrorCode::IllegalGeneration));
    let back = bench.send(Command::Join(static_join("i2")));
    assert!(bench.joined(back).is_none());
    assert_eq!(bench.state(), "PreparingRebalance");
}

#[test]
fn a_static_member_with_another_protocol_rebalances() {
    let mut bench = Bench::default();
    stable(&mut bench, &["i1"]);
    let both = vec![protocol("sticky", &["orders"]), protocol("range", &["orders"])];
    let ticket = bench.send(Command::Join(Join { protocols: both, ..static_join("i1") }));
    let answer = bench.joined(ticket).unwrap();
    assert_eq!(answer.protocol.as_deref(), Some("sticky"));
    assert_eq!(bench.state(), "CompletingRebalance");
}

#[test]
fn a_static_member_that_is_away_stays_in_the_next_generation_until_its_session_ends() {
    let mut bench = Bench::default();
    let away = Join { session_timeout_ms: 100_000, ..static_join("away") };
    let first = bench.send(Command::Join(away));
    let joined = bench.joined(first).unwrap();
    bench.sync(&joined.member_id, joined.generation, vec![]);
    let (_, parked) = bench.join_as("dynamic");
    bench.pass(i64::from(REBALANCE_MS));
    let answer = bench.joined(parked).unwrap();
    assert_eq!(answer.members.len(), 2, "the dynamic member leads, the static one is still assigned to");
}

#[test]
fn an_administrator_removes_a_static_member_by_its_instance_id() {
    let mut bench = Bench::default();
    stable(&mut bench, &["i1"]);
    let by_instance = |instance: &str| {
        vec![LeavingMember { instance_id: Some(instance.into()), ..LeavingMember::default() }]
    };
    let leave = |members| Command::Leave(Leave { group_id: GROUP.into(), members });
    let left: Vec<LeftMember> = bench.ask(leave(by_instance("i9"))).unwrap();
    assert_eq!(left[0].error, Some(ErrorCode::UnknownMemberId));
    let left: Vec<LeftMember> = bench.ask(leave(by_instance("i1"))).unwrap();
    assert_eq!((left[0].error, left[0].member_id.as_str()), (None, ""));
    assert_eq!(bench.state(), "Empty");
}

#[test]
fn a_parked_sync_of_the_former_holder_is_fenced() {
    let mut bench = Bench::default();
    let (ids, generation) = stable(&mut bench, &["i1", "i2"]);
    bench.send(Command::Join(Join { member_id: ids[0].clone(), ..static_join("i1") }));
    bench.send(Command::Join(Join { member_id: ids[1].clone(), ..static_join("i2") }));
    let parked = bench.sync(&ids[1], generation + 1, vec![]);
    bench.send(Command::Join(static_join("i2")));
    assert_eq!(bench.synced(parked).unwrap().error, Some(ErrorCode::FencedInstanceId));
}

#[test]
fn a_new_holder_owes_the_sync_of_the_former_one() {
    for syncs in [true, false] {
        let mut bench = Bench::default();
        let (ids, generation) = stable(&mut bench, &["i1", "i2"]);
        bench.send(Command::Join(Join { member_id: ids[0].clone(), ..static_join("i1") }));
        bench.send(Command::Join(Join { member_id: ids[1].clone(), ..static_join("i2") }));
        bench.sync(&ids[0], generation + 1, vec![]);
        assert_eq!(bench.state(), "Stable");
        let back = bench.send(Command::Join(static_join("i2")));
        let back = bench.joined(back).unwrap();
        if syncs {
            bench.sync(&back.member_id, generation + 1, vec![]);
        }
        for _ in 0..REBALANCE_MS / 5_000 {
            bench.pass(5_000);
            let _ = bench.heartbeat(&ids[0], generation + 1);
            let _ = bench.heartbeat(&back.member_id, generation + 1);
        }
        assert_eq!(bench.state(), if syncs { "Stable" } else { "PreparingRebalance" });
    }
}
