//! The configuration in force: that of the start with what was set at run time (KIP-226). The applier alone changes
//! it; whoever depends on a value that can change asks here for it, or subscribes.

use std::sync::Arc;

use tokio::sync::watch;

use crate::config::Config;
use crate::controller::image::{ConfigResource, Configs, Image};

/// See the module.
#[derive(Debug)]
pub struct LiveConfig {
    start: Arc<Config>,
    current: watch::Sender<Arc<Config>>,
}

impl LiveConfig {
    /// The configuration of the start, until something is set.
    pub fn new(start: Arc<Config>) -> Self {
        Self { current: watch::Sender::new(start.clone()), start }
    }

    /// The configuration as it is now. It holds what `image` says when the answer to a change leaves.
    pub fn current(&self) -> Arc<Config> {
        self.current.borrow().clone()
    }

    /// Wakes whenever the configuration has changed.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Config>> {
        self.current.subscribe()
    }

    /// Takes up what `image` holds for all brokers and for this one. What is stored there and cannot be used is left
    /// out.
    pub fn apply(&self, image: &Image) -> Arc<Config> {
        let none = Configs::new();
        let stored = |node| image.config(&ConfigResource::broker(node)).map_or(&none, |configs| &**configs);
        let (cluster, node) = (stored(None), stored(Some(self.start.node_id)));
        let config = if cluster.is_empty() && node.is_empty() {
            self.start.clone()
        } else {
            let (config, errors) = self.start.with_dynamic(cluster, node);
            for error in errors {
                tracing::warn!(%error, "a stored configuration of this broker has no effect");
            }
            Arc::new(config)
        };
        self.current.send_replace(config.clone());
        config
    }
}
