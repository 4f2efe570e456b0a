//! The broker that is attacked: a process of its own, in a folder that goes with it, and what it takes of the system.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// The line that says that a broker serves.
const READY: &str = "Transitioning from RECOVERY to RUNNING";
/// Ports below those from which clients take theirs.
const PORTS: std::ops::Range<u16> = 24_000..25_000;

pub(crate) struct Broker {
    child: Child,
    pub(crate) address: String,
    _directory: TempDir,
}

/// What a process takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    /// Bytes of memory that are resident.
    pub(crate) resident: u64,
    /// The most that were since [`Broker::forget_peak`].
    pub(crate) peak: u64,
    /// Open files and sockets.
    pub(crate) files: u64,
}

fn free_port() -> Result<u16> {
    let from = (std::process::id() % 500) as u16;
    let mut ports = PORTS.skip(usize::from(from));
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).context("no port is free")
}

impl Broker {
    /// Starts the program, beside this one if none is named, and waits until it serves.
    pub(crate) fn start(program: Option<&Path>) -> Result<Self> {
        let program = program.map_or_else(beside_this_program, |program| Ok(program.to_owned()))?;
        let directory = TempDir::new()?;
        let address = format!("127.0.0.1:{}", free_port()?);
        let settings =
            [format!("listeners=PLAINTEXT://{address}"), format!("log.dirs={}", directory.path().display())];
        let mut command = Command::new(&program);
        for setting in settings {
            command.arg("--override").arg(setting);
        }
        let started = command.stdout(Stdio::piped()).spawn();
        let mut child = started.with_context(|| format!("starting {}", program.display()))?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        if !lines.by_ref().map_while(Result::ok).any(|line| line.contains(READY)) {
            bail!("the broker ended before it served");
        }
        // Somebody has to read on, or the pipe fills.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Self { child, address, _directory: directory })
    }

    /// What the process takes now.
    pub(crate) fn taken(&self) -> Result<Taken> {
        let folder = PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = std::fs::read_to_string(folder.join("status"))?;
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let words = line.and_then(|line| line.split_whitespace().next());
            words.and_then(|number| number.parse::<u64>().ok()).map(|kib| kib * 1024).context("no such line")
        };
        let files = std::fs::read_dir(folder.join("fd"))?.count() as u64;
        Ok(Taken { resident: bytes("VmRSS:")?, peak: bytes("VmHWM:")?, files })
    }

    /// Lets the peak of memory begin again.
    pub(crate) fn forget_peak(&self) -> Result<()> {
        Ok(std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Examples lie in a folder beside the program.
fn beside_this_program() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).context("no folder above this program")?;
    Ok(folder.join("milena"))
}
