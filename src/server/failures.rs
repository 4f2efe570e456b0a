//! Watches for data directories that fail while the broker runs. After a failure of the disk the directory is tried out;
//! when that fails, too, it goes offline as a whole and alone. Without the last one, or the metadata's, there is no broker:
//! it has to end, as Kafka does.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::broker::Broker;
use crate::log::{LogContext, LogDirectory, is_of_disk};
use crate::replica::directory::DataDirectory;

/// Pause after a directory was tried out: what fails again and again for another reason must not keep the disk busy.
const PAUSE_MS: u64 = 1000;

/// Why a broker cannot go on.
pub(super) type Fatal = Option<Arc<str>>;

/// What is watched.
pub(super) struct Watched {
    pub(super) broker: Arc<Broker>,
    pub(super) context: Arc<LogContext>,
    /// The metadata's directory, when it is none of `log.dirs`; held for its lock, too.
    pub(super) metadata: Option<Arc<LogDirectory>>,
}

/// Runs until the broker stops, or cannot go on.
pub(super) async fn run(watched: Watched, fatal: watch::Sender<Fatal>, mut stopping: watch::Receiver<bool>) {
    let noted = Arc::new(Notify::new());
    let waker = noted.clone();
    watched.context.set_failure_waker(move || waker.notify_one());
    let work = async {
        loop {
            noted.notified().await;
            if let Err(why) = watched.look().await {
                tracing::error!("the broker ENDS, as if it had been killed: {why}");
                fatal.send_replace(Some(why.into()));
                return;
            }
            tokio::time::sleep(Duration::from_millis(PAUSE_MS)).await;
        }
    };
    tokio::select! {
        () = work => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
}

impl Watched {
    /// Tries out what failures were noted of; fails when there is no broker any more.
    async fn look(&self) -> Result<(), String> {
        let paths = self.context.take_failures();
        let fails = |path: &Path| paths.iter().any(|failed| failed.starts_with(path));
        let metadata_dir = &self.broker.config.storage.metadata_log_dir;
        if let Some(metadata) = self.metadata.clone().filter(|_| fails(metadata_dir))
            && let Err(error) = probe(move || metadata.probe()).await
        {
            return Err(without_metadata(metadata_dir, &error));
        }
        let directories = self.broker.partitions.directories();
        for directory in directories.iter().filter(|known| !known.is_offline() && fails(known.path())) {
            self.try_out(directory).await?;
        }
        if self.broker.controller.is_broken() && fails(metadata_dir) {
            return Err(format!(
                "the metadata log in {} failed, and nothing can change any more",
                metadata_dir.display()
            ));
        }
        Ok(())
    }

    async fn try_out(&self, directory: &Arc<DataDirectory>) -> Result<(), String> {
        let probed = directory.clone();
        let tried = probe(move || probed.files().map_or(Ok(()), LogDirectory::probe)).await;
        let Err(error) = tried else { return Ok(()) };
        if directory.path() == self.broker.config.storage.metadata_log_dir {
            return Err(without_metadata(directory.path(), &error));
        }
        let mut others =
            self.broker.partitions.directories().iter().filter(|other| !Arc::ptr_eq(other, directory));
        if others.all(|other| other.is_offline()) {
            return Err(format!(
                "{}, the last data directory (log.dirs), failed: {error}",
                directory.path().display()
            ));
        }
        take_offline(&self.broker, directory.clone(), &error).await;
        Ok(())
    }
}

fn without_metadata(path: &Path, error: &io::Error) -> String {
    format!("{}, the data directory of the metadata, failed: {error}", path.display())
}

/// Fails only with what may be a failure of the disk: one that is full did not fail.
async fn probe(probe: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    match tokio::task::spawn_blocking(probe).await {
        Ok(Err(error)) if is_of_disk(&error) => Err(error),
        _ => Ok(()),
    }
}

async fn take_offline(broker: &Arc<Broker>, directory: Arc<DataDirectory>, error: &io::Error) {
    let (registry, failed) = (broker.partitions.clone(), directory.clone());
    let taken = tokio::task::spawn_blocking(move || registry.take_offline(&failed)).await;
    tracing::error!(
        path = %directory.path().display(), %error, partitions = taken.unwrap_or_default(),
        "the data directory FAILED and is OFFLINE: its partitions answer KAFKA_STORAGE_ERROR until a start finds it \
        in order"
    );
    let Some(id) = directory.id() else { return };
    if let Err(code) = broker.controller.fail_directory(id).await {
        tracing::error!(?code, "the metadata cannot tell that the data directory is offline");
    }
}
