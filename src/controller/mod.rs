//! Topics, partitions, configurations and producer-id blocks: a pure machine over the metadata journal.
