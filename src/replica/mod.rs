//! A partition as clients see it: append, read, high watermark, last stable offset.

mod cleaning;
mod commit;
pub mod complaints;
pub mod directory;
#[cfg(test)]
mod directory_tests;
pub mod partition;
pub mod reading;
pub mod registry;
pub mod settings;
#[cfg(test)]
mod tests;
pub mod validate;
pub mod waiters;

pub use partition::Partition;
