//! What the targets share: how an input is cut into parts, checksums put right, and how long an input may take. It relies
//! on `wire` for what a batch looks like.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use milena::wire::batch::{BatchHeader, HEADER_BYTES, LOG_OVERHEAD};
use rustix::time::{ClockId, clock_gettime};

/// Computing time that one input may take in this build, which is several times slower than the one that is shipped.
const CPU_MAX: Duration = Duration::from_secs(4);
/// Where a batch's checksum is, and what it covers begins.
const CRC_AT: usize = 17;
const COVERED_AT: usize = 21;

/// Runs `work`, which must not take more of the processor than an input may. The time on the clock says nothing on a
/// machine that has other things to do.
///
/// # Panics
/// When it did.
pub fn bounded<T>(work: impl FnOnce() -> T) -> T {
    static WORST_MS: AtomicU64 = AtomicU64::new(500);
    let before = cpu_time();
    let result = work();
    let taken = cpu_time().saturating_sub(before);
    let taken_ms = u64::try_from(taken.as_millis()).unwrap_or(u64::MAX);
    if WORST_MS.fetch_max(taken_ms, Ordering::Relaxed) < taken_ms {
        eprintln!("longest input so far: {taken_ms} ms of computing");
    }
    assert!(taken < CPU_MAX, "the input took {taken:?} of computing");
    result
}

fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Cuts an input into parts, each behind its length in two bytes; the last one may be shorter than that says.
pub fn parts(data: &[u8]) -> Vec<&[u8]> {
    let mut rest = data;
    let mut parts = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let (part, later) = behind.split_at(usize::from(u16::from_be_bytes(*length)).min(behind.len()));
        parts.push(part);
        rest = later;
    }
    parts
}

/// Puts parts together as `parts` takes them apart, as far as `size_max` bytes reach.
pub fn joined(parts: &[Vec<u8>], size_max: usize) -> Vec<u8> {
    let mut data = Vec::new();
    for part in parts {
        let part = &part[..part.len().min(usize::from(u16::MAX))];
        if data.len() + 2 + part.len() > size_max {
            break;
        }
        data.extend_from_slice(&(part.len() as u16).to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

/// Puts the length and checksum right of every batch of a log, as far as there is one: what the checksum would have kept
/// out gets as far as a disk that lies, or a broker with a defect, would bring it.
pub fn seal_log(log: &mut [u8]) {
    let mut at = 0;
    while let Some(header) = log.get(at..).and_then(|rest| BatchHeader::read(rest).ok()) {
        let size = LOG_OVERHEAD.saturating_add(usize::try_from(header.batch_length).unwrap_or(usize::MAX));
        let end = at.saturating_add(size).min(log.len());
        if end < at + HEADER_BYTES {
            return;
        }
        seal(&mut log[at..end]);
        at = end;
    }
}

/// Puts the length, magic and checksum of one batch right.
pub fn seal(batch: &mut [u8]) {
    if batch.len() < HEADER_BYTES {
        return;
    }
    let length = (batch.len() - LOG_OVERHEAD) as u32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    batch[16] = 2;
    let crc = crc32c::crc32c(&batch[COVERED_AT..]);
    batch[CRC_AT..COVERED_AT].copy_from_slice(&crc.to_be_bytes());
}
