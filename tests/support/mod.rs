//! A broker in this process on a free port, and a connection that sends raw frames.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

pub mod broken_disk;
pub mod dice;
pub mod process;
pub mod requests;
pub mod sim_disk;
pub mod small_disk;

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};
use milena::config::Config;
use milena::server::Server;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A running broker; its data directory goes when it is dropped.
pub struct TestBroker {
    pub server: Server,
    pub directory: TempDir,
}

impl TestBroker {
    /// A broker with default settings.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A broker with settings of its own.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = start_in(&directory, settings).await;
        Self { server, directory }
    }

    /// A broker on a directory that somebody else wrote.
    pub async fn start_on(directory: TempDir, settings: &[(&str, &str)]) -> Self {
        let server = start_in(&directory, settings).await;
        Self { server, directory }
    }

    /// Stops the broker cleanly and starts it on the same directory.
    pub async fn restart(self, settings: &[(&str, &str)]) -> Self {
        self.server.stop().await.unwrap();
        let server = start_in(&self.directory, settings).await;
        Self { server, directory: self.directory }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.addresses()[0].1
    }

    pub fn bootstrap(&self) -> String {
        self.address().to_string()
    }

    pub async fn connect(&self) -> RawClient {
        RawClient::connect(self.address()).await
    }
}

/// A directory out of `tests/data`, named without the ending `.tar.gz`.
pub fn unpack(archive: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let unpacked = Command::new("tar")
        .args(["--strip-components=1", "-C", directory.path().to_str().unwrap(), "-xzf"])
        .arg(process::data().join(format!("{archive}.tar.gz")))
        .status()
        .unwrap();
    assert!(unpacked.success());
    directory
}

async fn start_in(directory: &TempDir, settings: &[(&str, &str)]) -> Server {
    let path = directory.path().to_str().unwrap();
    let mut pairs = vec![("listeners", "PLAINTEXT://127.0.0.1:0"), ("log.dirs", path)];
    pairs.extend_from_slice(settings);
    Server::start(Config::from_pairs(pairs).unwrap()).await.unwrap()
}

/// A connection that sends whatever a test wants.
pub struct RawClient {
    pub stream: TcpStream,
    correlation_id: i32,
}

/// How long a test waits for an answer before it fails.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

impl RawClient {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), correlation_id: 0 }
    }

    /// The frame of a request, with its correlation id.
    pub fn frame<Q: Encodable + HeaderVersion>(
        &mut self,
        api: ApiKey,
        version: i16,
        request: &Q,
    ) -> (BytesMut, i32) {
        self.correlation_id += 1;
        let mut message = BytesMut::new();
        RequestHeader::default()
            .with_request_api_key(api as i16)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation_id)
            .with_client_id(Some(StrBytes::from_static_str("raw")))
            .encode(&mut message, Q::header_version(version))
            .unwrap();
        request.encode(&mut message, version).unwrap();
        (framed(&message), self.correlation_id)
    }

    /// Sends a request and reads its answer.
    pub async fn ask<Q, R>(&mut self, api: ApiKey, version: i16, request: &Q) -> R
    where
        Q: Encodable + HeaderVersion,
        R: Decodable + HeaderVersion,
    {
        let (frame, correlation_id) = self.frame(api, version, request);
        self.stream.write_all(&frame).await.unwrap();
        self.answer(version, correlation_id).await
    }

    /// Reads the answer to the request with this correlation id, which has to be the next one.
    pub async fn answer<R: Decodable + HeaderVersion>(&mut self, version: i16, correlation_id: i32) -> R {
        let mut message = self.read_frame().await.expect("an answer, not the end of the connection");
        let head = if R::header_version(version) >= 1 { 5 } else { 4 };
        let header = message.split_to(head);
        assert_eq!(header[..4], correlation_id.to_be_bytes(), "answers come in order");
        let response = R::decode(&mut message, version).unwrap();
        assert!(message.is_empty(), "{} bytes behind the answer", message.len());
        response
    }

    /// Reads one frame; `None` when the broker closes the connection.
    pub async fn read_frame(&mut self) -> Option<Bytes> {
        let read = async {
            let size = self.stream.read_i32().await.ok()?;
            let mut message = vec![0; usize::try_from(size).unwrap()];
            self.stream.read_exact(&mut message).await.ok()?;
            Some(Bytes::from(message))
        };
        tokio::time::timeout(ANSWER_TIMEOUT, read).await.expect("an answer or the end in time")
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }
}

/// A message with its length in front.
pub fn framed(message: &[u8]) -> BytesMut {
    let mut frame = BytesMut::with_capacity(message.len() + 4);
    frame.put_i32(message.len() as i32);
    frame.put_slice(message);
    frame
}
