//! Appends, rounds of compaction, deleted records and restarts in any order: the last value of each key stays.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::cleaner::CleanerOptions;
use super::compacting::{OPTIONS, compacted, forever, round_with};
use super::stopping::Stopping;
use super::watched::Watched;
use super::*;
use crate::wire::compress::Codec;

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(u8, Option<u8>)>, u8),
    Clean { wait_ms: i64, slots: u64 },
    DeleteTo { part: u8, drops: bool },
    Restart { clean: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let record = (0..12_u8, prop::option::weighted(0.8, any::<u8>()));
    prop_oneof![
        8 => (prop::collection::vec(record, 1..6), 0..5_u8).prop_map(|(records, codec)| Step::Append(records, codec)),
        3 => (0..400_i64, 3..40_u64).prop_map(|(wait_ms, slots)| Step::Clean { wait_ms, slots }),
        1 => (0..50_u8, any::<bool>()).prop_map(|(part, drops)| Step::DeleteTo { part, drops }),
        1 => any::<bool>().prop_map(|clean| Step::Restart { clean }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_work_leaves_the_last_value_of_each_key_at_its_offset(steps in prop::collection::vec(step(), 1..60)) {
        let config = LogConfig { cleanup_policy: CleanupPolicy { delete: true, compact: true }, segment_bytes: 400, ..compacted() };
        let bench = Bench::with_storage(config, Watched::disk(Stopping::never()));
        let (mut log, _) = bench.open();
        let mut written: BTreeMap<i64, (String, Option<String>)> = BTreeMap::new();
        let (mut cleaned, mut at) = (None, now());
        for step in steps {
            match step {
                Step::Append(records, codec) => {
                    let mut builder = BatchBuilder::new(T0);
                    for (key, value) in &records {
                        let value = value.map(|value| value.to_string());
                        builder.push(Some(format!("k{key}").as_bytes()), value.as_ref().map(String::as_bytes), T0);
                        written.insert(log.end().0 + i64::from(builder.records_count()) - 1, (format!("k{key}"), value));
                    }
                    append(&mut log, &builder.build_compressed(0, Codec::ALL[usize::from(codec)], None).unwrap());
                }
                Step::Clean { wait_ms, slots } => {
                    at = at.after_ms(wait_ms);
                    let options = CleanerOptions { map_bytes: slots * 24, ..OPTIONS };
                    let (after, result) = round_with(log, cleaned, &options, &forever(), at);
                    log = after;
                    cleaned = Some(result.unwrap().upto).filter(|upto| upto.0 > 0).or(cleaned);
                }
                Step::DeleteTo { part, drops } => {
                    let to = log.end().0 * i64::from(part) / 100;
                    log.advance_start(Offset(to)).unwrap();
                    if drops {
                        log.drop_below_start(at);
                    }
                }
                Step::Restart { clean: true } => log = bench.reopen(log).0,
                Step::Restart { clean: false } => {
                    let start = log.start();
                    drop(log);
                    log = bench.open_with(|spec| spec.log_start = start).0;
                }
            }
            let (reader, start) = (log.reader(), log.start().0);
            let there = records(&reader, start);
            let mut model: BTreeMap<&str, &str> = BTreeMap::new();
            for (key, value) in written.range(start..).map(|(_, record)| record) {
                match value {
                    Some(value) => model.insert(key, value),
                    None => model.remove(key.as_str()),
                };
            }
            let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
            for (offset, key, value) in there.iter().filter(|(offset, ..)| *offset >= start) {
                let key = key.as_deref().unwrap();
                prop_assert_eq!(written.get(offset), Some(&(key.to_owned(), value.clone())));
                match value {
                    Some(value) => seen.insert(key, value),
                    None => seen.remove(key),
                };
            }
            prop_assert_eq!(seen, model);
        }
    }
}
