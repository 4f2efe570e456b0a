//! The handles that an API's handler may use: plain public fields, no logic.

use std::sync::{Arc, Mutex};

use crate::config::Config;
use crate::controller::Controller;
use crate::coordinator::Coordinator;
use crate::observe::counters::Counters;
use crate::replica::registry::Registry;
use crate::types::{Clock, NodeId};

pub mod applier;
pub mod config_rules;
pub mod endpoints;
pub mod fetch_sessions;
pub mod live;
pub mod settings_cache;
pub mod telemetry;
pub mod topics;

/// One broker.
pub struct Broker {
    /// This node.
    pub node_id: NodeId,
    /// What was configured at the start; keys that cannot change later are read here.
    pub config: Arc<Config>,
    /// The configuration in force.
    pub live: Arc<live::LiveConfig>,
    /// Where the moment comes from.
    pub clock: Arc<dyn Clock>,
    /// The way to change metadata, and what it is now.
    pub controller: Arc<Controller>,
    /// The partitions that this node holds.
    pub partitions: Arc<Registry>,
    /// Groups and their offsets.
    pub coordinator: Arc<Coordinator>,
    /// What clients fetch, remembered between their polls.
    pub fetch_sessions: fetch_sessions::FetchSessions,
    /// What is counted for metrics.
    pub counters: Arc<Counters>,
    /// Clients that asked about telemetry.
    pub telemetry: Mutex<telemetry::Telemetry>,
}
