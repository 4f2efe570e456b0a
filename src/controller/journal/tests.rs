//! The journal against files: crashes at every byte, folding, and what Kafka wrote.
