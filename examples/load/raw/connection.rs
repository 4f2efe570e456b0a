//! One blocking connection with one request at a time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::frames::{LENGTH_BYTES, Request, check_correlation};

pub(crate) struct Connection {
    stream: TcpStream,
    correlation: i32,
    inbound: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, correlation: 0, inbound: vec![0; 64 * 1024] })
    }

    /// As `open`; whoever waits longer than this for bytes has failed.
    pub(crate) fn open_within(address: &str, limit: Duration) -> Result<Self> {
        let connection = Self::open(address)?;
        connection.stream.set_read_timeout(Some(limit))?;
        connection.stream.set_write_timeout(Some(limit))?;
        Ok(connection)
    }

    /// Sends a request and gives its answer without the length; its correlation id was checked.
    pub(crate) fn ask(&mut self, request: &mut Request) -> Result<&[u8]> {
        self.correlation = self.correlation.wrapping_add(1);
        let id = self.correlation;
        let answer = self.exchange(request.with_correlation(id))?;
        check_correlation(answer, id)?;
        Ok(answer)
    }

    /// Writes these bytes and reads one frame, whatever is in it.
    pub(crate) fn exchange(&mut self, frame: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(frame)?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.inbound[filled..])?;
            if read == 0 {
                bail!("the broker closed the connection");
            }
            filled += read;
            let Some(length) = self.inbound[..filled].first_chunk() else { continue };
            let size = LENGTH_BYTES + usize::try_from(i32::from_be_bytes(*length))?;
            if filled > size {
                bail!("{} bytes behind the answer", filled - size);
            }
            if filled == size {
                return Ok(&self.inbound[LENGTH_BYTES..size]);
            }
            if self.inbound.len() < size {
                self.inbound.resize(size, 0);
            }
        }
    }
}
