//! Property tests: whatever happens to a log's files, opening it never panics and what it then holds is a prefix of what
//! was written.

use proptest::prelude::*;

use super::*;

/// Something done to a file.
#[derive(Clone, Debug)]
enum Damage {
    Flip { at: usize, mask: u8 },
    Cut { to: usize },
    Zero { at: usize, len: usize },
    Extend { bytes: Vec<u8> },
    Remove,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), 1..=255_u8).prop_map(|(at, mask)| Damage::Flip { at, mask }),
        any::<usize>().prop_map(|to| Damage::Cut { to }),
        (any::<usize>(), 1..300_usize).prop_map(|(at, len)| Damage::Zero { at, len }),
        prop::collection::vec(any::<u8>(), 1..200).prop_map(|bytes| Damage::Extend { bytes }),
        Just(Damage::Remove),
    ]
}

fn apply(path: &Path, damage: &Damage) {
    let mut bytes = std::fs::read(path).unwrap();
    let len = bytes.len();
    match damage {
        Damage::Flip { at, mask } if len > 0 => bytes[at % len] ^= mask,
        Damage::Cut { to } if len > 0 => bytes.truncate(to % len),
        Damage::Zero { at, len: count } if len > 0 => {
            let at = at % len;
            let end = (at + count).min(len);
            bytes[at..end].fill(0);
        }
        Damage::Extend { bytes: more } => bytes.extend(more),
        Damage::Remove => return std::fs::remove_file(path).unwrap(),
        _ => {}
    }
    std::fs::write(path, bytes).unwrap();
}

/// A log with several segments, an idempotent producer and an aborted transaction.
fn written() -> (Bench, Records) {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    for n in 0..6 {
        fill(&mut log, 6);
        append(&mut log, &idempotent(7, 0, n * 3, 3));
        append(&mut log, &transactional(8, n * 2, 2));
        log.append_as(&marker(8, 0, n % 2 == 0), LeaderEpoch(n), AppendOrigin::Coordinator, now()).unwrap();
    }
    let all = records(&log.reader(), 0);
    bench.context.wait_for_flusher();
    (bench, all)
}

/// The files that may be damaged. Another topic's id is no damage: such a directory is refused.
fn victims(bench: &Bench) -> Vec<String> {
    bench.names().into_iter().filter(|name| name != partition_metadata::FILE_NAME).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_damage_and_a_crash_a_prefix_is_left_and_the_log_goes_on(
        wounds in prop::collection::vec((any::<prop::sample::Index>(), damage()), 1..4),
        recovery_point in prop_oneof![Just(0_i64), 0..80_i64],
    ) {
        let (bench, all) = written();
        for (file, damage) in &wounds {
            let names = victims(&bench);
            // Bytes below the recovery point are not checked, so that damage to them is no crash's.
            let names: Vec<&String> = names.iter().filter(|n| recovery_point == 0 || !n.contains(".log")).collect();
            if !names.is_empty() {
                apply(&bench.file(file.get(&names).as_str()), damage);
            }
        }
        let mut spec = bench.spec.clone();
        spec.recovery_point = Offset(recovery_point);
        let (mut log, _) = Log::open(spec, &bench.context, now()).unwrap();
        let start = log.start().0;
        let expected: Vec<_> = all.iter().filter(|(offset, ..)| *offset >= start).collect();
        let found = records(&log.reader(), start);
        prop_assert!(found.len() <= expected.len());
        // No checksum covers a batch's base offset, so that a flipped bit there is seen at the next batch only.
        let flipped = wounds.iter().any(|(_, damage)| matches!(damage, Damage::Flip { .. }));
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert_eq!((&found.1, &found.2), (&expected.1, &expected.2));
            prop_assert!(flipped || found.0 == expected.0);
        }
        let last = found.last().map_or(start, |(offset, ..)| offset + 1);
        prop_assert!(log.end().0 >= last);
        let _ = log.reader().aborted_transactions(Offset(0), log.end());
        let _ = log.reader().offset_for_timestamp(T0 + 5);

        let end = log.end();
        log.append(&batch(end.0, 2), LeaderEpoch(99), now()).unwrap();
        let read = log.reader().read(end, log.end(), 10_000, true).unwrap();
        prop_assert_eq!(batches(read.records).len(), 1);
        let (log, recovery) = bench.reopen(log);
        prop_assert_eq!((log.end(), recovery), (end.plus(2), Recovery::default()));
    }

    #[test]
    fn after_damage_and_a_clean_stop_opening_and_reading_never_panic(
        file in any::<prop::sample::Index>(),
        wound in damage(),
    ) {
        let (bench, _) = written();
        let (log, _) = bench.open();
        let end = log.end();
        log.close().unwrap();
        let names = victims(&bench);
        apply(&bench.file(file.get(&names).as_str()), &wound);
        let mut spec = bench.spec.clone();
        spec.clean = true;
        spec.recovery_point = end;
        let (mut log, _) = Log::open(spec, &bench.context, now()).unwrap();
        let reader = log.reader();
        // Not up to the log's own end: a flipped bit in a base offset, which no checksum covers, can put that anywhere.
        for from in (0..=end.0.saturating_add(5)).chain([log.end().0]) {
            let _ = reader.read(Offset(from), log.end(), 1000, true);
            let _ = reader.offset_for_timestamp(T0 + from);
        }
        let _ = reader.max_timestamp();
        let _ = reader.aborted_transactions(Offset(0), log.end());
        let _ = log.append(&batch(0, 2), LeaderEpoch(99), now());
    }
}
