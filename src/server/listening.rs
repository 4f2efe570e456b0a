//! The listeners: binds those of the start, opens and closes others when `listeners` changes at run time. A listener
//! that stays keeps its address, whatever the change says of it, as with Kafka.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{Config, Listener, NetworkConfig};
use crate::net::connection::Shared;
use crate::net::listener;

/// A listener's name and its socket.
type Bound = (Arc<str>, TcpListener);

/// Listeners that accept, each with what stops it.
struct Listening {
    shared: Shared,
    stops: BTreeMap<Arc<str>, watch::Sender<bool>>,
    tasks: JoinSet<()>,
}

/// Accepts on `bound` and follows `config` until the broker stops, then waits for the connections to end.
pub(super) async fn run(bound: Vec<Bound>, shared: Shared, mut config: watch::Receiver<Arc<Config>>) {
    let mut stopping = shared.stopping.clone();
    let mut listening = Listening { shared, stops: BTreeMap::new(), tasks: JoinSet::new() };
    for (name, listener) in bound {
        listening.open(name, listener);
    }
    loop {
        let current = config.borrow_and_update().clone();
        listening.follow(&current.network).await;
        tokio::select! {
            changed = config.changed() => if changed.is_err() { break },
            _ = stopping.wait_for(|stopping| *stopping) => break,
        }
    }
    for stop in listening.stops.values() {
        stop.send_replace(true);
    }
    while let Some(ended) = listening.tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!("a listener's task failed: {error}");
        }
    }
}

impl Listening {
    fn open(&mut self, name: Arc<str>, socket: TcpListener) {
        let (stop, stopping) = watch::channel(false);
        let shared = Arc::new(Shared { stopping, ..self.shared.clone() });
        self.tasks.spawn(listener::run(socket, name.clone(), shared));
        self.stops.insert(name, stop);
    }

    /// Closes the listeners that are no longer named, with their connections, and opens those that are new.
    async fn follow(&mut self, network: &NetworkConfig) {
        let is_named = |name: &str| network.listeners.iter().any(|listener| listener.name == name);
        self.stops.retain(|name, stop| {
            let stays = is_named(name);
            if !stays {
                tracing::info!("closing listener {name}");
                stop.send_replace(true);
            }
            stays
        });
        for listener in &network.listeners {
            if self.stops.contains_key(listener.name.as_str()) {
                continue;
            }
            match bind_one(listener, network).await {
                Ok(socket) => {
                    tracing::info!("listening on {}", shown(listener));
                    self.open(listener.name.as_str().into(), socket);
                }
                Err(error) => tracing::error!("cannot listen on {}: {error}", shown(listener)),
            }
        }
    }
}

fn shown(listener: &Listener) -> String {
    format!("{}://{}:{}", listener.name, listener.host.as_deref().unwrap_or(""), listener.port)
}

/// Binds the listeners of the start; all of them or none.
pub(super) async fn bind(network: &NetworkConfig) -> anyhow::Result<Vec<Bound>> {
    let mut bound = Vec::new();
    for listener in &network.listeners {
        let socket = bind_one(listener, network).await;
        let socket = socket.with_context(|| format!("cannot listen on {}", shown(listener)))?;
        bound.push((Arc::from(listener.name.as_str()), socket));
    }
    if bound.is_empty() {
        bail!("listeners names no address to listen on");
    }
    Ok(bound)
}

/// Binds to the first address of the host that works; without a host to all interfaces, IPv6 ones where the machine
/// has any.
async fn bind_one(listener: &Listener, network: &NetworkConfig) -> std::io::Result<TcpListener> {
    let addresses: Vec<SocketAddr> = match &listener.host {
        Some(host) => tokio::net::lookup_host((host.as_str(), listener.port)).await?.collect(),
        None => {
            vec![(Ipv6Addr::UNSPECIFIED, listener.port).into(), (Ipv4Addr::UNSPECIFIED, listener.port).into()]
        }
    };
    let mut failed = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match listen(address, network) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn listen(address: SocketAddr, network: &NetworkConfig) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit both; the system tunes what is not set.
    if let Some(bytes) = network.socket_send_buffer_bytes {
        socket.set_send_buffer_size(bytes.unsigned_abs())?;
    }
    if let Some(bytes) = network.socket_receive_buffer_bytes {
        socket.set_recv_buffer_size(bytes.unsigned_abs())?;
    }
    socket.bind(address)?;
    socket.listen(LISTEN_BACKLOG)
}

/// Connections that may wait to be accepted; they are accepted at once.
const LISTEN_BACKLOG: u32 = 1024;
