//! One partition's files: segments, indexes, recovery, retention, producer state, epochs, checkpoints.
