//! Logging: one line an event to stdout, time first, as brokers log; and the loggers whose levels can be changed while
//! the program runs. Relies on nothing of ours and is started once.

pub mod counters;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt, reload};

/// The logger that all others inherit from.
pub const ROOT: &str = "root";

/// The logger of the whole program. Each part has one of its own below it, as the events of a part carry its name.
const PROGRAM: &str = "milena";

/// What stands between the parts of a logger's name: Kafka's tools take no colons, which events have there.
const SEPARATOR: &str = ".";
const SEPARATOR_OF_EVENTS: &str = "::";

const PARTS: [&str; 13] = [
    "api",
    "broker",
    "cli",
    "config",
    "controller",
    "coordinator",
    "limits",
    "log",
    "net",
    "replica",
    "server",
    "types",
    "wire",
];

/// How serious an event must be to be logged. Nothing here is fatal and lives, so that level logs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(LevelFilter);

impl Level {
    /// The levels under the names that Kafka's tools give them.
    const NAMES: [(&str, LevelFilter); 6] = [
        ("TRACE", LevelFilter::TRACE),
        ("DEBUG", LevelFilter::DEBUG),
        ("INFO", LevelFilter::INFO),
        ("WARN", LevelFilter::WARN),
        ("ERROR", LevelFilter::ERROR),
        ("FATAL", LevelFilter::OFF),
    ];

    /// The level with this name, which is in upper case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, filter)| Self(*filter))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, filter)| *filter == self.0).map_or("FATAL", |(name, _)| name)
    }
}

/// The levels that were set. A logger without one goes by the nearest above it.
struct Loggers {
    root: LevelFilter,
    /// By the name of each logger as events carry it; `None` inherits.
    own: BTreeMap<String, Option<LevelFilter>>,
}

type Handle = reload::Handle<Targets, Registry>;

static LOGGERS: OnceLock<Mutex<Loggers>> = OnceLock::new();
static HANDLE: OnceLock<Handle> = OnceLock::new();

impl Loggers {
    fn new(given: &Targets) -> Self {
        let mut own: BTreeMap<_, _> =
            PARTS.iter().map(|part| (format!("{PROGRAM}{SEPARATOR_OF_EVENTS}{part}"), None)).collect();
        own.insert(PROGRAM.to_owned(), None);
        own.extend(given.iter().map(|(target, level)| (target.to_owned(), Some(level))));
        Self { root: given.default_level().unwrap_or(LevelFilter::INFO), own }
    }

    fn targets(&self) -> Targets {
        let set = self.own.iter().filter_map(|(name, level)| Some((name.clone(), (*level)?)));
        Targets::new().with_default(self.root).with_targets(set)
    }

    /// The level that a logger goes by.
    fn effective(&self, name: &str) -> LevelFilter {
        let mut at = name;
        loop {
            if let Some(Some(level)) = self.own.get(at) {
                return *level;
            }
            match at.rsplit_once(SEPARATOR_OF_EVENTS) {
                Some((above, _)) => at = above,
                None => return self.root,
            }
        }
    }
}

fn loggers() -> MutexGuard<'static, Loggers> {
    LOGGERS
        .get_or_init(|| Mutex::new(Loggers::new(&Targets::new())))
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// The name that events carry for a logger's name.
fn of_events(name: &str) -> String {
    name.replace(SEPARATOR, SEPARATOR_OF_EVENTS)
}

/// Every logger with the level that it goes by, the root first.
pub fn levels() -> Vec<(String, Level)> {
    let loggers = loggers();
    let root = (ROOT.to_owned(), Level(loggers.root));
    let shown = |name: &String| name.replace(SEPARATOR_OF_EVENTS, SEPARATOR);
    let others = loggers.own.keys().map(|name| (shown(name), Level(loggers.effective(name))));
    std::iter::once(root).chain(others).collect()
}

/// Whether there is a logger of this name.
pub fn is_logger(name: &str) -> bool {
    name == ROOT || loggers().own.contains_key(&of_events(name))
}

/// Changes the level of a logger at once; without one it inherits again, which the root cannot. A name that is no
/// logger's changes nothing.
pub fn set_level(name: &str, level: Option<Level>) {
    let mut loggers = loggers();
    let level = level.map(|level| level.0);
    match (name, level) {
        (ROOT, Some(level)) => loggers.root = level,
        (name, level) => {
            if let Some(own) = loggers.own.get_mut(&of_events(name)) {
                *own = level;
            }
        }
    }
    if let Some(handle) = HANDLE.get() {
        // It fails only when nothing logs any more.
        let _ = handle.reload(loggers.targets());
    }
}

/// Starts logging at the level that `directives` names (`debug`, `milena::net=trace,info`), else at `info`. Returns a
/// sentence for the log when the directives cannot be understood. A second call changes nothing.
pub fn start(directives: Option<&str>) -> Option<String> {
    let given = directives.unwrap_or_default();
    let parsed = if given.is_empty() { Ok(Targets::new()) } else { given.parse::<Targets>() };
    let (targets, problem) = match parsed {
        Ok(targets) => (targets, None),
        Err(error) => {
            (Targets::new(), Some(format!("log level {given} is not understood, info stands: {error}")))
        }
    };
    let first = Loggers::new(&targets);
    let (filter, handle) = reload::Layer::new(first.targets());
    // A closed stdout must not be answered with more output.
    let lines = fmt::layer()
        .with_ansi(io::stdout().is_terminal())
        .log_internal_errors(false)
        .with_writer(|| OneLine(io::stdout()));
    if tracing_subscriber::registry().with(filter).with(lines).try_init().is_ok() {
        *loggers() = first;
        let _ = HANDLE.set(handle);
    }
    problem
}

/// Writes each event as one line: a name that a client chose must not look like further lines.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    /// Takes a whole event with the end of its line.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = event.strip_suffix(b"\n").unwrap_or(event);
        match one_line(&String::from_utf8_lossy(line)) {
            Cow::Borrowed(_) => self.0.write_all(event)?,
            Cow::Owned(line) => writeln!(self.0, "{line}")?,
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A line with what controls a terminal or ends a line told as `\n` and `\u{8}`; borrowed when there is none.
fn one_line(line: &str) -> Cow<'_, str> {
    // Colours are the layer's own: it tells those that come with an event.
    let is_told = |char: char| char.is_control() && char != '\u{1b}';
    if !line.contains(is_told) {
        return Cow::Borrowed(line);
    }
    let told = |char: char| if is_told(char) { char.escape_default().to_string() } else { char.to_string() };
    Cow::Owned(line.chars().map(told).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let mut lines = OneLine(Vec::new());
        lines.write_all(b"INFO group=a\n2026 INFO forged\x08 \xc3\xa4\n").unwrap();
        lines.write_all(b"INFO plain\n").unwrap();
        let text = String::from_utf8(lines.0).unwrap();
        assert_eq!(text, "INFO group=a\\n2026 INFO forged\\u{8} \u{e4}\nINFO plain\n");
    }

    /// What events of a part carry.
    fn of(part: &str) -> String {
        format!("{PROGRAM}{SEPARATOR_OF_EVENTS}{part}")
    }

    fn shown(loggers: &Loggers, part: &str) -> &'static str {
        Level(loggers.effective(&of(part))).name()
    }

    #[test]
    fn a_logger_goes_by_its_own_level_or_the_nearest_above() {
        let mut loggers = Loggers::new(&format!("{},warn", of("net=trace")).parse().unwrap());
        assert_eq!(shown(&loggers, "net"), "TRACE");
        assert_eq!(shown(&loggers, "api"), "WARN");
        loggers.own.insert("milena".to_owned(), Some(LevelFilter::OFF));
        assert_eq!(shown(&loggers, "api"), "FATAL");
        assert_eq!(shown(&loggers, "net"), "TRACE");
        let targets = loggers.targets();
        assert!(targets.would_enable(&of("net::listener"), &tracing::Level::DEBUG));
        assert!(!targets.would_enable(&of("api"), &tracing::Level::ERROR));
        assert!(targets.would_enable("tokio", &tracing::Level::WARN));
        assert!(!targets.would_enable("tokio", &tracing::Level::INFO));
    }

    #[test]
    fn without_directives_everything_is_logged_from_info_on() {
        let loggers = Loggers::new(&Targets::new());
        assert_eq!(Level(loggers.root).name(), "INFO");
        assert!(loggers.targets().would_enable("milena", &tracing::Level::INFO));
    }

    #[test]
    fn every_part_of_the_program_has_its_logger() {
        let lib = include_str!("lib.rs");
        for part in lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
            assert!(part == "observe" || PARTS.contains(&part), "{part}");
        }
    }

    #[test]
    fn a_level_is_set_and_taken_back_while_the_program_runs() {
        set_level("milena.limits", Level::from_name("DEBUG"));
        let set = |name: &str| {
            levels()
                .into_iter()
                .find(|(known, _)| *known == format!("milena.{name}"))
                .map(|(_, level)| level.name())
        };
        assert_eq!(set("limits"), Some("DEBUG"));
        set_level("milena.limits", None);
        assert_eq!(set("limits"), set("wire"));
        assert!(is_logger(ROOT) && is_logger("milena.net") && !is_logger("milena.nope"));
        assert_eq!(Level::from_name("debug"), None);
    }
}
