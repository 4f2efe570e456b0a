//! The handles that a handler may use, plain public fields, no logic.
