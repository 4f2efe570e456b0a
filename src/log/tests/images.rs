//! Seeded damage to the files of logs of several shapes: opening one never panics and comes to an end, what lies before
//! the damage is kept, the loss is reported once, and the next start finds nothing to do. `MILENA_IMAGES` says how many
//! images, `MILENA_IMAGES_SEED` repeats a run.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::compacting::{OPTIONS, compacted, entry, forever, round_with};
use super::mem_disk::{Image, MemDisk};
use super::*;
use crate::wire::compress::Codec;

/// Images of a run, unless the environment says otherwise.
const IMAGES: u64 = 1000;
/// Calls of the disk after which a log that opens is taken for one that hangs: it has some 30 files of 100 kB in all.
const CALLS_MAX: u64 = 20_000;

#[path = "../../../tests/support/dice.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of the whole broker")]
mod dice;
use dice::Dice;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Segments,
    Compressed(u8),
    Transactional,
    Compacted,
    Large,
}

const SHAPES: [Shape; 8] = [
    Shape::Segments,
    Shape::Compressed(1),
    Shape::Compressed(2),
    Shape::Compressed(3),
    Shape::Compressed(4),
    Shape::Transactional,
    Shape::Compacted,
    Shape::Large,
];

impl Shape {
    fn config(self) -> LogConfig {
        match self {
            Self::Compacted => compacted(),
            Self::Large => LogConfig { segment_bytes: 40_000, ..LogConfig::default() },
            Self::Compressed(_) => LogConfig { segment_bytes: 3000, index_interval_bytes: 300, ..small() },
            Self::Segments | Self::Transactional => small(),
        }
    }

    fn write(self, log: Log) -> Log {
        let mut log = log;
        match self {
            Self::Segments => {
                for n in 0..8 {
                    log.append(&batch(0, 1), LeaderEpoch(n), now()).unwrap();
                    fill(&mut log, 5);
                    log.append(&idempotent(7, 0, n * 3, 3), LeaderEpoch(n), now()).unwrap();
                }
            }
            Self::Compressed(codec) => {
                let codec = Codec::from_attributes(i16::from(codec)).unwrap();
                for n in 0..40 {
                    append(&mut log, &packed(n, 20, 60, codec));
                }
            }
            Self::Transactional => {
                for n in 0..10 {
                    append(&mut log, &transactional(8 + i64::from(n % 2), n / 2 * 4, 4));
                    fill(&mut log, 2);
                    let marker = marker(8 + i64::from(n % 2), 0, n % 3 == 0);
                    log.append_as(&marker, LeaderEpoch(n), AppendOrigin::Coordinator, now()).unwrap();
                }
            }
            Self::Compacted => {
                for n in 0..120 {
                    append(
                        &mut log,
                        &entry(&format!("k{}", n * n % 11), Some(&format!("value-{n}")), T0 + n),
                    );
                }
                let (cleaned, result) = round_with(log, None, &OPTIONS, &forever(), now());
                result.unwrap();
                return cleaned;
            }
            Self::Large => {
                for n in 0..60 {
                    append(&mut log, &packed(n, 3, 1000, Codec::None));
                }
            }
        }
        log
    }
}

/// A batch whose records tell it from all others.
fn packed(n: i64, count: i64, bytes: usize, codec: Codec) -> Batch {
    let mut builder = BatchBuilder::new(T0 + n);
    for i in 0..count {
        let value = format!("{n}-{i}-").repeat(bytes / 5);
        builder.push(None, Some(value.as_bytes()), T0 + n);
    }
    builder.build_compressed(0, codec, None).unwrap()
}

/// One batch as it was written.
#[derive(Clone, Debug)]
struct Placed {
    segment: String,
    position: usize,
    base: i64,
    next: i64,
    bytes: Vec<u8>,
}

/// A log that is whole.
struct Master {
    shape: Shape,
    /// Left by a process that died, and by a clean stop.
    crashed: Image,
    stopped: Image,
    batches: Vec<Placed>,
    end: Offset,
    aborted: Vec<AbortedTxn>,
}

fn is_log(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "log")
}

impl Master {
    fn write(shape: Shape, bench: &Bench, disk: &MemDisk) -> Self {
        let log = shape.write(bench.open().0);
        bench.context.wait_for_flusher();
        // What a cleaned log's old files were.
        bench.context.run_deletions(now().after_ms(1_000_000));
        let (end, reader) = (log.end(), log.reader());
        let aborted = reader.aborted_transactions(Offset(0), end).unwrap();
        let crashed = disk.image(bench.dir());
        let batches =
            crashed.iter().filter(|(name, _)| is_log(name)).flat_map(|(name, bytes)| split(name, bytes));
        let batches: Vec<Placed> = batches.collect();
        assert!(batches.len() > 10 && batches.last().unwrap().next == end.0);
        assert!(crashed.keys().filter(|name| is_log(name)).count() > 2, "{:?}", crashed.keys());
        log.close().unwrap();
        Self { shape, stopped: disk.image(bench.dir()), crashed, batches, end, aborted }
    }

    /// How many batches, and from which one on, a start has to keep of a damaged image.
    fn intact(&self, image: &Image) -> (usize, usize) {
        let first = self.batches.iter().position(|batch| image.contains_key(&batch.segment));
        let Some(first) = first else { return (self.batches.len(), self.batches.len()) };
        for (index, batch) in self.batches.iter().enumerate().skip(first) {
            // Bytes that a segment before it did not have are damage, too.
            let grew = |(name, bytes): (&String, &Vec<u8>)| {
                is_log(name)
                    && *name < batch.segment
                    && self.crashed.get(name).is_none_or(|b| b.len() < bytes.len())
            };
            let found = image.get(&batch.segment);
            let found = found.and_then(|file| file.get(batch.position..batch.position + batch.bytes.len()));
            if image.iter().any(grew) || !found.is_some_and(|found| is_same(found, &batch.bytes)) {
                return (first, index);
            }
        }
        (first, self.batches.len())
    }
}

/// Whether two batches are the same but for the leader epoch, which no checksum covers and no neighbour tells.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a[..12] == b[..12] && a[16..] == b[16..]
}

fn split(name: &str, bytes: &[u8]) -> Vec<Placed> {
    let mut placed = Vec::new();
    let mut position = 0;
    while position < bytes.len() {
        let batch = Batch::parse(::bytes::Bytes::copy_from_slice(&bytes[position..])).unwrap();
        let (base, next) = (batch.header.base_offset, batch.header.next_offset());
        let size = batch.header.size_bytes();
        let bytes = bytes[position..position + size].to_vec();
        placed.push(Placed { segment: name.to_string(), position, base, next, bytes });
        position += size;
    }
    placed
}

/// Damages one file of an image; says what it did.
fn wound(image: &mut Image, master: &Master, dice: &mut Dice) -> String {
    let names: Vec<String> =
        image.keys().filter(|name| *name != partition_metadata::FILE_NAME).cloned().collect();
    if names.is_empty() {
        return "nothing left".to_string();
    }
    let logs: Vec<String> = names.iter().filter(|name| is_log(name)).cloned().collect();
    let of = |names: &[String], dice: &mut Dice| names[dice.below(names.len() as u64) as usize].clone();
    // Half of the damage is to records.
    let name = if !logs.is_empty() && dice.below(2) == 0 { of(&logs, dice) } else { of(&names, dice) };
    let kind = dice.below(10);
    let before = image.get_mut(&name).unwrap();
    let len = before.len() as u64;
    let page = [64, 512, 4096][dice.below(3) as usize];
    match kind {
        0 | 1 if len > 0 => (0..=dice.below(3)).for_each(|_| {
            before[dice.below(len) as usize] ^= 1 << dice.below(8);
        }),
        2 if len > 0 => before.truncate(dice.below(len) as usize),
        3 if len > 0 => {
            let from = dice.below(len) as usize / page * page;
            let to = (from + page).min(before.len());
            before[from..to].fill(0);
        }
        4 if before.len() >= 2 * page => {
            let pages = (before.len() / page) as u64;
            let (a, b) = (dice.below(pages) as usize * page, dice.below(pages) as usize * page);
            (0..page).for_each(|i| before.swap(a + i, b + i));
        }
        5 => before.extend((0..=dice.below(200)).map(|_| dice.below(256) as u8)),
        6 => before.resize(before.len() + 1 + dice.below(5000) as usize, 0),
        7 if dice.below(3) == 0 => drop(image.remove(&name)),
        8 => return rearrange(image, master, dice),
        _ => {
            // Another file's content of the same kind.
            let extension = Path::new(&name).extension();
            if extension.is_some_and(|extension| extension == "snapshot") {
                return "nothing: a snapshot does not say of which offset it is".to_string();
            }
            let twins: Vec<String> =
                names.iter().filter(|other| Path::new(other).extension() == extension).cloned().collect();
            let twin = of(&twins, dice);
            let content = image[&twin].clone();
            image.insert(name.clone(), content);
        }
    }
    format!("{kind} to {name}, page {page}")
}

/// Doubles, swaps or takes away whole batches of a segment.
fn rearrange(image: &mut Image, master: &Master, dice: &mut Dice) -> String {
    let picked = &master.batches[dice.below(master.batches.len() as u64) as usize];
    let Some(file) = image.get_mut(&picked.segment) else { return "no segment".to_string() };
    let (from, to) = (picked.position, picked.position + picked.bytes.len());
    if file.get(from..to) != Some(&picked.bytes[..]) {
        return "no batch".to_string();
    }
    let kind = dice.below(5);
    match kind {
        0 => drop(file.splice(to..to, picked.bytes.iter().copied())),
        1 => file.extend(&picked.bytes),
        2 => drop(file.drain(from..to)),
        3 => file.rotate_left(to),
        // The beginning of a batch, as a write that was cut short leaves it.
        _ => file.extend(&picked.bytes[..picked.bytes.len() / 2]),
    }
    format!("batches {kind} at {} of {}", picked.base, picked.segment)
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What `work` returns and the warnings that it wrote.
fn heard<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let result = tracing::subscriber::with_default(subscriber, work);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    (result, text.lines().map(ToString::to_string).collect())
}

/// The batches that a reader finds from the log start on.
fn read_all(log: &Log) -> Vec<Vec<u8>> {
    let reader = log.reader();
    let (mut from, end, mut found) = (log.start(), log.end(), Vec::new());
    while from < end {
        let read = reader.read(from, end, 5000, true).unwrap();
        if read.records.is_empty() {
            // The last segments may have lost all to compaction.
            break;
        }
        assert!(read.next > from, "{from} of {end}");
        found.extend(batches(read.records).iter().map(|batch| batch.bytes.to_vec()));
        from = read.next;
    }
    found
}

/// Opens a damaged image as after a crash and checks what it came to.
fn check_recovery(master: &Master, bench: &Bench, disk: &MemDisk, damaged: &Image) {
    disk.load(bench.dir(), damaged);
    disk.bound_calls(CALLS_MAX);
    let log_bytes = |image: &Image| -> u64 {
        image.iter().filter(|(name, _)| is_log(name)).map(|(_, bytes)| bytes.len() as u64).sum()
    };
    let ((log, recovery), lines) = heard(|| bench.open());
    let found = read_all(&log);
    let (first, damaged_at) = master.intact(damaged);
    let kept = &master.batches[first..];
    let intact = damaged_at - first;
    assert!(found.len() >= intact, "{} of {intact} batches were kept: {lines:?}", found.len());
    let is_compacted = master.shape == Shape::Compacted;
    for (index, found) in found.iter().enumerate() {
        if is_compacted && index >= intact {
            // A batch that is missing looks like one that was compacted away: what is there has to be genuine.
            assert!(master.batches.iter().any(|batch| batch.bytes[16..] == found[16..]));
        } else {
            assert!(is_same(found, &kept[index].bytes), "batch {index} is another one");
        }
    }
    if !is_compacted {
        let end = kept.get(..found.len()).and_then(<[_]>::last);
        let begin = kept.first().map_or(0, |first| first.segment[..20].parse().unwrap());
        assert_eq!(log.end().0, end.map_or(begin, |last| last.next));
    }
    if log.end() == master.end && found.len() == master.batches.len() {
        assert_eq!(log.reader().aborted_transactions(Offset(0), log.end()).unwrap(), master.aborted);
    }
    check_report(&recovery, &lines, log_bytes(damaged) - log_bytes(&disk.image(bench.dir())));
    check_again(bench, log, &found);
}

/// That what was cut off is in one line, with its place.
fn check_report(recovery: &Recovery, lines: &[String], lost: u64) {
    assert_eq!(recovery.cut_bytes, lost);
    let cuts: Vec<&String> = lines.iter().filter(|line| line.contains("cut the log")).collect();
    assert_eq!(cuts.len(), usize::from(lost > 0), "{lines:?}");
    for cut in cuts {
        assert!(cut.contains(".log position=") && cut.contains(&format!(" bytes={lost}")), "{cut}");
    }
    for line in lines {
        assert!(line.contains("path="), "{line}");
        assert_eq!(lines.iter().filter(|other| other[30..] == line[30..]).count(), 1, "{lines:?}");
    }
}

/// Id, epoch, last sequence and offset, and the open transaction's first offset.
type KnownProducer = (i64, i16, Option<(i32, i64)>, Option<i64>);

fn known_producers(log: &Log) -> Vec<KnownProducer> {
    let producers = log.producers().producers().iter();
    producers
        .map(|(&id, entry)| {
            let last = entry.last_batch().map(|batch| (batch.last_sequence, batch.last_offset));
            (id, entry.epoch, last, entry.txn_first_offset)
        })
        .collect()
}

/// That the next starts, after a crash and after a clean stop, find the same and nothing to do.
fn check_again(bench: &Bench, log: Log, found: &[Vec<u8>]) {
    let (end, start) = (log.end(), log.start());
    let producers = known_producers(&log);
    drop(log);
    let ((log, recovery), lines) = heard(|| bench.open());
    assert_eq!((recovery.cut_bytes, recovery.removed_segments, lines.len()), (0, 0, 0), "{lines:?}");
    assert_eq!((log.start(), log.end(), &read_all(&log)[..]), (start, end, found));
    assert_eq!(known_producers(&log), producers);
    let ((mut log, recovery), lines) = heard(|| bench.reopen(log));
    // A snapshot that no start needed so far is looked at now.
    let lines: Vec<&String> =
        lines.iter().filter(|line| !line.contains("removed a producer snapshot")).collect();
    assert_eq!((recovery, lines.len()), (Recovery::default(), 0), "{lines:?}");
    assert_eq!(known_producers(&log), producers);
    assert_eq!((log.start(), log.end(), &read_all(&log)[..]), (start, end, found));
    append(&mut log, &batch(0, 1));
    assert_eq!(log.end(), end.plus(1));
    assert_eq!(read_all(&log).len(), found.len() + 1);
}

/// Opens a damaged image as after a clean stop, when nothing is checked, and reads it from everywhere: what a reader
/// gets is what was written, or its checksum says that it is not, or it is an error.
fn check_trusted(master: &Master, bench: &Bench, disk: &MemDisk, damaged: &Image) {
    disk.load(bench.dir(), damaged);
    disk.bound_calls(100 * CALLS_MAX);
    let (log, _) = bench.open_with(|spec| {
        spec.clean = true;
        spec.recovery_point = master.end;
    });
    let records_are_whole = master.intact(damaged) == (0, master.batches.len());
    let reader = log.reader();
    for from in master.batches.iter().map(|batch| Offset(batch.base)) {
        match reader.read(from, log.end(), 3000, true) {
            Ok(read) => check_read(master, from, read, records_are_whole),
            Err(error) => {
                let code = error.code().code();
                assert!(!records_are_whole && (code == 1 || code == 2), "{from}: {error}");
            }
        }
        let _ = reader.offset_for_timestamp(T0 + from.0);
    }
    let _ = reader.max_timestamp();
    let _ = reader.aborted_transactions(Offset(0), log.end());
}

fn check_read(master: &Master, from: Offset, read: ReadResult, records_are_whole: bool) {
    let mut rest = read.records.into_bytes().unwrap();
    if records_are_whole {
        assert!(!rest.is_empty(), "nothing at {from}");
    }
    let mut expected = from.0;
    while !rest.is_empty() {
        let batch = Batch::parse(rest.clone()).unwrap();
        rest = rest.slice(batch.header.size_bytes()..);
        let mut written =
            master.batches.iter().filter(|written| written.bytes[21..] == batch.bytes[21..]).peekable();
        assert!(written.peek().is_some() || !batch.crc_is_valid(), "{from}: a batch that nobody wrote");
        let is_in_place = written.any(|written| written.base == batch.header.base_offset);
        assert!(batch.header.last_offset() >= expected, "{from}: offsets rise");
        expected = batch.header.next_offset();
        assert!(!records_are_whole || is_in_place, "{from}");
    }
}

#[test]
fn whatever_is_damaged_what_lies_before_it_is_kept_and_the_loss_is_told_once() {
    let env = |name: &str, default| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (images, seed) = (env("MILENA_IMAGES", IMAGES), env("MILENA_IMAGES_SEED", 1));
    let benches: Vec<(Bench, MemDisk, Master)> = SHAPES
        .iter()
        .map(|&shape| {
            let disk = MemDisk::default();
            let bench = Bench::with_storage(shape.config(), Arc::new(disk.clone()));
            let master = Master::write(shape, &bench, &disk);
            (bench, disk, master)
        })
        .collect();
    let mut counts: BTreeMap<(Shape, bool), u64> = BTreeMap::new();
    for number in 0..images {
        let mut dice = Dice::new(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let (bench, disk, master) = &benches[dice.below(SHAPES.len() as u64) as usize];
        let clean = dice.below(3) == 0;
        let mut image = if clean { master.stopped.clone() } else { master.crashed.clone() };
        let wounds: Vec<String> = (0..=dice.below(3)).map(|_| wound(&mut image, master, &mut dice)).collect();
        let check = std::panic::AssertUnwindSafe(|| {
            if clean {
                check_trusted(master, bench, disk, &image);
            } else {
                check_recovery(master, bench, disk, &image);
            }
        });
        if let Err(panic) = std::panic::catch_unwind(check) {
            let before = if clean { &master.stopped } else { &master.crashed };
            let changed = before.keys().filter(|&name| image.get(name) != before.get(name));
            let changed: Vec<&String> = changed.collect();
            eprintln!("seed {seed}, image {number}, {:?}, clean: {clean}: {wounds:?}", master.shape);
            eprintln!("changed: {changed:?}");
            std::panic::resume_unwind(panic);
        }
        *counts.entry((master.shape, clean)).or_default() += 1;
    }
    eprintln!("images of seed {seed} by shape and whether it was trusted: {counts:?}");
}
