//! The seam to the log of one partition of `__consumer_offsets`: all that a shard asks of it.

use bytes::Bytes;

use super::answer::BoxFuture;
use crate::types::{ErrorCode, Now, Offset};
use crate::wire::batch::Batch;

/// One partition as its coordinator shard sees it. Positions are next offsets: a log with `n` records from 0 ends
/// at `n`.
pub trait GroupLog: Send + Sync + 'static {
    /// Appends one batch, without waiting for its commit, and tells the log's new end. The shard is the only writer.
    /// Called under the shard's mutex: it must not wait for anything but the write itself.
    fn append(&self, batch: Batch, now: Now) -> Result<Offset, ErrorCode>;

    /// Up to where records are committed: what readers may see.
    fn committed(&self) -> Offset;

    /// Completes when everything below `upto` is committed; fails when that can no longer happen.
    fn wait_committed(&self, upto: Offset) -> BoxFuture<Result<(), ErrorCode>>;

    /// Where the log begins and where it ends, committed or not. Fails when the log cannot be opened.
    fn bounds(&self) -> Result<(Offset, Offset), ErrorCode>;

    /// Whole batches from the one that holds `from` on, at least one, about `bytes_max`; nothing at the end.
    /// May read from disk.
    fn read(&self, from: Offset, bytes_max: usize) -> Result<Bytes, ErrorCode>;

    /// Bytes that one batch may have (`max.message.bytes`).
    fn batch_bytes_max(&self) -> usize;
}
