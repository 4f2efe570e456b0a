//! A long way between clients and the broker: answers travel for some milliseconds, and what is under way when the broker
//! dies never arrives; now and then a connection breaks while the broker lives. So clients send again what is there
//! already, which they would hardly ever do over the loopback alone.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::dice::Dice;

/// How long an answer travels, at least and below.
const TRAVEL_MS: (u64, u64) = (2, 25);
/// One of so many pieces of answers is the last one of its connection.
const BREAKS: u64 = 600;
/// How often the listener looks whether it is to end.
const LOOK: Duration = Duration::from_millis(2);
const PIECE_BYTES: usize = 64 * 1024;

pub(crate) struct Proxy {
    ends: Arc<AtomicBool>,
}

impl Proxy {
    /// Listens on a free port. Where the broker listens is said when it is known, by `lead_to`.
    pub(crate) fn bind() -> Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").context("a port for the proxy")?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    }

    /// Carries what comes in to the broker's address and back.
    pub(crate) fn lead_to(listener: TcpListener, broker: SocketAddr, mut dice: Dice) -> Result<Self> {
        let ends = Arc::new(AtomicBool::new(false));
        listener.set_nonblocking(true)?;
        let stop = Arc::clone(&ends);
        thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((client, _)) => carry(client, broker, Dice::new(dice.below(u64::MAX))),
                    Err(_) => thread::sleep(LOOK),
                }
            }
        });
        Ok(Self { ends })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
    }
}

/// Connects a client to the broker, if there is one.
fn carry(client: TcpStream, broker: SocketAddr, dice: Dice) {
    let Ok(upstream) = TcpStream::connect(broker) else { return };
    let _ = (client.set_nonblocking(false), client.set_nodelay(true), upstream.set_nodelay(true));
    let (Ok(from_client), Ok(to_broker)) = (client.try_clone(), upstream.try_clone()) else { return };
    thread::spawn(move || forth(from_client, to_broker));
    let (send, receive) = channel();
    let Ok(to_client) = client.try_clone() else { return };
    thread::spawn(move || arrive(to_client, &receive));
    thread::spawn(move || back(upstream, client, &send, dice));
}

/// Requests go at once.
fn forth(mut client: TcpStream, mut broker: TcpStream) {
    let mut piece = vec![0; PIECE_BYTES];
    while let Ok(length @ 1..) = client.read(&mut piece) {
        let Some(bytes) = piece.get(..length) else { break };
        if broker.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = (client.shutdown(Shutdown::Both), broker.shutdown(Shutdown::Both));
}

/// A piece of an answer, and when it arrives.
type Travelling = (Instant, Vec<u8>);

/// Answers set out; when the broker is gone, those under way are lost with it.
fn back(mut broker: TcpStream, client: TcpStream, travel: &Sender<Travelling>, mut dice: Dice) {
    let mut piece = vec![0; PIECE_BYTES];
    let mut arrival = Instant::now();
    while let Ok(length @ 1..) = broker.read(&mut piece) {
        if dice.below(BREAKS) == 0 {
            break;
        }
        arrival = arrival.max(Instant::now() + dice.ms(TRAVEL_MS.0, TRAVEL_MS.1));
        if travel.send((arrival, piece.get(..length).unwrap_or_default().to_vec())).is_err() {
            break;
        }
    }
    let _ = (client.shutdown(Shutdown::Both), broker.shutdown(Shutdown::Both));
}

/// Answers arrive in their order.
fn arrive(mut client: TcpStream, travelling: &Receiver<Travelling>) {
    while let Ok((arrival, bytes)) = travelling.recv() {
        thread::sleep(arrival.saturating_duration_since(Instant::now()));
        if client.write_all(&bytes).is_err() {
            return;
        }
    }
}
