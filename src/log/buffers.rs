//! The memory that records are read into: buffers of one size that are used again and again, because a fresh one costs
//! its page faults and its zeros, a third of the read itself. They are cut from regions so large that the allocator takes
//! each from the system and gives it back; a region that no read needs for a while goes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;

/// Bytes of a buffer. Small enough that what was read is still in a core's cache when it is written to the socket.
pub(crate) const BUFFER_BYTES: usize = 256 * 1024;
/// Buffers of a region: 33 MiB. Up to 32 MiB glibc may take a block from its heap, which keeps what is freed.
const REGION_BUFFERS: usize = 132;
/// Buffers that are lent when reads begin to return less than they might: 64 MiB.
const LENT_MAX: usize = 256;

/// Buffers that were allocated together. Memory is taken by those alone that were ever used.
#[derive(Debug, Default)]
struct Region {
    /// All of them when no read needs the region; none before it is allocated.
    free: Vec<BytesMut>,
    lent: usize,
    /// Whether one was lent since the last `trim`.
    is_used: bool,
}

impl Region {
    fn allocate() -> Self {
        let mut all = BytesMut::zeroed(BUFFER_BYTES.saturating_mul(REGION_BUFFERS));
        let free = (0..REGION_BUFFERS).map(|_| all.split_to(BUFFER_BYTES)).collect();
        Self { free, lent: 0, is_used: true }
    }

    fn take(&mut self) -> Option<BytesMut> {
        let buffer = self.free.pop()?;
        self.lent = self.lent.saturating_add(1);
        self.is_used = true;
        Some(buffer)
    }
}

/// The buffers of a broker.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// The first ones are used first, so that the others become idle.
    regions: Mutex<Vec<Region>>,
    lent: AtomicUsize,
}

impl Buffers {
    fn regions(&self) -> MutexGuard<'_, Vec<Region>> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A buffer whose content is of no meaning.
    pub(crate) fn take(self: &Arc<Self>) -> Buffer {
        self.lent.fetch_add(1, Ordering::Relaxed);
        let mut regions = self.regions();
        let held = (0..).zip(regions.iter_mut()).find_map(|(at, region)| Some((at, region.take()?)));
        let (region, bytes) = held.unwrap_or_else(|| {
            let mut fresh = Region::allocate();
            let bytes = fresh.take().unwrap_or_default();
            // A region that was freed leaves its place to the next one.
            let vacant = regions.iter().position(|region| region.lent == 0 && region.free.is_empty());
            let at = vacant.unwrap_or(regions.len());
            match regions.get_mut(at) {
                Some(place) => *place = fresh,
                None => regions.push(fresh),
            }
            (at, bytes)
        });
        Buffer { bytes, len: 0, region, home: Arc::clone(self) }
    }

    fn give_back(&self, region: usize, bytes: BytesMut) {
        self.lent.fetch_sub(1, Ordering::Relaxed);
        if let Some(region) = self.regions().get_mut(region) {
            region.lent = region.lent.saturating_sub(1);
            region.free.push(bytes);
        }
    }

    /// Whether so much is lent that a read should return no more than it must.
    pub(crate) fn is_short(&self) -> bool {
        self.lent.load(Ordering::Relaxed) >= LENT_MAX
    }

    /// Frees the regions that no read needed since the last call.
    pub(crate) fn trim(&self) {
        let mut idle = Vec::new();
        for region in self.regions().iter_mut() {
            if region.lent == 0 && !region.is_used {
                idle.push(std::mem::take(&mut region.free));
            }
            region.is_used = region.lent > 0;
        }
        // The memory goes here, after the lock.
        drop(idle);
    }
}

/// A buffer that goes back to where it came from when it is dropped. As bytes it is what was filled of it.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: BytesMut,
    len: usize,
    region: usize,
    home: Arc<Buffers>,
}

impl Buffer {
    /// The first `len` bytes, to be written to; `len` is at most `BUFFER_BYTES`.
    pub(crate) fn space(&mut self, len: usize) -> &mut [u8] {
        self.bytes.get_mut(..len).unwrap_or_default()
    }

    /// Says how many bytes were filled.
    pub(crate) fn set_len(&mut self, len: usize) {
        self.len = len.min(self.bytes.len());
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.home.give_back(self.region, std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again() {
        let buffers = Arc::new(Buffers::default());
        let mut buffer = buffers.take();
        let place = buffer.space(1).as_ptr();
        buffer.space(3).clone_from_slice(b"abc");
        buffer.set_len(2);
        assert_eq!(buffer.as_ref(), b"ab");
        drop(buffer);
        let mut again = buffers.take();
        assert_eq!(again.space(1).as_ptr(), place);
        assert!(again.as_ref().is_empty(), "what another read left is never seen");
        assert_ne!(buffers.take().space(1).as_ptr(), place);
    }

    fn regions_held(buffers: &Buffers) -> usize {
        buffers.regions().iter().filter(|region| region.lent > 0 || !region.free.is_empty()).count()
    }

    #[test]
    fn a_region_that_no_read_needed_for_a_while_goes_and_those_in_use_stay() {
        let buffers = Arc::new(Buffers::default());
        let mut taken: Vec<Buffer> = (0..=REGION_BUFFERS).map(|_| buffers.take()).collect();
        assert_eq!(regions_held(&buffers), 2);
        taken.truncate(1);
        buffers.trim();
        assert_eq!(regions_held(&buffers), 2, "both were in use since the last look");
        buffers.trim();
        assert_eq!(regions_held(&buffers), 1);
        taken.extend((0..REGION_BUFFERS).map(|_| buffers.take()));
        assert_eq!((regions_held(&buffers), buffers.regions().len()), (2, 2));
        taken.clear();
        buffers.trim();
        drop(buffers.take());
        buffers.trim();
        assert_eq!(regions_held(&buffers), 1, "one was used in between");
        buffers.trim();
        assert_eq!(regions_held(&buffers), 0);
        assert_eq!(buffers.regions()[0].free.capacity(), 0);
    }

    #[test]
    fn a_buffer_that_a_reader_keeps_survives_its_region_and_is_nobody_elses() {
        let buffers = Arc::new(Buffers::default());
        let mut kept = buffers.take();
        kept.space(3).fill(7);
        kept.set_len(3);
        let kept = bytes::Bytes::from_owner(kept);
        for _ in 0..3 {
            buffers.trim();
            let mut others: Vec<Buffer> = (0..REGION_BUFFERS * 2).map(|_| buffers.take()).collect();
            for buffer in &mut others {
                buffer.space(3).fill(0);
            }
        }
        assert_eq!(kept, [7; 3][..]);
    }

    #[test]
    fn memory_is_short_while_much_is_lent() {
        let buffers = Arc::new(Buffers::default());
        let mut taken: Vec<Buffer> = (1..LENT_MAX).map(|_| buffers.take()).collect();
        assert!(!buffers.is_short());
        taken.push(buffers.take());
        assert!(buffers.is_short());
        drop(taken);
        assert!(!buffers.is_short());
    }

    #[test]
    fn threads_never_share_a_buffer() {
        let buffers = Arc::new(Buffers::default());
        std::thread::scope(|scope| {
            for thread in 0..4_u8 {
                let buffers = &buffers;
                scope.spawn(move || {
                    for round in 0..200 {
                        let mut buffer = buffers.take();
                        buffer.space(64).fill(thread);
                        buffer.set_len(64);
                        if round % 10 == 0 {
                            buffers.trim();
                        }
                        std::thread::yield_now();
                        assert!(buffer.as_ref().iter().all(|&byte| byte == thread));
                    }
                });
            }
        });
        assert_eq!(buffers.lent.load(Ordering::Relaxed), 0);
    }
}
