//! Servers that load programs are measured against, to know what the other side's part in a figure is.

pub(crate) mod echo;
pub(crate) mod sink;
