//! What one change makes of a configuration's value (KIP-339): set, delete, append, subtract. Pure.

use super::command::{ApiError, ConfigChange, ConfigOp, ConfigRules, Outcome};
use super::image::ResourceKind;
use crate::types::ErrorCode;

/// Bytes of a configuration's value: what Kafka's own records can hold.
const CONFIG_VALUE_BYTES_MAX: usize = 32_767;

/// The value that a key of a resource of `kind` has after `change`; `None` when it goes back to its default. What was
/// set explicitly until now is `before`.
///
/// # Errors
/// `INVALID_CONFIG` when elements are added to something that is no list, or the value is too long.
pub fn changed_value(
    rules: &dyn ConfigRules,
    kind: ResourceKind,
    change: &ConfigChange,
    before: Option<&String>,
) -> Outcome<Option<String>> {
    let invalid = |message: String| Err(ApiError::new(ErrorCode::InvalidConfig, message));
    let given = change.value.as_deref().unwrap_or_default();
    let after = match change.op {
        ConfigOp::Delete => return Ok(None),
        ConfigOp::Set => given.to_owned(),
        ConfigOp::Append | ConfigOp::Subtract => {
            if !rules.is_list(kind, &change.key) {
                return invalid(format!(
                    "{} holds no list, so nothing can be added to it or taken from it",
                    change.key
                ));
            }
            let base = before.cloned().or_else(|| rules.default_value(kind, &change.key)).unwrap_or_default();
            changed_list(&base, given, change.op)
        }
    };
    if after.len() > CONFIG_VALUE_BYTES_MAX {
        return invalid(format!("a value may have at most {CONFIG_VALUE_BYTES_MAX} bytes"));
    }
    Ok(Some(after))
}

fn changed_list(base: &str, given: &str, op: ConfigOp) -> String {
    let mut elements: Vec<&str> = base.split(',').filter(|element| !element.is_empty()).collect();
    for element in given.split(',') {
        let place = elements.iter().position(|have| *have == element);
        match (op, place) {
            (ConfigOp::Append, None) => elements.push(element),
            (ConfigOp::Subtract, Some(place)) => {
                elements.remove(place);
            }
            _ => {}
        }
    }
    elements.join(",")
}
