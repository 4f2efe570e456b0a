//! Hostile clients against a broker of its own, and what a good client sees of them: latency before, during and after each
//! attack, memory and open files of the broker. It ends with an error when the good client got one, when files leaked, or
//! when memory was more than is allowed or did not come back.

mod attackers;
mod broker;
mod good;

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use self::attackers::{ALL, Attack, Attacker, Size};
use self::broker::{Broker, Taken};
use self::good::{Good, Seen};
use crate::client::Target;
use crate::raw::idle::raise_file_limit;
use crate::report::{Latencies, Report};
use crate::topic;

/// The topic that everybody uses; the good client its partition 0, nobody writes to the others.
const TOPIC: &str = "attacked";
const PARTITIONS: i32 = 200;
const MIB: u64 = 1 << 20;
/// Open files that may differ without a leak: a log's file that the cache opened or closed.
const FILES_SLACK: u64 = 2;
/// How long the broker has to close what attackers left, and to give memory back.
const SETTLE_MAX: Duration = Duration::from_secs(15);

#[derive(Args)]
pub(crate) struct Arguments {
    /// The broker's program; without it the one beside this program.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Connections of the attacks that keep theirs open.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Connections a second of those that come and go.
    #[arg(long, default_value_t = 1_000)]
    per_second: usize,
    /// Seconds of each attack; a third of it before and after.
    #[arg(long, default_value_t = 12.0)]
    seconds: f64,
    /// How often: what a second time adds to memory would be added by each further one.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Only the attack with this name.
    #[arg(long)]
    only: Option<String>,
    /// MiB that the broker may have resident at any time.
    #[arg(long, default_value_t = 512)]
    memory_mib_max: u64,
    /// MiB by which the broker may be larger after an attack than before the first one.
    #[arg(long, default_value_t = 128)]
    growth_mib_max: u64,
}

/// One row of the table.
struct Row {
    attack: Attack,
    seen: [Seen; 3],
    taken: [Taken; 3],
    opened: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    raise_file_limit(arguments.connections as u64 + 1_000)?;
    let broker = Broker::start(arguments.program.as_deref())?;
    let target = Target { broker: broker.address.clone(), topic: TOPIC.to_owned() };
    topic::create_one(&target, PARTITIONS)?;
    let good = Good::start(&broker.address, TOPIC)?;
    // Whatever is opened once is open from here on.
    sleep(third(arguments));
    let all = std::iter::repeat_n(ALL, arguments.rounds).flatten();
    let chosen = all.filter(|attack| arguments.only.as_deref().is_none_or(|only| only == attack.name()));
    let begin = broker.taken()?.resident;
    let mut failures = Vec::new();
    let mut rows = 0;
    print_head();
    for attack in chosen {
        let row = run_one(attack, arguments, (&broker, begin), &good)?;
        print_row(&row, arguments);
        failures.extend(judge(&row, begin, arguments));
        rows += 1;
    }
    if rows == 0 {
        bail!("there is no such attack; there are {}", ALL.map(Attack::name).join(", "));
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    Ok(Report::new().count("attacks", rows).count("errors", 0).count("leaked_files", 0))
}

fn third(arguments: &Arguments) -> Duration {
    Duration::from_secs_f64(arguments.seconds / 3.0)
}

fn size(arguments: &Arguments) -> Size {
    Size { connections: arguments.connections, per_second: arguments.per_second }
}

fn run_one(
    attack: Attack,
    arguments: &Arguments,
    (broker, begin): (&Broker, u64),
    good: &Good,
) -> Result<Row> {
    good.take();
    sleep(third(arguments));
    let before = (good.take(), broker.taken()?);
    broker.forget_peak()?;
    let attacker = Attacker::new(broker.address.parse()?, TOPIC);
    let opened = attacker.opened.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let attacking = runtime.spawn(attacker.run(attack, size(arguments)));
    let until = Instant::now() + Duration::from_secs_f64(arguments.seconds);
    let mut files_most = 0;
    while Instant::now() < until {
        sleep(Duration::from_millis(100));
        files_most = files_most.max(broker.taken()?.files);
    }
    let during = (good.take(), Taken { files: files_most, ..broker.taken()? });
    attacking.abort();
    runtime.shutdown_timeout(Duration::from_secs(5));
    let after = settle(broker, before.1.files, begin, arguments)?;
    good.take();
    sleep(third(arguments));
    Ok(Row {
        attack,
        seen: [before.0, during.0, good.take()],
        taken: [before.1, during.1, after],
        opened: opened.load(std::sync::atomic::Ordering::Relaxed),
    })
}

/// Waits until the broker has closed what was left behind and given back what it took.
fn settle(broker: &Broker, files: u64, begin: u64, arguments: &Arguments) -> Result<Taken> {
    let until = Instant::now() + SETTLE_MAX;
    loop {
        let now = broker.taken().context("the broker is gone")?;
        let is_settled =
            now.files <= files + FILES_SLACK && now.resident <= begin + arguments.growth_mib_max * MIB;
        if is_settled || Instant::now() > until {
            return Ok(now);
        }
        sleep(Duration::from_millis(100));
    }
}

/// What is wrong.
fn judge(row: &Row, begin: u64, arguments: &Arguments) -> Vec<String> {
    let name = row.attack.name();
    let [before, during, after] = row.taken;
    let mut found = Vec::new();
    for seen in &row.seen {
        if seen.errors > 0 {
            found.push(format!(
                "{name}: the good client had {} errors: {}",
                seen.errors,
                seen.words.join("; ")
            ));
        }
        if seen.small.count() == 0 {
            found.push(format!("{name}: the good client was not served at all"));
        }
    }
    if row.opened == 0 {
        found.push(format!("{name}: no attacker got a connection"));
    }
    if after.files > before.files + FILES_SLACK {
        found.push(format!("{name}: {} files before, {} after", before.files, after.files));
    }
    if during.peak > arguments.memory_mib_max * MIB {
        found.push(format!("{name}: {} MiB resident", during.peak / MIB));
    }
    if after.resident > begin + arguments.growth_mib_max * MIB {
        let [begin, after] = [begin, after.resident].map(|bytes| bytes / MIB);
        found.push(format!("{name}: {begin} MiB at the beginning, {after} MiB after"));
    }
    found
}

fn print_head() {
    println!(
        "| attack | p50/p99 ms before | during | after | 100 kB p99 ms before, during | new connection p99 ms before, \
         during | MiB before, peak, after | files before, most, after | errors |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
}

fn ms(latencies: &Latencies, quantile: f64) -> String {
    let ms = latencies.quantile(quantile).as_secs_f64() * 1e3;
    if ms < 10.0 { format!("{ms:.2}") } else { format!("{ms:.0}") }
}

fn print_row(row: &Row, arguments: &Arguments) {
    let [before, during, _] = &row.seen;
    let typical: Vec<String> =
        row.seen.iter().map(|seen| format!("{} / {}", ms(&seen.small, 0.5), ms(&seen.small, 0.99))).collect();
    let two = |of: fn(&Seen) -> &Latencies| format!("{}, {}", ms(of(before), 0.99), ms(of(during), 0.99));
    let [taken_before, taken_during, taken_after] = row.taken;
    println!(
        "| {} | {} | {} | {} | {}, {}, {} | {}, {}, {} | {} |",
        row.attack.words(size(arguments)),
        typical.join(" | "),
        two(|seen| &seen.large),
        two(|seen| &seen.connect),
        taken_before.resident / MIB,
        taken_during.peak / MIB,
        taken_after.resident / MIB,
        taken_before.files,
        taken_during.files,
        taken_after.files,
        row.seen.iter().map(|seen| seen.errors).sum::<u64>(),
    );
}
