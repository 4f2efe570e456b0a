//! Frames as they arrive, in pieces, and their headers. The first byte says how large the pieces are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use milena::wire::frame::Inbound;
use milena::wire::{guard, header};
use milena_fuzz::bounded;

const SIZE_MAX: i32 = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let Some((&piece, rest)) = data.split_first() else { return };
    bounded(|| arrive(usize::from(piece) + 1, rest));
});

fn arrive(piece: usize, mut rest: &[u8]) {
    let mut inbound = Inbound::default();
    while !rest.is_empty() {
        let space = inbound.space();
        let count = rest.len().min(piece).min(space.capacity() - space.len());
        assert!(count > 0, "there is always space");
        let (now, later) = rest.split_at(count);
        space.extend_from_slice(now);
        inbound.arrived(count);
        rest = later;
        loop {
            match inbound.next_frame(SIZE_MAX) {
                Ok(Some(frame)) => {
                    if let Ok(request) = header::parse(&frame) {
                        let _ = guard::check(request.api_key as i16, request.api_version, &request.body);
                    }
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}
