//! Topics, partitions, configurations and producer-id blocks: a pure machine over the metadata journal.

pub mod command;
pub mod image;

use std::sync::Arc;

use command::Changes;
use image::Image;

/// Who applies committed metadata to the broker. Called for one command at a time, in the journal's order, on the
/// controller's own thread (not a runtime's worker), before the command's answer leaves.
pub trait Publisher: Send + Sync + 'static {
    /// The image changed from `before` to `after`, which readers see already.
    fn publish(&self, before: &Arc<Image>, after: &Arc<Image>, changes: &Changes);
}
