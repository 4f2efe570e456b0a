//! Who may join, and what a join starts.

use super::*;

#[test]
fn a_new_member_is_given_an_id_and_joins_with_it() {
    let mut bench = Bench::default();
    let (id, ticket) = bench.join_as("app");
    assert!(id.starts_with("app-") && id.len() == 4 + 36, "{id}");
    let answer = bench.joined(ticket).unwrap();
    assert_eq!((answer.error, answer.generation, answer.leader.as_str()), (None, 1, id.as_str()));
    assert_eq!(answer.protocol.as_deref(), Some("range"));
    assert_eq!(answer.protocol_type.as_deref(), Some("consumer"));
    assert_eq!(answer.members.len(), 1);
    assert_eq!(bench.state(), "CompletingRebalance");
}

#[test]
fn an_old_client_joins_without_asking_for_an_id_first() {
    let mut bench = Bench::default();
    let ticket = bench.send(Command::Join(Join { member_id_required: false, ..join("old") }));
    let answer = bench.joined(ticket).unwrap();
    assert_eq!(answer.error, None);
    assert_eq!(answer.leader, answer.member_id);
}

#[test]
fn an_id_that_nobody_comes_back_with_is_forgotten_after_the_session_timeout() {
    let mut bench = Bench::default();
    let asked = bench.send(Command::Join(join("app")));
    let id = bench.joined(asked).unwrap().member_id;
    bench.pass(i64::from(SESSION_MS));
    let late = bench.rejoin("app", &id);
    assert_eq!(bench.joined(late).unwrap().error, Some(ErrorCode::UnknownMemberId));
}

#[test]
fn a_member_id_that_the_coordinator_never_gave_is_unknown() {
    let mut bench = Bench::default();
    let without_a_group = bench.rejoin("app", "app-made-up");
    assert_eq!(bench.joined(without_a_group).unwrap().error, Some(ErrorCode::UnknownMemberId));
    assert_eq!(bench.state(), "Dead");
    bench.stable(&["other"]);
    let with_a_group = bench.rejoin("app", "app-made-up");
    let answer = bench.joined(with_a_group).unwrap();
    assert_eq!((answer.error, answer.member_id.as_str()), (Some(ErrorCode::UnknownMemberId), "app-made-up"));
}

#[test]
fn a_session_timeout_out_of_bounds_is_refused() {
    let mut bench = Bench::default();
    for session_timeout_ms in [5_999, 1_800_001, -1] {
        let ticket = bench.send(Command::Join(Join { session_timeout_ms, ..join("app") }));
        assert_eq!(bench.joined(ticket).unwrap().error, Some(ErrorCode::InvalidSessionTimeout));
    }
    assert_eq!((bench.state(), bench.log.len()), ("Dead", 0));
}

#[test]
fn a_member_without_a_shared_protocol_is_refused_and_changes_nothing() {
    let mut bench = Bench::default();
    let empty = bench.send(Command::Join(Join { protocols: Vec::new(), ..join("app") }));
    assert_eq!(bench.joined(empty).unwrap().error, Some(ErrorCode::InconsistentGroupProtocol));
    bench.stable(&["app"]);
    for odd in [
        Join { protocols: vec![protocol("sticky", &["orders"])], ..join("odd") },
        Join { protocol_type: "connect".into(), ..join("odd") },
    ] {
        let ticket = bench.send(Command::Join(odd));
        assert_eq!(bench.joined(ticket).unwrap().error, Some(ErrorCode::InconsistentGroupProtocol));
    }
    assert_eq!(bench.state(), "Stable");
}

#[test]
fn the_protocol_with_the_most_votes_among_the_shared_ones_is_chosen() {
    let mut bench = Bench::new(Settings { initial_rebalance_delay_ms: 1_000, ..Settings::default() });
    let speaks = |names: &[&str]| names.iter().map(|name| protocol(name, &["orders"])).collect::<Vec<_>>();
    let old = |client: &str, names: &[&str]| {
        Command::Join(Join { member_id_required: false, protocols: speaks(names), ..join(client) })
    };
    let tickets = [
        bench.send(old("a", &["only-a", "range", "sticky"])),
        bench.send(old("b", &["sticky", "range"])),
        bench.send(old("c", &["sticky", "range"])),
    ];
    bench.pass(3_000);
    for ticket in tickets {
        assert_eq!(bench.joined(ticket).unwrap().protocol.as_deref(), Some("sticky"));
    }
}

#[test]
fn of_two_protocols_with_as_many_votes_the_one_is_chosen_that_kafka_would_choose() {
    // The order of a Java hash map: sticky is in bucket 8 of 16, range in 9, roundrobin in 10, the last one in 15.
    for (names, chosen) in [
        (["range", "sticky"], "sticky"),
        (["range", "cooperative-sticky"], "range"),
        (["roundrobin", "range"], "range"),
        (["b", "c"], "b"),
    ] {
        let mut bench = Bench::new(Settings { initial_rebalance_delay_ms: 1_000, ..Settings::default() });
        let [one, other] = names;
        let tickets = [[one, other], [other, one]].map(|order| {
            let protocols = order.iter().map(|name| protocol(name, &["orders"])).collect();
            bench.send(Command::Join(Join { member_id_required: false, protocols, ..join("a") }))
        });
        bench.pass(3_000);
        for ticket in tickets {
            assert_eq!(bench.joined(ticket).unwrap().protocol.as_deref(), Some(chosen), "{names:?}");
        }
    }
}

#[test]
fn the_maximum_size_holds_for_new_members_alone() {
    let mut bench = Bench::new(Settings { group_size_max: 2, ..Settings::default() });
    let (ids, generation) = bench.stable(&["a", "b"]);
    let third = bench.send(Command::Join(join("c")));
    let refused = bench.joined(third).unwrap();
    assert_eq!((refused.error, refused.member_id.as_str()), (Some(ErrorCode::GroupMaxSizeReached), ""));
    assert_eq!(bench.heartbeat(&ids[1], generation), Ok(()));
    let leader = bench.rejoin("a", &ids[0]);
    let follower = bench.rejoin("b", &ids[1]);
    assert_eq!(bench.joined(leader).unwrap().error, None);
    assert_eq!(bench.joined(follower).unwrap().error, None);
}

#[test]
fn when_groups_have_all_memory_nobody_new_comes_in_and_who_is_there_stays() {
    let memory = Arc::new(GroupMemory::new(20_000));
    let mut bench = Bench::new(Settings { memory: memory.clone(), ..Settings::default() });
    let (ids, generation) = bench.stable(&["a", "b"]);
    let large = Protocol { name: "range".into(), metadata: vec![0; 30_000].into() };
    let new = bench.send(Command::Join(Join { protocols: vec![large], ..join("c") }));
    assert_eq!(bench.joined(new).unwrap().error, Some(ErrorCode::GroupMaxSizeReached));
    assert_eq!(bench.heartbeat(&ids[1], generation), Ok(()));
    let taken = memory.taken();
    assert!((1_000..10_000).contains(&taken), "{taken}");
    // Groups of one pending member each, until there is no room.
    let mut told = 0;
    while bench.ask_for_id(&format!("group-{told}")) {
        told += 1;
        assert!(told < 100, "there is no bound");
    }
    assert!(told > 5, "{told}");
    let [leader, follower] = [("a", 0), ("b", 1)].map(|(name, id)| bench.rejoin(name, &ids[id]));
    assert_eq!(bench.joined(leader).unwrap().error, None);
    assert_eq!(bench.joined(follower).unwrap().error, None);
    drop(bench);
    assert_eq!(memory.taken(), 0);
}

#[test]
fn a_new_member_makes_the_others_join_again() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a"]);
    let (second, parked) = bench.join_as("b");
    assert!(bench.joined(parked).is_none());
    assert_eq!(bench.heartbeat(&ids[0], generation), Err(ErrorCode::RebalanceInProgress));
    let again = bench.rejoin("a", &ids[0]);
    let (leader, follower) = (bench.joined(again).unwrap(), bench.joined(parked).unwrap());
    assert_eq!((leader.generation, follower.generation), (generation + 1, generation + 1));
    assert_eq!((leader.members.len(), follower.members.len()), (2, 0));
    assert_eq!(follower.leader, ids[0]);
    assert_eq!(follower.member_id, second);
}

#[test]
fn a_member_that_does_not_rejoin_is_dropped_at_the_rebalance_timeout() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["gone"]);
    let (_, parked) = bench.join_as("new");
    // Its heartbeats keep its session, so that the rebalance timeout alone decides.
    for _ in 0..REBALANCE_MS / 5_000 {
        assert!(bench.joined(parked).is_none());
        assert_eq!(bench.heartbeat(&ids[0], generation), Err(ErrorCode::RebalanceInProgress));
        bench.pass(5_000);
    }
    let answer = bench.joined(parked).unwrap();
    assert_eq!((answer.generation, answer.members.len()), (generation + 1, 1));
    assert_eq!(bench.heartbeat(&ids[0], generation), Err(ErrorCode::UnknownMemberId));
}

#[test]
fn a_pending_member_holds_a_rebalance_until_it_comes_or_its_time_is_over() {
    let mut bench = Bench::default();
    let (ids, _) = bench.stable(&["a"]);
    let asked = bench.send(Command::Join(join("slow")));
    assert_eq!(bench.joined(asked).unwrap().error, Some(ErrorCode::MemberIdRequired));
    let again = bench.rejoin("a", &ids[0]);
    assert!(bench.joined(again).is_none(), "the rebalance waits for the member that was told its id");
    bench.pass(i64::from(SESSION_MS));
    assert_eq!(bench.joined(again).unwrap().members.len(), 1);
}

#[test]
fn a_leader_that_joins_again_rebalances_and_a_follower_with_the_same_words_does_not() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a", "b"]);
    let follower = bench.rejoin("b", &ids[1]);
    assert_eq!(bench.joined(follower).unwrap().generation, generation);
    assert_eq!(bench.state(), "Stable");
    let leader = bench.rejoin("a", &ids[0]);
    assert!(bench.joined(leader).is_none());
    assert_eq!(bench.state(), "PreparingRebalance");
}

#[test]
fn a_follower_with_another_subscription_rebalances() {
    let mut bench = Bench::default();
    let (ids, _) = bench.stable(&["a", "b"]);
    let changed =
        Join { member_id: ids[1].clone(), protocols: vec![protocol("range", &["more"])], ..join("b") };
    let ticket = bench.send(Command::Join(changed));
    assert!(bench.joined(ticket).is_none());
    assert_eq!(bench.state(), "PreparingRebalance");
}

#[test]
fn a_join_whose_answer_was_lost_is_answered_again() {
    let mut bench = Bench::default();
    let (id, first) = bench.join_as("a");
    let lost = bench.joined(first).unwrap();
    let again = bench.rejoin("a", &id);
    assert_eq!(bench.joined(again).unwrap(), lost);
    assert_eq!(bench.state(), "CompletingRebalance");
}

#[test]
fn a_second_join_of_a_waiting_member_takes_the_place_of_the_first() {
    let mut bench = Bench::default();
    let (ids, _) = bench.stable(&["a"]);
    let (second, first_ticket) = bench.join_as("b");
    let second_ticket = bench.rejoin("b", &second);
    assert_eq!(bench.joined(first_ticket).unwrap().error, Some(ErrorCode::RebalanceInProgress));
    bench.rejoin("a", &ids[0]);
    assert_eq!(bench.joined(second_ticket).unwrap().error, None);
}

#[test]
fn an_initial_rebalance_waits_its_delay_and_again_while_members_come() {
    let mut bench = Bench::new(Settings { initial_rebalance_delay_ms: 3_000, ..Settings::default() });
    let (_, first) = bench.join_as("a");
    bench.pass(2_000);
    let (_, second) = bench.join_as("b");
    bench.pass(1_500);
    assert!(bench.joined(first).is_none(), "a member came, so the delay begins again");
    bench.pass(2_500);
    let (first, second) = (bench.joined(first).unwrap(), bench.joined(second).unwrap());
    assert_eq!((first.generation, second.generation), (1, 1));
    assert_eq!(first.members.len() + second.members.len(), 2);
}

#[test]
fn an_initial_rebalance_never_waits_longer_than_the_rebalance_timeout() {
    let mut bench = Bench::new(Settings { initial_rebalance_delay_ms: 3_000, ..Settings::default() });
    let hurried = |client: &str| {
        Command::Join(Join { member_id_required: false, rebalance_timeout_ms: 6_000, ..join(client) })
    };
    let first = bench.send(hurried("m0"));
    for index in 1..10 {
        bench.pass(1_000);
        if bench.answers.contains_key(&first) {
            assert!(index >= 6, "answered after {index} seconds");
            return;
        }
        bench.send(hurried(&format!("m{index}")));
    }
    panic!("newcomers held the first join for ever");
}

#[test]
fn a_new_member_whose_client_is_gone_is_dropped_after_five_minutes() {
    let mut bench = Bench::default();
    let long = |client: &str| Join {
        rebalance_timeout_ms: 3_600_000,
        session_timeout_ms: 1_800_000,
        ..join(client)
    };
    let asked = bench.send(Command::Join(long("a")));
    let id = bench.joined(asked).unwrap().member_id;
    let first = bench.send(Command::Join(Join { member_id: id.clone(), ..long("a") }));
    let generation = bench.joined(first).unwrap().generation;
    bench.sync(&id, generation, vec![]);
    let parked = bench.send(Command::Join(Join { member_id_required: false, ..long("b") }));
    bench.pass(5 * 60 * 1_000 - 1);
    assert!(bench.joined(parked).is_none());
    bench.pass(1);
    assert_eq!(bench.joined(parked).unwrap().error, Some(ErrorCode::UnknownMemberId));
}

#[test]
fn a_rebalance_timeout_of_zero_makes_no_endless_loop() {
    let mut bench = Bench::default();
    let ticket = bench.send(Command::Join(Join {
        instance_id: Some("i".into()),
        rebalance_timeout_ms: 0,
        ..join("a")
    }));
    let joined = bench.joined(ticket).unwrap();
    bench.sync(&joined.member_id, joined.generation, vec![]);
    bench.send(Command::Join(Join { member_id_required: false, rebalance_timeout_ms: 0, ..join("b") }));
    bench.pass(i64::from(SESSION_MS) * 3);
    assert!(matches!(bench.state(), "Empty" | "Stable" | "CompletingRebalance" | "PreparingRebalance"));
}

#[test]
fn members_that_were_told_their_id_are_bounded() {
    let mut bench = Bench::default();
    bench.stable(&["a"]);
    for _ in 0..crate::limits::GROUP_PENDING_MEMBERS_MAX {
        bench.send(Command::Join(join("b")));
    }
    let ticket = bench.send(Command::Join(join("b")));
    assert_eq!(bench.joined(ticket).unwrap().error, Some(ErrorCode::CoordinatorNotAvailable));
}
