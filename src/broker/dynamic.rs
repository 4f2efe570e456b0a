//! The configuration with what was set at run time and stands in the image (KIP-226). Pure; stores nothing.

use std::borrow::Cow;

use crate::config::Config;
use crate::controller::image::{ConfigResource, Configs, Image};

/// `config` with the values that `image` holds for all brokers and for this one. What is stored there and cannot be
/// used is left out.
pub fn effective<'a>(config: &'a Config, image: &Image) -> Cow<'a, Config> {
    let cluster = image.config(&ConfigResource::broker(None));
    let node = image.config(&ConfigResource::broker(Some(config.node_id)));
    if cluster.is_none() && node.is_none() {
        return Cow::Borrowed(config);
    }
    let none = Configs::new();
    let cluster = cluster.map_or(&none, |stored| &**stored);
    let node = node.map_or(&none, |stored| &**stored);
    let (config, errors) = config.with_dynamic(cluster, node);
    for error in errors {
        tracing::debug!(%error, "a stored configuration of this broker is not valid and has no effect");
    }
    Cow::Owned(config)
}
