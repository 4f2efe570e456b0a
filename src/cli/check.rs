//! `milena check`: one connection, two requests, one line. Written by hand with `std` alone, so that it starts and
//! ends within milliseconds and takes nothing on trust from whoever answers.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::config::value::is_host_and_port;

const ANSWER_BYTES_MAX: u32 = 1 << 20;

/// `ApiVersions` version 0, then `Metadata` version 2 for no topics: length, key, version, correlation id, client id,
/// body. Every broker since 0.10.1 understands both.
const REQUESTS: &[u8] = b"\0\0\0\x16\0\x12\0\0\0\0\0\x01\0\x0cmilena-check\
    \0\0\0\x1a\0\x03\0\x02\0\0\0\x02\0\x0cmilena-check\0\0\0\0";

/// Asks the broker at `address`, which is `HOST:PORT`, and returns what to print. An error if it does not answer both
/// requests properly within `timeout`, looking up the name included.
pub(super) fn run(address: &str, timeout: Duration) -> anyhow::Result<String> {
    if !is_host_and_port(address) {
        bail!("{address} is no address: give HOST:PORT, for instance localhost:9092");
    }
    let (sender, receiver) = mpsc::channel();
    let target = address.to_owned();
    // On its own thread, because looking up a name cannot be bounded; the process does not wait for it.
    std::thread::spawn(move || sender.send(ask(&target, timeout)));
    let Ok(answer) = receiver.recv_timeout(timeout) else {
        bail!("{address} did not answer within {} ms", timeout.as_millis());
    };
    answer.with_context(|| format!("{address} is not serving"))
}

fn ask(address: &str, timeout: Duration) -> anyhow::Result<String> {
    let mut stream = connect(address, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.write_all(REQUESTS)?;
    let apis = api_count(&answer(&mut stream, 1)?).context("its answer to ApiVersions makes no sense")?;
    let summary = summary(&answer(&mut stream, 2)?).context("its answer to Metadata makes no sense")?;
    Ok(format!("{address} serves: APIs {apis}, {summary}"))
}

/// Connects to the first of the name's addresses that accepts.
fn connect(address: &str, timeout: Duration) -> anyhow::Result<TcpStream> {
    let mut last = None;
    for candidate in address.to_socket_addrs().context("its name is not known")? {
        match TcpStream::connect_timeout(&candidate, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) => Err(error).context("cannot connect"),
        None => bail!("the name has no address"),
    }
}

/// Reads one response; its body follows the correlation id, which has to be `expected`.
fn answer(stream: &mut TcpStream, expected: i32) -> anyhow::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).context("no answer")?;
    let length = u32::from_be_bytes(length);
    if length > ANSWER_BYTES_MAX {
        bail!("it answers with something that is not Kafka's protocol");
    }
    let mut body = Vec::new();
    stream.take(u64::from(length)).read_to_end(&mut body).context("no answer")?;
    let mut cursor = Cursor(&body);
    if body.len() != length as usize || cursor.i32() != Some(expected) {
        bail!("it answers with something that is not Kafka's protocol");
    }
    Ok(cursor.0.to_vec())
}

/// `ApiVersions` response version 0: error code, then rows of key, lowest and highest version.
fn api_count(body: &[u8]) -> anyhow::Result<i32> {
    let mut cursor = Cursor(body);
    match (cursor.i16(), cursor.i32()) {
        (Some(0), Some(count)) if count > 0 && (0..count).all(|_| cursor.take::<6>().is_some()) => Ok(count),
        (Some(0), _) => bail!("no API, or too short"),
        (Some(code), _) => bail!("error code {code}"),
        (None, _) => bail!("too short"),
    }
}

/// `Metadata` response version 2: brokers (id, host, port, rack), cluster id, controller.
fn summary(body: &[u8]) -> anyhow::Result<String> {
    let parse = || {
        let mut cursor = Cursor(body);
        let brokers = cursor.i32().filter(|count| *count > 0)?;
        for _ in 0..brokers {
            cursor.i32()?;
            cursor.text()?;
            cursor.i32()?;
            cursor.text()?;
        }
        Some((brokers, cursor.text()?, cursor.i32()?))
    };
    let (brokers, cluster, controller) = parse().context("too short, or no broker")?;
    Ok(format!("brokers {brokers}, controller {controller}, cluster {cluster}"))
}

/// What is left to read of a response; every read checks that it is there.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn i16(&mut self) -> Option<i16> {
        self.take().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_be_bytes)
    }

    /// A nullable string, empty when it is null; `None` when it is cut or no UTF-8.
    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.i16()?).unwrap_or(0);
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{SocketAddr, TcpListener};

    /// Answers one connection with `bytes`, whatever it asks.
    fn answering(bytes: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = vec![0; REQUESTS.len()];
            stream.read_exact(&mut asked).unwrap();
            stream.write_all(bytes).unwrap();
            // Held open until the other side is done, so that a wait ends by its timeout.
            let _ = stream.read(&mut [0]);
        });
        address
    }

    fn check(bytes: &'static [u8]) -> Result<String, String> {
        let address = answering(bytes).to_string();
        let result = run(&address, Duration::from_secs(5));
        result
            .map(|line| line.replace(&address, "X"))
            .map_err(|error| format!("{error:#}").replace(&address, "X"))
    }

    const APIS: &[u8] = b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0\x01\0\x12\0\0\0\x04";
    const UP: &[u8] = b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0\x01\0\x12\0\0\0\x04\
        \0\0\0\x20\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\x01h\0\0\x23\x84\xff\xff\0\x01c\0\0\0\x01\0\0\0\0";

    #[test]
    fn the_requests_are_two_whole_frames() {
        let (first, rest) = REQUESTS.split_at(4 + 0x16);
        assert_eq!(first[..4], [0, 0, 0, 0x16]);
        assert_eq!(rest.len(), 4 + 0x1a);
        assert_eq!(rest[..4], [0, 0, 0, 0x1a]);
    }

    #[test]
    fn a_broker_that_answers_both_requests_serves() {
        assert_eq!(check(UP), Ok("X serves: APIs 1, brokers 1, controller 1, cluster c".to_owned()));
    }

    #[test]
    fn other_answers_are_no_broker() {
        let http = check(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap_err();
        assert_eq!(http, "X is not serving: it answers with something that is not Kafka's protocol");
        let error = check(b"\0\0\0\x0a\0\0\0\x01\0\x23\0\0\0\0").unwrap_err();
        assert!(error.contains("ApiVersions makes no sense: error code 35"), "{error}");
        let wrong_id = check(b"\0\0\0\x0a\0\0\0\x09\0\0\0\0\0\x01").unwrap_err();
        assert!(wrong_id.contains("not Kafka's protocol"), "{wrong_id}");
    }

    #[test]
    fn hostile_counts_and_lengths_end_without_a_panic() {
        for bytes in [&b""[..], b"\x7f\xff\xff\xff", b"\0\0\0\x01\x7f\xff\xff\xff\x7f\xff"] {
            assert!(summary(bytes).is_err());
            assert!(api_count(bytes).is_err());
        }
    }

    #[test]
    fn silence_ends_at_the_timeout() {
        let address = answering(APIS).to_string();
        let error = run(&address, Duration::from_millis(50)).unwrap_err().to_string();
        assert!(error.contains("did not answer within 50 ms") || error.contains("not serving"), "{error}");
    }

    #[test]
    fn a_closed_port_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let error = format!("{:#}", run(&address, Duration::from_secs(5)).unwrap_err());
        assert!(error.starts_with(&format!("{address} is not serving: cannot connect: ")), "{error}");
        assert!(format!("{:#}", run("nonsense", Duration::from_secs(5)).unwrap_err()).contains("HOST:PORT"));
    }
}
