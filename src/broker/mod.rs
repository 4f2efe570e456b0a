//! The handles that an API's handler may use: plain public fields, no logic.

use std::sync::Arc;

use crate::types::Clock;

/// One broker.
pub struct Broker {
    /// Where the moment comes from.
    pub clock: Arc<dyn Clock>,
}
