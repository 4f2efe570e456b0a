//! The address that a client is told for this node.

use std::net::{IpAddr, SocketAddr};

use crate::config::Config;

/// Host and port for a client that came in on `listener` through `local`: what `advertised.listeners` says for that
/// listener, else the very address that the client used, which is right on one host, in a LAN and in a pod.
pub fn advertised(config: &Config, listener: &str, local: SocketAddr) -> (String, u16) {
    let configured = config.network.listeners.iter().find(|configured| configured.name == listener);
    let advertised = configured.and_then(|configured| configured.advertised.as_ref());
    let host = advertised.and_then(|advertised| advertised.host.clone());
    let port = advertised.map_or(0, |advertised| advertised.port);
    let came_through = || match local.ip() {
        // An IPv4 client of a listener that serves both.
        IpAddr::V6(ip) => ip.to_canonical().to_string(),
        IpAddr::V4(ip) => ip.to_string(),
    };
    (host.unwrap_or_else(came_through), if port == 0 { local.port() } else { port })
}
