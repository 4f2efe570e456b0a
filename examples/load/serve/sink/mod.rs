//! A broker that stores nothing: what a client can do at most, and what of an end-to-end latency is the client's.
//! It answers just enough for librdkafka's and Kafka's own clients to produce, to fetch what was produced last (or, with
//! `--serve`, one prepared batch again and again) and to be the only member of a group. Every topic that somebody asks
//! for exists. It trusts its clients.

mod answers;
mod groups;
mod store;

use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::{Buf, Bytes, BytesMut};
use clap::Args;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::echo::until_stdin_closes;
use crate::report::Report;
use store::{Prepared, Store};

/// Bytes read at once, at least.
const READ_BYTES: usize = 256 * 1024;
const LENGTH_BYTES: usize = 4;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Where to listen; 0 for any free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    #[command(flatten)]
    options: Options,
}

/// How the fake broker behaves.
#[derive(Args, Clone)]
pub(crate) struct Options {
    /// Partitions of every topic.
    #[arg(long, default_value_t = 1)]
    pub(crate) partitions: i32,
    /// A topic that exists before anybody asks for it; may be given several times.
    #[arg(long)]
    pub(crate) topic: Vec<String>,
    /// Answers each Fetch at once with one prepared batch at the offset that was asked for.
    #[arg(long)]
    pub(crate) serve: bool,
    /// Bytes of each value in the prepared batch.
    #[arg(long, default_value_t = 100)]
    pub(crate) size: usize,
    /// Bytes of the prepared batch.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) serve_bytes: usize,
    /// Answers nothing for so long, at the end of each --stall-every-ms.
    #[arg(long, default_value_t = 0)]
    pub(crate) stall_ms: u64,
    #[arg(long, default_value_t = 1000)]
    pub(crate) stall_every_ms: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let port = runtime.block_on(start(arguments.port, arguments.options.clone()))?;
    println!("{}", Report::new().count("port", u64::from(port)));
    until_stdin_closes()
}

/// Listens on this port (0 for any) and serves until the runtime ends; gives the port.
pub(crate) async fn start(port: u16, options: Options) -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let port = listener.local_addr()?.port();
    let sink = Arc::new(Sink::new(options, port)?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sink = Arc::clone(&sink);
            tokio::spawn(async move {
                // A client that goes away is no news; a request that cannot be answered is.
                match sink.serve(stream).await {
                    Err(error) if !error.is::<std::io::Error>() => eprintln!("a connection ended: {error:#}"),
                    _ => {}
                }
            });
        }
    });
    Ok(port)
}

struct Sink {
    port: u16,
    options: Options,
    store: Store,
    prepared: Option<Prepared>,
    begin: Instant,
}

impl Sink {
    fn new(options: Options, port: u16) -> Result<Self> {
        let prepared = options.serve.then(|| Prepared::new(options.size, options.serve_bytes)).transpose()?;
        let store = Store::new(options.topic.iter().cloned());
        Ok(Self { port, options, store, prepared, begin: Instant::now() })
    }

    async fn serve(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut inbound = BytesMut::with_capacity(READ_BYTES);
        loop {
            while let Some(frame) = next_frame(&mut inbound) {
                let answer = self.answer(&frame).await.context("a request")?;
                drop(frame);
                self.stall().await;
                write(&mut stream, answer).await?;
            }
            inbound.reserve(READ_BYTES.max(missing(&inbound)));
            if stream.read_buf(&mut inbound).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Waits for the end of a stall.
    async fn stall(&self) {
        if self.options.stall_ms == 0 {
            return;
        }
        let every = self.options.stall_every_ms.max(self.options.stall_ms);
        let phase = self.begin.elapsed().as_millis() as u64 % every;
        if phase >= every - self.options.stall_ms {
            tokio::time::sleep(Duration::from_millis(every - phase)).await;
        }
    }
}

/// The size of the frame at the front, with its length.
fn frame_bytes(inbound: &[u8]) -> Option<usize> {
    inbound.first_chunk().map(|length| LENGTH_BYTES + u32::from_be_bytes(*length) as usize)
}

/// How many bytes the frame at the front still lacks.
fn missing(inbound: &[u8]) -> usize {
    frame_bytes(inbound).unwrap_or(0).saturating_sub(inbound.len())
}

/// Takes a whole frame, without its length.
fn next_frame(inbound: &mut BytesMut) -> Option<Bytes> {
    let size = frame_bytes(inbound).filter(|size| inbound.len() >= *size)?;
    let mut frame = inbound.split_to(size).freeze();
    frame.advance(LENGTH_BYTES);
    Some(frame)
}

/// Writes all chunks, with as few system calls as the socket allows.
async fn write(stream: &mut TcpStream, mut chunks: Vec<Bytes>) -> Result<()> {
    while !chunks.is_empty() {
        let slices: Vec<IoSlice<'_>> = chunks.iter().map(|chunk| IoSlice::new(chunk)).collect();
        let mut written = stream.write_vectored(&slices).await?;
        chunks.retain_mut(|chunk| {
            let part = written.min(chunk.len());
            chunk.advance(part);
            written -= part;
            !chunk.is_empty()
        });
    }
    Ok(())
}
