//! Accepts connections and starts a task for each.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::connection::{Shared, serve};
use crate::api::Connection;

/// Milliseconds to wait after a failed accept, which fails again at once while file descriptors are short.
const ACCEPT_RETRY_MS: u64 = 100;

static NEXT_CONNECTION: AtomicU64 = AtomicU64::new(1);

/// How many connections there may be, over all listeners.
#[derive(Debug)]
pub struct Places {
    all: Arc<Semaphore>,
    per_ip_max: usize,
    per_ip: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection's place; free again when it is dropped.
struct Place {
    places: Arc<Places>,
    ip: IpAddr,
    _of_all: OwnedSemaphorePermit,
}

impl Places {
    /// `max.connections` and `max.connections.per.ip`.
    pub fn new(max: usize, per_ip_max: usize) -> Self {
        let all = Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS)));
        Self { all, per_ip_max, per_ip: Mutex::default() }
    }

    /// Takes a place for a client; `None` when its address has all that it may have.
    fn take(self: &Arc<Self>, of_all: OwnedSemaphorePermit, ip: IpAddr) -> Option<Place> {
        let mut per_ip = self.per_ip.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = per_ip.entry(ip).or_default();
        if *taken >= self.per_ip_max {
            return None;
        }
        *taken += 1;
        drop(per_ip);
        Some(Place { places: self.clone(), ip, _of_all: of_all })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut per_ip = self.places.per_ip.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = per_ip.get_mut(&self.ip) {
            *taken -= 1;
            if *taken == 0 {
                per_ip.remove(&self.ip);
            }
        }
    }
}

/// Accepts on `listener` until the broker stops, then waits for the connections to end.
pub async fn run(listener: TcpListener, name: Arc<str>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut stopping = shared.stopping.clone();
    loop {
        // With no place left nobody is accepted until a connection ends, as with Kafka.
        let accepting = async {
            let of_all = shared.places.all.clone().acquire_owned().await.map_err(io::Error::other)?;
            listener.accept().await.map(|(stream, peer)| (stream, peer, of_all))
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
            Ok((stream, peer, of_all)) => {
                let Some(place) = shared.places.take(of_all, peer.ip()) else {
                    tracing::warn!("refusing {peer}: max.connections.per.ip is reached");
                    continue;
                };
                match open(stream, peer, &name) {
                    Ok((stream, connection)) => {
                        let serving = serve(stream, Arc::new(connection), shared.clone());
                        connections.spawn(async move {
                            serving.await;
                            drop(place);
                        });
                    }
                    Err(error) => tracing::debug!("the connection of {peer} is gone already: {error}"),
                }
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_has_no_more_places_than_it_may_have_until_one_is_free() {
        let places = Arc::new(Places::new(3, 1));
        let ip = IpAddr::from([127, 0, 0, 1]);
        let of_all = || places.all.clone().try_acquire_owned().unwrap();
        let place = places.take(of_all(), ip).unwrap();
        assert!(places.take(of_all(), ip).is_none());
        assert!(places.take(of_all(), IpAddr::from([127, 0, 0, 2])).is_some());
        drop(place);
        assert!(places.take(of_all(), ip).is_some());
        assert_eq!(places.all.available_permits(), 3);
        assert!(places.per_ip.lock().unwrap().is_empty());
    }
}
