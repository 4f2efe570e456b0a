//! Topics with the same configuration share one value of what follows from it: most have none of their own. Pure but for
//! its lock; which configuration is in force it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::config::Config;
use crate::controller::image::Configs;
use crate::replica::settings::TopicSettings;

/// Configurations that are known before those that nobody uses any more are looked for.
const KNOWN_MIN: usize = 64;

/// See the module.
#[derive(Debug)]
pub struct SettingsCache {
    trust_compressed: bool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The broker's configuration that all of this follows from.
    broker: Option<Arc<Config>>,
    settings: BTreeMap<Configs, Weak<TopicSettings>>,
    /// The number of entries at which they are looked through.
    prune_at: usize,
}

impl SettingsCache {
    /// An empty one, with `milena.produce.trust.compressed`.
    pub fn new(trust_compressed: bool) -> Self {
        Self { trust_compressed, known: Mutex::default() }
    }

    /// The settings of a topic with `own` values over the broker's. A stored value that is not valid here (an imported
    /// directory) is left out.
    pub fn settings_of(&self, broker: &Arc<Config>, topic: &str, own: &Configs) -> Arc<TopicSettings> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |other: &Arc<Config>| Arc::ptr_eq(other, broker) || other.has_topic_defaults_of(broker);
        if !known.broker.as_ref().is_some_and(same) {
            *known = Known::default();
        }
        known.broker = Some(Arc::clone(broker));
        if let Some(settings) = known.settings.get(own).and_then(Weak::upgrade) {
            return settings;
        }
        let (config, errors) = broker.stored_topic_config(own);
        for error in errors {
            tracing::warn!(topic, %error, "a stored configuration is not valid and has no effect");
        }
        let settings = TopicSettings::new(config, self.trust_compressed);
        known.add(own.clone(), &settings);
        settings
    }
}

impl Known {
    fn add(&mut self, own: Configs, settings: &Arc<TopicSettings>) {
        if self.settings.len() >= self.prune_at.max(KNOWN_MIN) {
            self.settings.retain(|_, settings| settings.strong_count() > 0);
            self.prune_at = self.settings.len().saturating_mul(2);
        }
        self.settings.insert(own, Arc::downgrade(settings));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(value: usize) -> Configs {
        [("retention.ms".to_owned(), value.to_string())].into()
    }

    #[test]
    fn topics_with_the_same_configuration_share_it_until_the_brokers_changes() {
        let cache = SettingsCache::new(false);
        let broker = Arc::new(Config::from_pairs([]).unwrap());
        let first = cache.settings_of(&broker, "a", &own(5));
        assert!(Arc::ptr_eq(&first, &cache.settings_of(&broker, "b", &own(5))));
        assert_eq!(first.config.retention_ms, 5);
        assert_ne!(cache.settings_of(&broker, "c", &Configs::new()).config.retention_ms, 5);
        let same = Arc::new(Config::from_pairs([("num.io.threads", "3")]).unwrap());
        assert!(Arc::ptr_eq(&first, &cache.settings_of(&same, "b", &own(5))));
        let other = Arc::new(Config::from_pairs([("log.segment.bytes", "1048576")]).unwrap());
        let changed = cache.settings_of(&other, "b", &own(5));
        assert_eq!((changed.config.retention_ms, changed.config.segment_bytes), (5, 1_048_576));
        assert_eq!(changed.log.segment_bytes, 1_048_576);
    }

    #[test]
    fn configurations_that_no_topic_has_any_more_do_not_pile_up() {
        let cache = SettingsCache::new(false);
        let broker = Arc::new(Config::from_pairs([]).unwrap());
        let kept = cache.settings_of(&broker, "kept", &own(1));
        for value in 2..10_000 {
            cache.settings_of(&broker, "gone", &own(value));
        }
        assert!(cache.known.lock().unwrap().settings.len() <= KNOWN_MIN);
        assert!(Arc::ptr_eq(&kept, &cache.settings_of(&broker, "kept", &own(1))));
    }
}
