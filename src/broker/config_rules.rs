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
            other => {
                let message = format!("resources of type {} have no configurations here", other.0);
                Err(ApiError::new(ErrorCode::InvalidRequest, message))
            }
        }
    }

    fn is_list(&self, kind: ResourceKind, key: &str) -> bool {
        scope(kind).and_then(|scope| table::find(scope, key)).is_some_and(|key| key.kind == Kind::List)
    }

    fn default_value(&self, kind: ResourceKind, key: &str) -> Option<String> {
        match kind {
            ResourceKind::TOPIC => self.config.topic_default(key).map(str::to_owned),
            _ => table::find(scope(kind)?, key)?.default.map(str::to_owned),
        }
    }
}

fn scope(kind: ResourceKind) -> Option<Scope> {
    match kind {
        ResourceKind::TOPIC => Some(Scope::Topic),
        ResourceKind::BROKER => Some(Scope::Broker),
        _ => None,
    }
}
