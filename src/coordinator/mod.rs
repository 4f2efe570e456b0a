//! Groups and offsets as pure state machines, and the one shell that runs them.
