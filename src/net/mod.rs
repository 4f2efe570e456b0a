//! Listener, connection reader and writer, ordered reply slots, admission.
