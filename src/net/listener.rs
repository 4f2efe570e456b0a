//! Accepts connections and starts a task for each.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::connection::{Shared, serve};
use super::places::Reserved;
use crate::api::Connection;

/// Milliseconds to wait after a failed accept, which fails again at once while file descriptors are short.
const ACCEPT_RETRY_MS: u64 = 100;

static NEXT_CONNECTION: AtomicU64 = AtomicU64::new(1);

/// Accepts on `listener` until it is to stop, then waits for the connections to end. `closing` is dropped as soon as
/// the socket is closed.
pub async fn run(listener: TcpListener, name: Arc<str>, shared: Arc<Shared>, closing: oneshot::Sender<()>) {
    let mut connections = JoinSet::new();
    let mut stopping = shared.stopping.clone();
    loop {
        // With no place left nobody is accepted until a connection ends, as with Kafka.
        let accepting = async {
            if !shared.places.has_room() && shared.complaints.is_news("full", shared.broker.clock.now()) {
                tracing::warn!(
                    "max.connections, or what the limit of open files leaves, is reached: nobody is accepted until a \
                     connection ends (said once a minute)"
                );
            }
            shared.places.some_room().await;
            listener.accept().await
        };
        let accepted = tokio::select! {
            accepted = accepting => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!("a connection's task failed: {error}");
                }
                continue;
            }
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(room) = wait_for_turn(&shared).await else { break };
                let now = shared.broker.clock.now();
                let Some(place) = shared.places.take(room, peer.ip(), now.mono_ms) else {
                    shared.broker.counters.refuse("address");
                    if shared.complaints.is_news("per ip", now) {
                        tracing::warn!(
                            "refusing {peer}: max.connections.per.ip is reached (said once a minute)"
                        );
                    }
                    continue;
                };
                match open(stream, peer, &name) {
                    Ok((stream, connection)) => {
                        connections.spawn(serve(stream, Arc::new(connection), shared.clone(), place));
                    }
                    Err(error) => tracing::debug!("the connection of {peer} is gone already: {error}"),
                }
            }
            Err(error) => {
                if shared.complaints.is_news("accept", shared.broker.clock.now()) {
                    tracing::warn!("cannot accept a connection: {error} (said once a minute)");
                }
                tokio::time::sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            }
        }
    }
    drop(listener);
    drop(closing);
    shared.places.call_all();
    while connections.join_next().await.is_some() {}
}

/// Waits until there is room for a client that was accepted, and as long as `max.connection.creation.rate` demands,
/// with no other accepted meanwhile, as with Kafka. `None` when the listener is to stop.
async fn wait_for_turn(shared: &Shared) -> Option<Reserved> {
    let waiting = async {
        // Another listener may have been faster.
        let room = shared.places.room().await;
        loop {
            let wait_ms = shared.places.wait_for_rate_ms(shared.broker.clock.now().mono_ms);
            if wait_ms == 0 {
                return room;
            }
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
    };
    let mut stopping = shared.stopping.clone();
    tokio::select! {
        room = waiting => Some(room),
        _ = stopping.wait_for(|stopping| *stopping) => None,
    }
}

fn open(
    stream: TcpStream,
    peer: std::net::SocketAddr,
    listener: &Arc<str>,
) -> io::Result<(TcpStream, Connection)> {
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    let id = NEXT_CONNECTION.fetch_add(1, Ordering::Relaxed);
    Ok((stream, Connection { id, peer, local, listener: listener.clone() }))
}
