//! The broker's configuration as it is now: what was given at the start under what was stored at run time.

use std::borrow::Cow;

use crate::config::Config;
use crate::controller::image::{ConfigResource, Configs, Image};

/// `config` with the values that `image` holds for all brokers and for this one. What is stored and wrong is left
/// out: it is reported where it is applied.
pub fn with_stored<'a>(config: &'a Config, image: &Image) -> Cow<'a, Config> {
    let cluster = image.config(&ConfigResource::broker(None));
    let node = image.config(&ConfigResource::broker(Some(config.node_id)));
    if cluster.is_none() && node.is_none() {
        return Cow::Borrowed(config);
    }
    let none = Configs::new();
    let (cluster, node) = (cluster.map_or(&none, |stored| &**stored), node.map_or(&none, |stored| &**stored));
    Cow::Owned(config.with_dynamic(cluster, node).0)
}
