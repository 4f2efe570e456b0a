//! How much memory groups take, by estimate: one counter for all shards, and what each part of it is charged. A charge
//! ends with the value that carries it. It decides nothing: whoever would grow asks first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits::GROUP_MEMORY_BYTES_MAX;

/// Bytes that all groups take.
#[derive(Debug)]
pub struct GroupMemory {
    taken: AtomicUsize,
    bytes_max: usize,
}

impl Default for GroupMemory {
    fn default() -> Self {
        Self::new(GROUP_MEMORY_BYTES_MAX)
    }
}

impl GroupMemory {
    /// Memory of which so much may be taken.
    pub fn new(bytes_max: usize) -> Self {
        Self { taken: AtomicUsize::new(0), bytes_max }
    }

    /// Whether so much more may be taken. What is there already is never taken away.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        bytes == 0 || self.taken().saturating_add(bytes) <= self.bytes_max
    }

    /// Bytes that are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

/// What one part takes; nothing once it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Charge {
    memory: Option<Arc<GroupMemory>>,
    bytes: usize,
}

impl Charge {
    /// A charge of `bytes`.
    pub(crate) fn new(memory: &Arc<GroupMemory>, bytes: usize) -> Self {
        memory.taken.fetch_add(bytes, Ordering::Relaxed);
        Self { memory: Some(memory.clone()), bytes }
    }

    /// Charges other bytes from now on.
    pub(crate) fn set(&mut self, bytes: usize) {
        if let Some(memory) = &self.memory {
            memory.taken.fetch_add(bytes, Ordering::Relaxed);
            memory.taken.fetch_sub(self.bytes, Ordering::Relaxed);
            self.bytes = bytes;
        }
    }

    /// The bytes that are charged.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_counts_until_it_is_dropped() {
        let memory = Arc::new(GroupMemory::new(100));
        let mut first = Charge::new(&memory, 60);
        let second = Charge::new(&memory, 30);
        assert!(memory.has_room(10) && !memory.has_room(11));
        first.set(80);
        assert!(memory.has_room(0) && !memory.has_room(1));
        drop((first, second));
        assert_eq!(memory.taken(), 0);
    }
}
