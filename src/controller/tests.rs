//! The controller as its callers use it.
