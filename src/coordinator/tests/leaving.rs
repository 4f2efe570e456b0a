//! Sessions that end, members that leave, and groups that empty.

use super::*;

#[test]
fn a_member_without_a_sign_of_life_is_dropped_and_the_others_rebalance() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a", "b"]);
    bench.pass(i64::from(SESSION_MS) - 1);
    assert_eq!(bench.heartbeat(&ids[0], generation), Ok(()));
    bench.pass(1);
    assert_eq!(bench.heartbeat(&ids[1], generation), Err(ErrorCode::UnknownMemberId));
    assert_eq!(bench.heartbeat(&ids[0], generation), Err(ErrorCode::RebalanceInProgress));
    let again = bench.rejoin("a", &ids[0]);
    assert_eq!(bench.joined(again).unwrap().members.len(), 1);
}

#[test]
fn a_stale_generation_is_refused() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a"]);
    assert_eq!(bench.heartbeat(&ids[0], generation - 1), Err(ErrorCode::IllegalGeneration));
    assert_eq!(bench.heartbeat("nobody", generation), Err(ErrorCode::UnknownMemberId));
    assert_eq!(bench.commit(&ids[0], generation - 1, &[("orders", 0, 1)]), Err(ErrorCode::IllegalGeneration));
}

#[test]
fn the_last_member_that_leaves_empties_the_group_on_record() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a"]);
    assert_eq!(bench.leave(&ids[0]), None);
    let group = bench.describe();
    assert_eq!((group.state, group.protocol_type.as_str(), group.members.len()), ("Empty", "consumer", 0));
    let last = bench.log.iter().rev().find_map(metadata_of).unwrap();
    assert_eq!((last.generation, last.members.len(), last.protocol.clone()), (generation + 1, 0, None));
    assert_eq!(bench.restarted().state(), "Empty");
    assert_eq!(bench.machine.deadline_ms(), None, "nothing rings for a group without members");
}

#[test]
fn a_member_that_leaves_lets_a_waiting_rebalance_go_on() {
    let mut bench = Bench::default();
    let (ids, _) = bench.stable(&["a"]);
    let (_, parked) = bench.join_as("b");
    assert_eq!(bench.leave(&ids[0]), None);
    assert_eq!(bench.joined(parked).unwrap().members.len(), 1);
}

#[test]
fn several_members_leave_at_once_each_with_its_own_verdict() {
    let mut bench = Bench::default();
    let (ids, _) = bench.stable(&["a", "b", "c"]);
    let member = |id: &str| LeavingMember { member_id: id.into(), ..LeavingMember::default() };
    let members = vec![member(&ids[1]), member("nobody"), member(&ids[2])];
    let left: Vec<LeftMember> = bench.ask(Command::Leave(Leave { group_id: GROUP.into(), members })).unwrap();
    let errors: Vec<_> = left.iter().map(|member| member.error).collect();
    assert_eq!(errors, [None, Some(ErrorCode::UnknownMemberId), None]);
    let again = bench.rejoin("a", &ids[0]);
    assert_eq!(bench.joined(again).unwrap().members.len(), 1);
}

#[test]
fn leaving_a_group_that_does_not_exist_is_refused_for_each_member() {
    let mut bench = Bench::default();
    assert_eq!(bench.leave("nobody"), Some(ErrorCode::UnknownMemberId));
}

#[test]
fn a_pending_member_can_leave() {
    let mut bench = Bench::default();
    let (ids, _) = bench.stable(&["a"]);
    let asked = bench.send(Command::Join(join("b")));
    let pending = bench.joined(asked).unwrap().member_id;
    let again = bench.rejoin("a", &ids[0]);
    assert!(bench.joined(again).is_none());
    assert_eq!(bench.leave(&pending), None);
    assert_eq!(bench.joined(again).unwrap().error, None);
}

#[test]
fn a_parked_join_of_a_member_that_leaves_is_answered() {
    let mut bench = Bench::default();
    bench.stable(&["a"]);
    let (id, parked) = bench.join_as("b");
    assert_eq!(bench.leave(&id), None);
    assert_eq!(bench.joined(parked).unwrap().error, Some(ErrorCode::UnknownMemberId));
}

#[test]
fn only_an_empty_group_can_be_deleted_and_its_offsets_go_with_it() {
    let mut bench = Bench::default();
    let delete = || Command::Delete { group_id: GROUP.into() };
    assert_eq!(bench.ask::<()>(delete()), Err(ErrorCode::GroupIdNotFound));
    let (ids, generation) = bench.stable(&["a"]);
    bench.commit(&ids[0], generation, &[("orders", 0, 5)]).unwrap();
    assert_eq!(bench.ask::<()>(delete()), Err(ErrorCode::NonEmptyGroup));
    bench.leave(&ids[0]);
    assert_eq!(bench.ask::<()>(delete()), Ok(()));
    assert_eq!((bench.state(), bench.offset("orders", 0)), ("Dead", -1));
    let mut restarted = bench.restarted();
    assert_eq!((restarted.state(), restarted.offset("orders", 0)), ("Dead", -1));
}

#[test]
fn groups_are_listed_by_state_and_type_in_any_case() {
    let mut bench = Bench::default();
    bench.stable(&["a"]);
    let other = Commit { group_id: "simple".into(), ..commit(-1, &[("orders", 0, 1)]) };
    let _: Vec<CommittedTopic> = bench.ask(Command::Commit(other)).unwrap();
    let mut list = |states: &[&str], types: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let filter = ListFilter { states: owned(states), types: owned(types) }.reduced();
        let groups: Vec<ListedGroup> = bench.ask(Command::List(filter)).unwrap();
        groups.into_iter().map(|group| (group.group_id, group.state, group.protocol_type)).collect::<Vec<_>>()
    };
    let (stable, simple) =
        (("g".to_owned(), "Stable", "consumer".to_owned()), ("simple".to_owned(), "Empty", String::new()));
    assert_eq!(list(&[], &[]), [stable.clone(), simple.clone()]);
    assert_eq!(list(&["sTaBle"], &["CLASSIC"]), [stable]);
    assert_eq!(list(&["empty"], &[]), [simple]);
    assert_eq!(list(&["Dead"], &[]), []);
    assert_eq!(list(&[], &["share"]), []);
}

#[test]
fn a_filter_of_very_many_names_is_no_more_work_than_one_of_those_that_groups_have() {
    let many = || (0..100_000).map(|number| format!("name {number}"));
    let states = many().chain([" STABLE".to_owned(), "empty".to_owned(), "Stable".to_owned()]);
    let filter = ListFilter { states: states.collect(), types: many().collect() }.reduced();
    assert_eq!(filter.states, ["Empty", "Stable"]);
    assert_eq!(filter.types, ["name 0"], "none is asked for that there is, which is not the same as all");
    let all = ListFilter::default().reduced();
    assert!(all.states.is_empty() && all.types.is_empty());
}
