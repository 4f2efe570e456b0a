//! The real binary as a process of its own, on a free port and in a directory that goes with it.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_milena");

pub struct Process {
    child: Child,
    port: u16,
    directory: TempDir,
    settings: Vec<(String, String)>,
}

/// A free port below the range from which clients take theirs: one that polls a closed port could connect to itself.
fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let base = 20_000 + (std::process::id() % 100) as u16 * 100;
    loop {
        let port = base + NEXT.fetch_add(1, Ordering::Relaxed) % 100;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn command(port: u16, directory: &Path, settings: &[(String, String)]) -> Command {
    let mut command = Command::new(BINARY);
    command.arg("--override").arg(format!("listeners=PLAINTEXT://127.0.0.1:{port}"));
    command.arg("--override").arg(format!("log.dirs={}", directory.display()));
    for (key, value) in settings {
        command.arg("--override").arg(format!("{key}={value}"));
    }
    command
}

fn start(port: u16, directory: &Path, settings: &[(String, String)]) -> Child {
    until_ready(command(port, directory, settings))
}

/// Starts the binary and waits for the line that says that it is ready.
fn until_ready(command: Command) -> Child {
    until_ready_then(command, drop)
}

/// As `until_ready`; hands each later line on.
fn until_ready_then(mut command: Command, mut line: impl FnMut(String) + Send + 'static) -> Child {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.by_ref().any(|line| line.unwrap().contains("Transitioning from RECOVERY to RUNNING"));
    assert!(ready, "the broker ended before it was ready");
    // Somebody has to read on, or the pipe fills.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(&mut line));
    child
}

fn owned(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

impl Process {
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let (port, directory, settings) = (free_port(), tempfile::tempdir().unwrap(), owned(settings));
        let child = start(port, directory.path(), &settings);
        Self { child, port, directory, settings }
    }

    /// As `start`, in a directory that is there, which may have something mounted on it.
    pub fn start_in(directory: TempDir, settings: &[(&str, &str)]) -> Self {
        let (port, settings) = (free_port(), owned(settings));
        let child = start(port, directory.path(), &settings);
        Self { child, port, directory, settings }
    }

    /// As `start`; what it logs from then on comes through the channel.
    pub fn start_listening(settings: &[(&str, &str)]) -> (Self, Receiver<String>) {
        let (port, directory, settings) = (free_port(), tempfile::tempdir().unwrap(), owned(settings));
        let (logged, lines) = channel();
        let child = until_ready_then(command(port, directory.path(), &settings), move |line| {
            let _ = logged.send(line);
        });
        (Self { child, port, directory, settings }, lines)
    }

    /// As `start`, where the system allows no more than so many open files.
    pub fn start_with_open_files(open_files_max: u32, settings: &[(&str, &str)]) -> Self {
        let (port, directory, settings) = (free_port(), tempfile::tempdir().unwrap(), owned(settings));
        let plain = command(port, directory.path(), &settings);
        let mut limited = Command::new("sh");
        limited.arg("-c").arg(format!("ulimit -n {open_files_max} && exec \"$0\" \"$@\""));
        limited.arg(plain.get_program()).args(plain.get_args());
        let child = until_ready(limited);
        Self { child, port, directory, settings }
    }

    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The most memory that the process had so far.
    pub fn peak_memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// SIGKILL: nothing is flushed, nothing said.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; the exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        self.child.wait().unwrap().code()
    }

    /// Waits until it ended by itself; the exit code.
    pub fn ended(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Starts and is killed before it may be ready: recovery is a moment at which one can be killed, too.
    pub fn die_while_starting(&mut self, after: std::time::Duration) {
        let mut starting = command(self.port, self.directory.path(), &self.settings);
        self.child = starting.stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        self.kill();
    }

    /// As `start_again`, where no start may be possible; what was said on stderr then.
    pub fn try_start_again(&mut self) -> Result<(), String> {
        let mut starting = command(self.port, self.directory.path(), &self.settings);
        self.child = starting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(self.child.stdout.take().unwrap()).lines().map_while(Result::ok);
        if lines.any(|line| line.contains("Transitioning from RECOVERY to RUNNING")) {
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(());
        }
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(1));
        Err(said)
    }

    pub fn start_again(&mut self) {
        self.child = start(self.port, self.directory.path(), &self.settings);
    }

    /// Whether `milena check` finds the broker in order.
    pub fn check(&self) -> bool {
        let check = Command::new(BINARY).arg("check").arg(self.bootstrap()).output().unwrap();
        check.status.success()
    }

    /// A directory with this one's `meta.properties`.
    pub fn copy_of_meta(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(self.directory().join("meta.properties"), copy.path().join("meta.properties")).unwrap();
        copy
    }

    /// Starts where no start is possible; what was said on stderr.
    pub fn fail(settings: &[(&str, &str)]) -> String {
        Self::fail_in(&tempfile::tempdir().unwrap(), settings)
    }

    pub fn fail_in(directory: &TempDir, settings: &[(&str, &str)]) -> String {
        let output = command(free_port(), directory.path(), &owned(settings)).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the tests' data lies.
pub fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}
