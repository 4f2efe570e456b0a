//! Loads on bare sockets: nothing of a client library is in their figures. Requests are encoded before the clock starts;
//! in the measured part a frame gets its correlation id, is written, and its answer is read and checked at fixed places.

pub(crate) mod acks;
pub(crate) mod channel;
pub(crate) mod connection;
pub(crate) mod createmany;
pub(crate) mod frames;
pub(crate) mod heartbeats;
pub(crate) mod idle;
pub(crate) mod metadata;
pub(crate) mod roundtrip;
