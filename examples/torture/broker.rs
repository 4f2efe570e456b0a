//! The real binary as a process of its own, in a directory and on a port that stay the same over all its starts.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// What the broker prints when it serves.
const READY: &str = "Transitioning from RECOVERY to RUNNING";
/// The output of so many starts is kept.
const LOGS_KEPT: u32 = 8;
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(1);

pub(crate) struct Broker {
    binary: PathBuf,
    directory: PathBuf,
    port: u16,
    /// The port behind the proxy, and the proxy's address.
    far: (u16, SocketAddr),
    settings: Vec<(String, String)>,
    child: Option<Child>,
    starts: u32,
}

/// A free port below the range from which clients take theirs; no two in one process.
fn free_port() -> Result<u16> {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 1000) as u16 * 10;
    (0..1000)
        .map(|_| first + TAKEN.fetch_add(1, Ordering::Relaxed) % 1000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .context("there is no free port")
}

impl Broker {
    /// A broker that is not started yet; `directory` will hold its data and its output.
    /// Clients that come through the proxy are told its address.
    pub(crate) fn new(
        binary: &Path,
        directory: &Path,
        proxy: SocketAddr,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        fs::create_dir_all(directory.join("data")).context("the data directory")?;
        Ok(Self {
            binary: binary.to_owned(),
            directory: directory.to_owned(),
            port: free_port()?,
            far: (free_port()?, proxy),
            settings: settings.collect(),
            child: None,
            starts: 0,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Where the proxy leads to.
    pub(crate) fn far_address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.far.0))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn log(&self, start: u32) -> PathBuf {
        self.directory.join(format!("broker-{start}.log"))
    }

    /// The running process.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// What the last start printed.
    pub(crate) fn output(&self) -> String {
        let bytes = fs::read(self.log(self.starts)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Starts the process and does not wait for it.
    pub(crate) fn launch(&mut self) -> Result<()> {
        // One that did not stop when it was asked to must not be there beside the next.
        self.kill();
        self.starts += 1;
        let _ = fs::remove_file(self.log(self.starts.saturating_sub(LOGS_KEPT)));
        let output = File::create(self.log(self.starts)).context("the file for the broker's output")?;
        let mut command = Command::new(&self.binary);
        let (near, far) = (self.address(), self.far_address());
        for setting in [
            format!("listeners=NEAR://{near},FAR://{far}"),
            format!("advertised.listeners=NEAR://{near},FAR://{}", self.far.1),
            "listener.security.protocol.map=NEAR:PLAINTEXT,FAR:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned(),
            "inter.broker.listener.name=NEAR".to_owned(),
        ] {
            command.arg("--override").arg(setting);
        }
        command.arg("--override").arg(format!("log.dirs={}", self.data().display()));
        for (key, value) in &self.settings {
            command.arg("--override").arg(format!("{key}={value}"));
        }
        command.stdin(Stdio::null()).stderr(output.try_clone()?).stdout(output);
        let child = command.spawn().with_context(|| format!("running {}", self.binary.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// Starts and waits until it serves. Fails when it ends, or when that takes longer than `limit`.
    pub(crate) fn start(&mut self, limit: Duration) -> Result<Duration> {
        let begin = Instant::now();
        self.launch()?;
        while !self.output().contains(READY) {
            if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                bail!("it ended with {status}: {}", self.output().lines().last().unwrap_or_default());
            }
            if begin.elapsed() > limit {
                bail!("it did not serve within {limit:?}");
            }
            thread::sleep(LOOK);
        }
        Ok(begin.elapsed())
    }

    /// SIGKILL, also while it is stopped: nothing is flushed, nothing said.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM. Fails when it does not end by itself with exit code 0 within `limit`.
    pub(crate) fn terminate(&mut self, limit: Duration) -> Result<()> {
        self.signal(Signal::TERM)?;
        let begin = Instant::now();
        let Some(child) = &mut self.child else { return Ok(()) };
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if begin.elapsed() > limit {
                bail!("it did not end within {limit:?}");
            }
            thread::sleep(LOOK);
        };
        self.child = None;
        if !status.success() {
            bail!("it ended with {status}");
        }
        Ok(())
    }

    /// Stops the process for a while, without its knowing.
    pub(crate) fn pause(&self, pause: Duration) -> Result<()> {
        self.signal(Signal::STOP)?;
        thread::sleep(pause);
        self.signal(Signal::CONT)
    }

    /// Stops the process; it is killed next.
    pub(crate) fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        send(self.pid().context("the broker does not run")?, signal)
    }
}

/// Sends a signal to a process that this one started.
pub(crate) fn send(pid: u32, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(pid as i32).context("a process id")?;
    kill_process(pid, signal).context("a signal to the broker")
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}
