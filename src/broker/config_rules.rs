//! The table of configuration keys as the controller asks it. Decides nothing beyond the table.

use std::sync::Arc;

use crate::config::table::{self, Scope};
use crate::config::value::Kind;
use crate::config::{Config, check_dynamic};
use crate::controller::command::{ApiError, ConfigRules, Outcome};
use crate::controller::image::{ConfigResource, Configs, ResourceKind};
use crate::types::ErrorCode;

/// See the module.
pub struct TableRules {
    /// The broker's values, which topics go by where they have none.
    pub config: Arc<Config>,
}

impl ConfigRules for TableRules {
    fn validate(&self, resource: &ConfigResource, configs: &Configs) -> Outcome<()> {
        let invalid = |error: String| Err(ApiError::new(ErrorCode::InvalidConfig, error));
        match resource.kind {
            ResourceKind::TOPIC => match self.config.topic_config(configs) {
                Ok(_) => Ok(()),
                Err(errors) => invalid(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
            },
            ResourceKind::BROKER => {
                let wrong = configs.iter().find_map(|(key, value)| check_dynamic(key, value).err());
                wrong.map_or(Ok(()), |error| invalid(error.to_string()))
            }
            kind => match scope(kind) {
                Some(_) if resource.name.is_empty() => {
                    Err(ApiError::new(ErrorCode::InvalidRequest, "there is no default for all of them"))
                }
                Some(scope) => {
                    let check = |(key, value): (&String, &String)| table::require(scope, key)?.parse(value);
                    let wrong = configs.iter().find_map(|entry| check(entry).err());
                    wrong.map_or(Ok(()), |error| invalid(error.to_string()))
                }
                None => {
                    let message = format!("resources of type {} have no configurations here", kind.0);
                    Err(ApiError::new(ErrorCode::InvalidRequest, message))
                }
            },
        }
    }

    fn is_list(&self, kind: ResourceKind, key: &str) -> bool {
        scope(kind).and_then(|scope| table::find(scope, key)).is_some_and(|key| key.kind == Kind::List)
    }

    fn default_value(&self, kind: ResourceKind, key: &str) -> Option<String> {
        // As in Kafka the key's own default, whatever the broker's is.
        table::find(scope(kind)?, key)?.default.map(str::to_owned)
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

    fn validate(kind: ResourceKind, name: &str, key: &str, value: &str) -> i16 {
        let rules = TableRules { config: Arc::new(Config::from_pairs([]).unwrap()) };
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
        assert_eq!(validate(ResourceKind::BROKER_LOGGER, "1", "root", "DEBUG"), 42);
    }

    #[test]
    fn elements_are_added_to_the_keys_own_default() {
        let config = Config::from_pairs([("log.cleanup.policy", "compact")]).unwrap();
        let rules = TableRules { config: Arc::new(config) };
        assert_eq!(rules.default_value(ResourceKind::TOPIC, "cleanup.policy").as_deref(), Some("delete"));
    }
}
