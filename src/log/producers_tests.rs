//! Tests of the producer state.

use super::*;

fn batch(epoch: i16, base_sequence: i32, records: i32) -> ProducerBatch {
    let last = (i64::from(base_sequence) + i64::from(records) - 1) % (1 << 31);
    ProducerBatch {
        producer_id: 7,
        epoch,
        base_sequence,
        last_sequence: i32::try_from(last).unwrap(),
        last_offset_delta: records - 1,
        max_timestamp: 1000,
        transactional: false,
        control: false,
        marker: None,
    }
}

fn transactional(producer_id: i64) -> ProducerBatch {
    ProducerBatch { producer_id, transactional: true, ..batch(0, 0, 5) }
}

fn marker(producer_id: i64, epoch: i16, aborts: bool, coordinator_epoch: i32) -> ProducerBatch {
    ProducerBatch {
        producer_id,
        epoch,
        transactional: true,
        control: true,
        marker: Some(Marker { aborts, coordinator_epoch }),
        ..batch(epoch, -1, 1)
    }
}

fn check(state: &ProducerState, batch: &ProducerBatch) -> Result<Verdict, i16> {
    state.check(batch, AppendOrigin::Client).map_err(|error| error.code().code())
}

#[test]
fn a_producer_without_state_may_begin_at_any_sequence() {
    let state = ProducerState::default();
    assert_eq!(check(&state, &batch(3, 1234, 1)), Ok(Verdict::Append));
}

#[test]
fn a_gap_or_a_step_back_is_out_of_order() {
    let mut state = ProducerState::default();
    state.apply(&batch(0, 0, 10), 0);
    assert_eq!(check(&state, &batch(0, 10, 1)), Ok(Verdict::Append));
    assert_eq!(check(&state, &batch(0, 11, 1)), Err(45));
    assert_eq!(check(&state, &batch(0, 5, 1)), Err(45));
}

#[test]
fn each_of_the_last_five_batches_is_known_again_and_an_older_one_is_out_of_order() {
    let mut state = ProducerState::default();
    for n in 0..6 {
        state.apply(&batch(0, n * 10, 10), 100 + i64::from(n) * 10);
    }
    for n in 1..6 {
        let Ok(Verdict::Duplicate(known)) = check(&state, &batch(0, n * 10, 10)) else { panic!("batch {n}") };
        assert_eq!(
            (known.first_offset(), known.last_offset),
            (100 + i64::from(n) * 10, 109 + i64::from(n) * 10)
        );
    }
    assert_eq!(check(&state, &batch(0, 0, 10)), Err(45));
    assert_eq!(
        check(&state, &batch(0, 50, 5)),
        Err(45),
        "the same start with another length is no duplicate"
    );
}

#[test]
fn sequences_wrap_after_the_largest_int() {
    let mut state = ProducerState::default();
    state.apply(&batch(0, i32::MAX - 4, 10), 0);
    let wrapped = state.producers()[&7].last_batch().copied().unwrap();
    assert_eq!((wrapped.first_sequence(), wrapped.last_sequence), (i32::MAX - 4, 4));
    assert!(matches!(check(&state, &batch(0, i32::MAX - 4, 10)), Ok(Verdict::Duplicate(_))));
    assert_eq!(check(&state, &batch(0, 5, 1)), Ok(Verdict::Append));

    let mut state = ProducerState::default();
    state.apply(&batch(0, i32::MAX, 1), 0);
    assert_eq!(check(&state, &batch(0, 0, 1)), Ok(Verdict::Append));
    assert_eq!(check(&state, &batch(0, 1, 1)), Err(45));
}

#[test]
fn a_new_epoch_begins_at_zero_and_an_older_one_is_refused() {
    let mut state = ProducerState::default();
    state.apply(&batch(3, 0, 10), 0);
    assert_eq!(check(&state, &batch(2, 10, 1)), Err(47));
    assert_eq!(check(&state, &batch(4, 10, 1)), Err(45));
    assert_eq!(check(&state, &batch(4, 0, 1)), Ok(Verdict::Append));
    state.apply(&batch(4, 0, 1), 10);
    assert_eq!(state.producers()[&7].window().len(), 1, "the old epoch's batches are forgotten");
}

#[test]
fn a_batch_outside_an_open_transaction_is_refused() {
    let mut state = ProducerState::default();
    state.apply(&transactional(7), 0);
    assert_eq!(check(&state, &batch(0, 5, 1)), Err(48));
}

#[test]
fn an_open_transaction_holds_the_last_stable_offset_until_its_marker_is_below_the_high_watermark() {
    let mut state = ProducerState::default();
    state.apply(&transactional(7), 10);
    state.apply(&transactional(8), 15);
    assert_eq!(state.first_unstable(100), Some(10));
    state.apply(&marker(7, 0, false, 0), 20);
    assert_eq!(state.first_unstable(20), Some(10), "the marker may still be lost");
    assert_eq!(state.first_unstable(21), Some(15));
    state.stabilise(21);
    assert_eq!(state.first_unstable(20), Some(15));
    state.apply(&marker(8, 0, true, 0), 21);
    assert_eq!(state.first_unstable(22), None);
}

#[test]
fn an_abort_names_the_next_open_transaction_as_last_stable_offset() {
    let mut state = ProducerState::default();
    state.apply(&transactional(7), 10);
    state.apply(&transactional(8), 15);
    let done = state.completes(&marker(7, 0, true, 0), 20).unwrap();
    let expected = AbortedTxn { producer_id: 7, first_offset: 10, last_offset: 20, last_stable_offset: 15 };
    assert_eq!(done.aborted, Some(expected));
    assert_eq!(state.completes(&marker(7, 0, false, 0), 20).unwrap().aborted, None);
    assert_eq!(state.completes(&marker(9, 0, true, 0), 20), None, "no transaction, nothing to end");
}

#[test]
fn a_marker_with_a_bumped_epoch_clears_the_window_and_one_with_the_same_keeps_it() {
    for (epoch, left) in [(0, 1), (1, 0)] {
        let mut state = ProducerState::default();
        state.apply(&transactional(7), 0);
        state.apply(&marker(7, epoch, false, 2), 5);
        let entry = &state.producers()[&7];
        assert_eq!((entry.window().len(), entry.epoch, entry.coordinator_epoch), (left, epoch, 2));
    }
}

#[test]
fn a_marker_of_an_older_coordinator_is_fenced() {
    let mut state = ProducerState::default();
    state.apply(&transactional(7), 0);
    state.apply(&marker(7, 0, false, 5), 5);
    let error = state.check(&marker(7, 0, false, 4), AppendOrigin::Coordinator).unwrap_err();
    assert_eq!(error.code().code(), 52);
}

#[test]
fn producers_expire_but_not_with_an_open_transaction() {
    let mut state = ProducerState::default();
    state.apply(&batch(0, 0, 1), 0);
    state.apply(&transactional(8), 1);
    state.expire(1000 + 99, 100);
    assert_eq!(state.producers().len(), 2);
    state.expire(1000 + 100, 100);
    assert_eq!(state.producers().keys().copied().collect::<Vec<_>>(), [8]);
}

#[test]
fn a_snapshots_single_batch_is_refilled_from_the_log() {
    let mut full = ProducerState::default();
    let mut older = Vec::new();
    for n in 0..7 {
        full.apply(&batch(0, n, 1), i64::from(n));
        older.push(*full.producers()[&7].last_batch().unwrap());
    }
    let mut restored = ProducerState::default();
    restored.restore(7, ProducerEntry::restored(0, -1, 1000, None, older.last().copied()));
    restored.refill(7, &older);
    assert_eq!(restored.producers(), full.producers());
}

#[test]
fn producers_that_wrote_the_longest_ago_are_forgotten_when_there_are_too_many() {
    let mut state = ProducerState::default();
    let of = |producer_id: i64| ProducerBatch { producer_id, ..batch(0, 0, 1) };
    state.apply(&transactional(-5), 0);
    // The first one that came writes again, with an old timestamp.
    let count = PRODUCERS_PER_PARTITION_MAX as i64;
    for id in 1..count {
        state.apply(&of(id), 10 + id);
    }
    state.apply(&ProducerBatch { max_timestamp: 0, ..of(1) }, 10 + count);
    assert_eq!(state.producers().len(), PRODUCERS_PER_PARTITION_MAX);
    state.apply(&of(count), 11 + count);
    let left = state.producers();
    assert_eq!(left.len(), PRODUCERS_PER_PARTITION_MAX - PRODUCERS_PER_PARTITION_MAX / 16 + 1);
    assert!([-5, 1, count, count - 1].iter().all(|id| left.contains_key(id)));
    assert!(!left.contains_key(&2));
}
