//! What a restart makes of the records.

use super::*;

#[test]
fn members_go_on_after_a_restart_with_a_fresh_session() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a", "b"]);
    bench.commit(&ids[0], generation, &[("orders", 0, 5)]).unwrap();
    bench.pass(9_000);
    let mut restarted = bench.restarted();
    restarted.pass(i64::from(SESSION_MS) - 1);
    for id in &ids {
        assert_eq!(restarted.heartbeat(id, generation), Ok(()));
    }
    assert_eq!(restarted.offset("orders", 0), 5);
    let ticket = restarted.sync(&ids[1], generation, vec![]);
    assert_eq!(restarted.synced(ticket).unwrap().assignment, format!("for {}", ids[1]));
    restarted.pass(i64::from(SESSION_MS));
    assert_eq!(restarted.state(), "Empty", "and it ends like any other");
}

#[test]
fn a_restart_shows_the_same_group_as_before() {
    let mut bench = Bench::default();
    bench.stable(&["a", "b", "c"]);
    let before = bench.describe();
    assert_eq!(before.members.len(), 3);
    assert!(before.members.iter().all(|member| !member.metadata.is_empty() && !member.assignment.is_empty()));
    assert_eq!(bench.restarted().describe(), before);
}

#[test]
fn a_rebalance_that_a_restart_interrupts_begins_anew() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a"]);
    let (second, _) = bench.join_as("b");
    let mut restarted = bench.restarted();
    assert_eq!(restarted.heartbeat(&ids[0], generation), Ok(()));
    let lost = restarted.rejoin("b", &second);
    assert_eq!(restarted.joined(lost).unwrap().error, Some(ErrorCode::UnknownMemberId));
    let (_, parked) = restarted.join_as("b");
    restarted.rejoin("a", &ids[0]);
    assert_eq!(restarted.joined(parked).unwrap().generation, generation + 1);
}

#[test]
fn a_group_over_its_maximum_size_is_made_to_rebalance_after_loading() {
    let mut bench = Bench::default();
    let (ids, generation) = bench.stable(&["a", "b", "c"]);
    bench.settings = Arc::new(Settings { group_size_max: 2, ..Settings::default() });
    let mut restarted = bench.restarted();
    assert_eq!(restarted.heartbeat(&ids[0], generation), Err(ErrorCode::RebalanceInProgress));
    let tickets: Vec<_> = ids.iter().map(|id| restarted.rejoin("x", id)).collect();
    let refused = restarted.joined(tickets[2]).unwrap();
    assert_eq!(refused.error, Some(ErrorCode::GroupMaxSizeReached));
}

/// Any order of joins, syncs, leaves, heartbeats and waiting: a replay gives the group that the last record told
/// of, every ticket is answered at most once, and whoever waits is answered in the end.
mod any_order {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Join(usize),
        Rejoin(usize),
        Sync(usize),
        Leave(usize),
        Heartbeat(usize),
        Static(usize),
        Wait(u16),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..4usize).prop_map(Step::Join),
            (0..6usize).prop_map(Step::Rejoin),
            (0..6usize).prop_map(Step::Sync),
            (0..6usize).prop_map(Step::Leave),
            (0..6usize).prop_map(Step::Heartbeat),
            (0..2usize).prop_map(Step::Static),
            (0..15_000u16).prop_map(Step::Wait),
        ]
    }

    fn run(steps: &[Step]) {
        let mut bench = Bench::default();
        let mut known: Vec<(String, Option<String>)> = Vec::new();
        let mut generation = 0;
        let mut asked = Vec::new();
        for step in steps {
            let pick = |index: usize| known.get(index % known.len().max(1)).cloned().unwrap_or_default();
            let with = |index: usize| {
                let (member_id, instance_id) = pick(index);
                Join { member_id, instance_id, ..join("c") }
            };
            match step {
                Step::Join(index) => asked.push(bench.send(Command::Join(join(&format!("c{index}"))))),
                Step::Rejoin(index) => asked.push(bench.send(Command::Join(with(*index)))),
                Step::Static(index) => {
                    let instance_id = Some(format!("i{index}"));
                    asked.push(bench.send(Command::Join(Join { instance_id, ..join("s") })));
                }
                Step::Sync(index) => {
                    let id = pick(*index).0;
                    let assignments =
                        known.iter().map(|(id, _)| (id.clone(), Bytes::from_static(b"x"))).collect();
                    asked.push(bench.sync(&id, generation, assignments));
                }
                Step::Leave(index) => {
                    bench.leave(&pick(*index).0);
                }
                Step::Heartbeat(index) => {
                    let _ = bench.heartbeat(&pick(*index).0, generation);
                }
                Step::Wait(ms) => bench.pass(i64::from(*ms)),
            }
            for reply in bench.answers.values() {
                if let Reply::Join(answer) = reply {
                    generation = generation.max(answer.generation);
                    let instance = answer.members.iter().find(|m| m.member_id == answer.member_id);
                    let instance = instance.and_then(|member| member.instance_id.clone());
                    if !answer.member_id.is_empty() && !known.iter().any(|(id, _)| *id == answer.member_id) {
                        known.push((answer.member_id.clone(), instance));
                    }
                }
            }
            if let Some(recorded) = bench.log.iter().rev().find_map(metadata_of).cloned() {
                let mut restarted = bench.restarted();
                let state = restarted.describe();
                assert_is(&recorded, &state);
            }
        }
        bench.pass(3_600_000);
        for ticket in asked {
            assert!(bench.answers.contains_key(&ticket), "{ticket:?} was never answered after {steps:?}");
        }
        let end = bench.state();
        assert!(end == "Empty" || end == "Dead", "{end} with nobody there");
        assert_eq!(bench.machine.deadline_ms(), None, "an empty group leaves no alarm");
    }

    fn assert_is(recorded: &crate::coordinator::record::GroupMetadata, state: &DescribedGroup) {
        let expected = if recorded.members.is_empty() { "Empty" } else { "Stable" };
        assert_eq!((state.state, state.members.len()), (expected, recorded.members.len()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        #[test]
        fn everybody_is_answered_and_a_replay_gives_the_recorded_group(steps in prop::collection::vec(step(), 1..60)) {
            run(&steps);
        }
    }
}
