//! One connection of many that one thread serves, with one request at a time.

use anyhow::{Context, Result, bail};
use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest};
use kafka_protocol::protocol::StrBytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::frames::{LENGTH_BYTES, Request, check_correlation, i16_at};

/// The newest version that all brokers answer which a load is meant for.
const API_VERSIONS_VERSION: i16 = 3;

pub(crate) struct Channel {
    stream: TcpStream,
    correlation: i32,
    inbound: BytesMut,
}

impl Channel {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, correlation: 0, inbound: BytesMut::new() })
    }

    /// Sends a request and gives its answer without the length; its correlation id was checked.
    pub(crate) async fn ask(&mut self, request: &mut Request) -> Result<Bytes> {
        self.send(request).await?;
        self.answer().await
    }

    /// Sends a request, whose answer is the next one.
    pub(crate) async fn send(&mut self, request: &mut Request) -> Result<()> {
        self.correlation = self.correlation.wrapping_add(1);
        self.stream.write_all(request.with_correlation(self.correlation)).await?;
        Ok(())
    }

    /// Reads the answer to the request that was sent.
    pub(crate) async fn answer(&mut self) -> Result<Bytes> {
        loop {
            if let Some(length) = self.inbound.first_chunk() {
                let size = LENGTH_BYTES + usize::try_from(i32::from_be_bytes(*length))?;
                if self.inbound.len() >= size {
                    let mut answer = self.inbound.split_to(size).freeze();
                    answer.advance(LENGTH_BYTES);
                    check_correlation(&answer, self.correlation)?;
                    return Ok(answer);
                }
                self.inbound.reserve(size - self.inbound.len());
            } else {
                self.inbound.reserve(512);
            }
            if self.stream.read_buf(&mut self.inbound).await? == 0 {
                bail!("the broker closed the connection");
            }
        }
    }

    /// What a client does first: asks for the versions that are served.
    pub(crate) async fn handshake(&mut self) -> Result<()> {
        let body = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("load"))
            .with_client_software_version(StrBytes::from_static_str("1"));
        let mut request = Request::encode(ApiKey::ApiVersions, API_VERSIONS_VERSION, &body)?;
        let answer = self.ask(&mut request).await?;
        // The header of this answer never has tagged fields.
        match i16_at(&answer, 4)? {
            0 => Ok(()),
            code => bail!("ApiVersions was answered with error {code}"),
        }
    }
}

/// Runs a load whose connections share one thread.
pub(crate) fn on_one_thread<T>(load: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(load)
}
