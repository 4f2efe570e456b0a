//! Start-up and shutdown order; owns every task and the system's clocks.
