//! What one change makes of a configuration's value (KIP-339): set, delete, append, subtract. Pure.

use std::collections::{HashMap, HashSet};

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

/// Linear in both lists: a client's value may hold very many elements, and the controller decides one command at a time.
fn changed_list(base: &str, given: &str, op: ConfigOp) -> String {
    let mut elements: Vec<&str> = base.split(',').filter(|element| !element.is_empty()).collect();
    let given = given.split(',');
    if op == ConfigOp::Append {
        let mut have: HashSet<&str> = elements.iter().copied().collect();
        elements.extend(given.filter(|element| have.insert(element)));
    } else {
        let mut taken: HashMap<&str, usize> = HashMap::new();
        for element in given {
            *taken.entry(element).or_default() += 1;
        }
        elements.retain(|element| match taken.get_mut(element) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        });
    }
    elements.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_added_once_and_taken_away_one_for_one() {
        let changed = |base, given, op| changed_list(base, given, op);
        assert_eq!(changed("a,,b", "c,b,c", ConfigOp::Append), "a,b,c");
        assert_eq!(changed("", "c", ConfigOp::Append), "c");
        assert_eq!(changed("a,b,a,c,a", "a,x", ConfigOp::Subtract), "b,a,c,a");
        assert_eq!(changed("a,b,a,c,a", "a,c,a", ConfigOp::Subtract), "b,a");
    }

    #[test]
    fn very_many_elements_cost_as_much_as_they_are_many() {
        let many: Vec<String> = (0..200_000).map(|number| number.to_string()).collect();
        let many = many.join(",");
        assert_eq!(changed_list("", &many, ConfigOp::Append), many);
        assert_eq!(changed_list(&many, &many, ConfigOp::Subtract), "");
    }
}
