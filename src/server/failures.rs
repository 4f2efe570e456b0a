//! Watches for data directories that fail while the broker runs. After a failure of the disk the directory is tried out;
//! when that fails, too, it goes offline as a whole and alone. It never takes away the last one, nor the metadata's.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::broker::Broker;
use crate::log::{LogContext, LogDirectory, is_of_disk};
use crate::replica::directory::DataDirectory;

/// Pause after a directory was tried out: what fails again and again for another reason must not keep the disk busy.
const PAUSE_MS: u64 = 1000;

/// Runs until the broker stops.
pub(super) async fn run(broker: Arc<Broker>, context: Arc<LogContext>, mut stopping: watch::Receiver<bool>) {
    let noted = Arc::new(Notify::new());
    let waker = noted.clone();
    context.set_failure_waker(move || waker.notify_one());
    let mut told = HashSet::new();
    let work = async {
        loop {
            noted.notified().await;
            for directory in suspects(&broker, &context.take_failures()) {
                try_out(&broker, directory, &mut told).await;
            }
            tokio::time::sleep(Duration::from_millis(PAUSE_MS)).await;
        }
    };
    tokio::select! {
        () = work => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
}

/// The directories that these paths lie in.
fn suspects(broker: &Broker, paths: &[PathBuf]) -> Vec<Arc<DataDirectory>> {
    let directories = broker.partitions.directories();
    let holds = |directory: &&Arc<DataDirectory>| {
        !directory.is_offline() && paths.iter().any(|path| path.starts_with(directory.path()))
    };
    directories.iter().filter(holds).cloned().collect()
}

async fn try_out(broker: &Arc<Broker>, directory: Arc<DataDirectory>, told: &mut HashSet<PathBuf>) {
    let probed = directory.clone();
    let probing = tokio::task::spawn_blocking(move || probed.files().map_or(Ok(()), LogDirectory::probe));
    let Ok(Err(error)) = probing.await else { return };
    if !is_of_disk(&error) {
        return;
    }
    let path = directory.path();
    let online = broker.partitions.directories().iter().filter(|directory| !directory.is_offline()).count();
    if path == broker.config.storage.metadata_log_dir || online <= 1 {
        if told.insert(path.to_path_buf()) {
            tracing::error!(
                path = %path.display(), %error,
                "the data directory FAILED; it stays in use, because there is no broker without it"
            );
        }
        return;
    }
    take_offline(broker, directory, &error).await;
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
