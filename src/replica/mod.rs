//! A partition as clients see it: append, read, high watermark, last stable offset.
pub mod waiters;

pub mod validate;
