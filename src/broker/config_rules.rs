//! The table of configuration keys as the controller asks it. Decides nothing beyond the table.

use std::sync::Arc;

use crate::config::table::{self, Scope};
use crate::config::value::{ConfigError, Kind};
use crate::config::{SubscriptionError, check_subscription};
use crate::controller::command::{ApiError, ConfigRules, Outcome};
use crate::controller::image::{ConfigResource, Configs, ResourceKind};
use crate::types::ErrorCode;

use super::live::LiveConfig;

/// What is wrong with a topic's configurations that one message tells.
const ERRORS_TOLD_MAX: usize = 10;

/// See the module.
pub struct TableRules {
    /// The broker's values, which topics and groups go by where they have none.
    pub live: Arc<LiveConfig>,
}

impl ConfigRules for TableRules {
    fn validate(&self, resource: &ConfigResource, configs: &Configs) -> Outcome<()> {
        let invalid = |error: &dyn ToString| ApiError::new(ErrorCode::InvalidConfig, error.to_string());
        let refused = |message: &str| Err(ApiError::new(ErrorCode::InvalidRequest, message));
        match resource.kind {
            ResourceKind::TOPIC => self
                .live
                .current()
                .topic_config(configs)
                .map(drop)
                .map_err(|errors| invalid(&listed(&errors))),
            // The broker that is asked has checked them: only it knows what it runs with.
            ResourceKind::BROKER => Ok(()),
            ResourceKind::GROUP | ResourceKind::CLIENT_METRICS if resource.name.is_empty() => {
                refused("there is no default for all of them")
            }
            ResourceKind::GROUP => self.live.current().check_group(configs).map_err(|error| invalid(&error)),
            ResourceKind::CLIENT_METRICS => check_subscription(configs).map_err(|error| match error {
                SubscriptionError::Config(error) => invalid(&error),
                SubscriptionError::Request(error) => {
                    ApiError::new(ErrorCode::InvalidRequest, error.to_string())
                }
            }),
            ResourceKind(other) => refused(&format!("resources of type {other} have no configurations here")),
        }
    }

    fn is_list(&self, kind: ResourceKind, key: &str) -> bool {
        // Kafka looks at the keys of these two alone, although subscriptions to client metrics hold lists, too.
        let scope = scope(kind).filter(|scope| matches!(scope, Scope::Topic | Scope::Broker));
        scope.and_then(|scope| table::find(scope, key)).is_some_and(|key| key.kind == Kind::List)
    }

    fn default_value(&self, kind: ResourceKind, key: &str) -> Option<String> {
        // As in Kafka the key's own default, whatever the broker's is.
        table::find(scope(kind)?, key)?.default.map(str::to_owned)
    }
}

/// The first errors in words, and how many more there are: a message is short, however much is wrong.
fn listed(errors: &[ConfigError]) -> String {
    let first: Vec<String> = errors.iter().take(ERRORS_TOLD_MAX).map(ToString::to_string).collect();
    let first = first.join("; ");
    match errors.len().saturating_sub(ERRORS_TOLD_MAX) {
        0 => first,
        more => format!("{first}; and {more} more"),
    }
}

fn scope(kind: ResourceKind) -> Option<Scope> {
    match kind {
        ResourceKind::TOPIC => Some(Scope::Topic),
        ResourceKind::BROKER => Some(Scope::Broker),
        ResourceKind::GROUP => Some(Scope::Group),
        ResourceKind::CLIENT_METRICS => Some(Scope::ClientMetrics),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn rules(config: Config) -> TableRules {
        TableRules { live: Arc::new(LiveConfig::new(Arc::new(config))) }
    }

    fn validate(kind: ResourceKind, name: &str, key: &str, value: &str) -> i16 {
        let rules = rules(Config::from_pairs([]).unwrap());
        let resource = ConfigResource { kind, name: name.to_owned() };
        let configs = Configs::from([(key.to_owned(), value.to_owned())]);
        rules.validate(&resource, &configs).err().map_or(0, |error| error.code.code())
    }

    #[test]
    fn each_kind_of_resource_has_its_own_keys() {
        assert_eq!(validate(ResourceKind::TOPIC, "t", "retention.ms", "5"), 0);
        assert_eq!(validate(ResourceKind::TOPIC, "t", "log.retention.ms", "5"), 40);
        assert_eq!(validate(ResourceKind::BROKER, "1", "log.retention.ms", "5"), 0);
        assert_eq!(validate(ResourceKind::GROUP, "g", "consumer.session.timeout.ms", "50000"), 0);
        assert_eq!(validate(ResourceKind::GROUP, "g", "retention.ms", "5"), 40);
        assert_eq!(validate(ResourceKind::GROUP, "", "consumer.session.timeout.ms", "50000"), 42);
        assert_eq!(validate(ResourceKind::CLIENT_METRICS, "m", "interval.ms", "50000"), 0);
        assert_eq!(validate(ResourceKind::CLIENT_METRICS, "m", "interval.ms", "soon"), 40);
        assert_eq!(validate(ResourceKind::CLIENT_METRICS, "m", "interval.ms", "99"), 42);
        assert_eq!(validate(ResourceKind::CLIENT_METRICS, "m", "retention.ms", "99"), 42);
        assert_eq!(validate(ResourceKind::BROKER_LOGGER, "1", "root", "DEBUG"), 42);
    }

    #[test]
    fn elements_are_added_to_the_keys_own_default() {
        let config = Config::from_pairs([("log.cleanup.policy", "compact")]).unwrap();
        let rules = rules(config);
        assert_eq!(rules.default_value(ResourceKind::TOPIC, "cleanup.policy").as_deref(), Some("delete"));
    }
}
