//! Sockets: accepting, reading requests, ordering and writing answers, limits. Nothing here knows what an API does.

pub mod admission;
mod arrival;
pub mod connection;
pub mod listener;
pub mod places;
mod reply;
