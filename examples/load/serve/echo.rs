//! A server that answers each frame at once with a frame of a fixed size: the floor of a round trip. A thread for each
//! connection, as little as possible in it.

use std::io::{Read, Write, stdin};
use std::net::{TcpListener, TcpStream};
use std::thread;

use anyhow::Result;
use clap::Args;

use crate::report::Report;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Where to listen; 0 for any free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Bytes of each answer without its length; the default is what Produce to topic `load` gets.
    #[arg(long, default_value_t = 51)]
    answer_bytes: u32,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let listener = TcpListener::bind(("127.0.0.1", arguments.port))?;
    println!("{}", Report::new().count("port", u64::from(listener.local_addr()?.port())));
    let mut answer = arguments.answer_bytes.to_be_bytes().to_vec();
    answer.resize(answer.len() + arguments.answer_bytes as usize, 0);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            thread::spawn(move || serve(stream, &answer));
        }
    });
    until_stdin_closes()
}

/// Waits for the end of the standard input, then reports nothing.
pub(crate) fn until_stdin_closes() -> Result<Report> {
    std::io::copy(&mut stdin().lock(), &mut std::io::sink())?;
    Ok(Report::new())
}

fn serve(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut inbound = vec![0; 1 << 20];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut inbound[filled..])?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        while let Some(length) = inbound[..filled].first_chunk() {
            let size = 4 + u32::from_be_bytes(*length) as usize;
            if filled < size {
                inbound.resize(inbound.len().max(size), 0);
                break;
            }
            inbound.copy_within(size..filled, 0);
            filled -= size;
            stream.write_all(answer)?;
        }
    }
}
