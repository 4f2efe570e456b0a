//! The listeners: binds those of the start, opens and closes others when `listeners` changes at run time. A listener
//! that stays keeps its address, whatever the change says of it, as with Kafka.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::config::{Config, Listener, NetworkConfig};
use crate::net::connection::Shared;
use crate::net::listener;

/// A listener's name and its socket.
type Bound = (Arc<str>, TcpListener);

/// A listener that accepts.
struct Open {
    stop: watch::Sender<bool>,
    /// Ends when the socket is closed, which is before the connections are.
    closed: oneshot::Receiver<()>,
}

/// Listeners that accept.
struct Listening {
    shared: Shared,
    open: BTreeMap<Arc<str>, Open>,
    tasks: JoinSet<()>,
}

/// Accepts on those of `bound` that `config` names and follows it until the broker stops, then waits for the
/// connections to end.
pub(super) async fn run(bound: Vec<Bound>, shared: Shared, mut config: watch::Receiver<Arc<Config>>) {
    let mut stopping = shared.stopping.clone();
    let mut listening = Listening { shared, open: BTreeMap::new(), tasks: JoinSet::new() };
    listening.open_bound(bound, &config.borrow().network);
    loop {
        let current = config.borrow_and_update().clone();
        let following = async {
            listening.follow(&current.network).await;
            config.changed().await.is_ok()
        };
        tokio::select! {
            goes_on = following => if !goes_on { break },
            _ = stopping.wait_for(|stopping| *stopping) => break,
        }
    }
    for open in listening.open.values() {
        open.stop.send_replace(true);
    }
    while let Some(ended) = listening.tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!("a listener's task failed: {error}");
        }
    }
}

/// Binds the address for metrics, if there is to be one.
pub(super) async fn bind_metrics(config: &Config) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = &config.metrics_address else { return Ok(None) };
    let bound = TcpListener::bind(address).await;
    bound.map(Some).with_context(|| format!("cannot listen on {address} (milena.metrics.address)"))
}

fn is_named(network: &NetworkConfig, name: &str) -> bool {
    network.listeners.iter().any(|listener| listener.name == name)
}

impl Listening {
    /// Opens what was bound for the start; what has been taken away since is closed again.
    fn open_bound(&mut self, bound: Vec<Bound>, network: &NetworkConfig) {
        for (name, socket) in bound {
            if is_named(network, &name) {
                self.open(name, socket);
            }
        }
    }

    fn open(&mut self, name: Arc<str>, socket: TcpListener) {
        let (stop, stopping) = watch::channel(false);
        let (closing, closed) = oneshot::channel();
        let shared = Arc::new(Shared { stopping, ..self.shared.clone() });
        self.tasks.spawn(listener::run(socket, name.clone(), shared, closing));
        self.open.insert(name, Open { stop, closed });
    }

    /// Closes the listeners that are no longer named, with their connections, and opens those that are new. When that
    /// leaves none, those of the start are opened, or nobody could ever put it right.
    async fn follow(&mut self, network: &NetworkConfig) {
        let gone: Vec<Arc<str>> = self.open.keys().filter(|name| !is_named(network, name)).cloned().collect();
        for name in gone {
            if let Some(open) = self.open.remove(&name) {
                tracing::info!("closing listener {name}");
                open.stop.send_replace(true);
                // Another may be given its port. An error says that the task is gone, and the socket with it.
                let _ = open.closed.await;
            }
        }
        self.open_missing(network).await;
        if self.open.is_empty() {
            tracing::error!("no listener that is set at run time can be opened, those of the start are");
            let start = self.shared.broker.config.clone();
            self.open_missing(&start.network).await;
        }
    }

    async fn open_missing(&mut self, network: &NetworkConfig) {
        for listener in &network.listeners {
            if self.open.contains_key(listener.name.as_str()) {
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
        let socket = socket.with_context(|| format!("cannot listen on {} (listeners)", shown(listener)))?;
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
