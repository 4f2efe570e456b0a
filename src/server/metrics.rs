//! The opt-in endpoint for Prometheus: `GET /metrics` on an address of its own (`milena.metrics.address`). Numbers are
//! looked up when they are asked for. Clients here are not trusted either: few at a time, each with a bound on bytes and
//! time, and none keeps its connection.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::api::TABLE;
use crate::broker::Broker;
use crate::net::admission::Admission;
use crate::net::places::Places;

/// Clients that are answered at a time; others wait to be accepted.
const CLIENTS_MAX: usize = 32;
/// Bytes that a request may have.
const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// Headers that it may have.
const HEADERS_MAX: usize = 64;
/// How long a client may take, from its connection to the last byte of its answer.
const CLIENT_MS_MAX: u64 = 2_000;
/// Milliseconds to wait after a failed accept.
const ACCEPT_RETRY_MS: u64 = 100;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// Where the numbers are.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) broker: Arc<Broker>,
    pub(super) places: Arc<Places>,
    pub(super) admission: Admission,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources")
    }
}

/// Answers on `listener` until the broker stops.
pub(super) async fn run(listener: TcpListener, sources: Sources, mut stopping: watch::Receiver<bool>) {
    // Clients that are still there when the broker stops are let go with this.
    let mut clients = JoinSet::new();
    loop {
        let accepting = async {
            while clients.len() >= CLIENTS_MAX {
                clients.join_next().await;
            }
            listener.accept().await
        };
        let accepted = tokio::select! {
            accepted = accepting => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        match accepted {
            Ok((stream, peer)) => drop(clients.spawn(serve(stream, peer, sources.clone()))),
            Err(error) => {
                tracing::debug!("cannot accept a connection for metrics: {error}");
                tokio::time::sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            }
        }
        while clients.try_join_next().is_some() {}
    }
}

async fn serve(mut stream: TcpStream, peer: SocketAddr, sources: Sources) {
    let served = async {
        let (status, kind, body) = match request(&mut stream).await? {
            Ok(()) => ("200 OK", OPEN_METRICS, text(sources)),
            Err(status) => (status, PLAIN, format!("{status}\n")),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.shutdown().await
    };
    let served = tokio::time::timeout(Duration::from_millis(CLIENT_MS_MAX), served).await;
    tracing::debug!("metrics for {peer}: {served:?}");
}

/// Reads a request; what is wrong with it, if it does not ask for the metrics.
async fn request(stream: &mut TcpStream) -> std::io::Result<Result<(), &'static str>> {
    let mut bytes = Vec::new();
    loop {
        let read = (&mut *stream).take(1024).read_buf(&mut bytes).await?;
        match judge(&bytes) {
            Some(judged) => return Ok(judged),
            None if bytes.len() > REQUEST_BYTES_MAX => {
                return Ok(Err("431 Request Header Fields Too Large"));
            }
            None if read == 0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            None => {}
        }
    }
}

/// What becomes of the bytes so far; `None` when more have to come.
fn judge(bytes: &[u8]) -> Option<Result<(), &'static str>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Partial) => return None,
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Some(Err("431 Request Header Fields Too Large")),
        Err(_) => return Some(Err("400 Bad Request")),
    }
    let path = request.path.unwrap_or_default();
    Some(match request.method {
        _ if path.split('?').next() != Some("/metrics") => Err("404 Not Found"),
        Some("GET") => Ok(()),
        _ => Err("405 Method Not Allowed"),
    })
}

fn text(sources: Sources) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(sources));
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    text
}

impl Collector for Sources {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        let counters = &self.broker.counters;
        let directories = self.broker.partitions.directories();
        let offline = directories.iter().filter(|directory| directory.is_offline()).count();
        for (name, help, value) in [
            (
                "milena_log_fsync_failures",
                "Syncs of files and directories that failed.",
                &counters.fsync_failures,
            ),
            (
                "milena_log_write_failures",
                "Writes to files and directories that failed.",
                &counters.write_failures,
            ),
            ("milena_received_bytes", "Bytes that came from clients.", &counters.received_bytes),
            ("milena_sent_bytes", "Bytes that went to clients.", &counters.sent_bytes),
        ] {
            let counter = ConstCounter::new(value.get());
            counter.encode(out.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let uptime_s = self.broker.clock.now().mono_ms / 1000;
        for (name, help, value) in [
            (
                "milena_logs_poisoned",
                "Partitions that take no appends after a failed fsync.",
                count(counters.poisoned_logs.get()),
            ),
            ("milena_log_directories_offline", "Data directories that failed.", count(offline as u64)),
            ("milena_connections_open", "Connections of clients.", count(self.places.taken() as u64)),
            (
                "milena_request_memory_bytes",
                "Memory held for requests that arrive.",
                count(self.admission.request_bytes() as u64),
            ),
            ("milena_uptime_seconds", "Seconds since the broker started.", uptime_s),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(out.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let help = "Connections that were refused, or closed for what came or did not come.";
        let mut family =
            out.encode_descriptor("milena_connections_refused", help, None, ConstCounter::<u64>::TYPE)?;
        for (reason, value) in counters.refused() {
            ConstCounter::new(value).encode(family.encode_family(&[("reason", reason)])?)?;
        }
        let help = "Requests by API.";
        let mut family = out.encode_descriptor("milena_requests", help, None, ConstCounter::<u64>::TYPE)?;
        for row in TABLE {
            let value = counters.requests(row.key as i16);
            ConstCounter::new(value).encode(family.encode_family(&[("api", row.name)])?)?;
        }
        let build = [("version", env!("CARGO_PKG_VERSION"))];
        let mut family = out.encode_descriptor("milena_build", "What runs.", None, MetricType::Info)?;
        family.encode_info(&build)
    }
}

fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
