//! What all connections share: memory for requests that are still arriving.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{ADMISSION_WAIT_MS_MAX, REQUEST_BYTES_FREE, REQUEST_MEMORY_BYTES_MAX};

/// Permits are counted in KiB, because a semaphore counts to `u32`.
const UNIT_BYTES: usize = 1024;

/// The memory that all arriving requests share.
#[derive(Clone, Debug)]
pub struct Admission {
    memory: Arc<Semaphore>,
}

/// No memory became free in time: the connection has to end, or requests that are half here could wait for each
/// other for ever.
#[derive(Debug, thiserror::Error)]
#[error("no memory for a request became free within {ADMISSION_WAIT_MS_MAX} ms")]
pub struct Exhausted;

impl Admission {
    /// Memory of `queued.max.request.bytes`, or of a size of our own where that is not set.
    pub fn new(bytes: Option<i64>) -> Self {
        let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(REQUEST_MEMORY_BYTES_MAX);
        Self { memory: Arc::new(Semaphore::new((bytes / UNIT_BYTES).min(Semaphore::MAX_PERMITS))) }
    }

    /// A permit for a connection, which holds nothing yet.
    pub fn permit(&self) -> Permit {
        Permit { memory: self.memory.clone(), held: None }
    }
}

/// What one connection holds.
#[derive(Debug)]
pub struct Permit {
    memory: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Permit {
    /// Whether nothing has to be waited for before `bytes` may have arrived.
    pub fn covers(&self, bytes: usize) -> bool {
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        bytes <= REQUEST_BYTES_FREE || bytes.div_ceil(UNIT_BYTES) <= held
    }

    /// Makes the permit cover `bytes` that have arrived. A small request needs none.
    pub async fn cover(&mut self, bytes: usize) -> Result<(), Exhausted> {
        if bytes <= REQUEST_BYTES_FREE {
            return Ok(());
        }
        let units = bytes.div_ceil(UNIT_BYTES);
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Some(missing) = units.checked_sub(held).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)
        else {
            return Ok(());
        };
        let wait = Duration::from_millis(ADMISSION_WAIT_MS_MAX);
        let more = tokio::time::timeout(wait, self.memory.clone().acquire_many_owned(missing))
            .await
            .map_err(|_| Exhausted)?
            .map_err(|_| Exhausted)?;
        match &mut self.held {
            Some(held) => held.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }

    /// Whether the connection holds any.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Gives everything back: the request was handled.
    pub fn release(&mut self) {
        self.held = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_beyond_the_shared_memory_waits_and_then_fails() {
        let admission = Admission::new(None);
        let (mut first, mut second) = (admission.permit(), admission.permit());
        first.cover(REQUEST_MEMORY_BYTES_MAX).await.unwrap();
        second.cover(REQUEST_BYTES_FREE).await.unwrap();
        assert!(second.cover(REQUEST_BYTES_FREE + 1).await.is_err());
        first.release();
        second.cover(REQUEST_MEMORY_BYTES_MAX).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_grows_by_what_is_missing() {
        let admission = Admission::new(None);
        let mut permit = admission.permit();
        for part in 1..=4 {
            permit.cover(REQUEST_MEMORY_BYTES_MAX / 4 * part).await.unwrap();
        }
        assert_eq!(admission.memory.available_permits(), 0);
        permit.release();
        assert_eq!(admission.memory.available_permits(), REQUEST_MEMORY_BYTES_MAX / UNIT_BYTES);
    }
}
