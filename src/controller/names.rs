//! Which names a topic may have (Kafka's `Topic`), and which names collide.

use std::cmp::Ordering;

use super::command::{ApiError, Outcome};
use crate::types::ErrorCode;

/// Characters a topic's name may have at most.
const TOPIC_NAME_CHARS_MAX: usize = 249;

/// Whether a topic may have this name; `INVALID_TOPIC_EXCEPTION` (17) with the reason when not.
pub fn check_topic_name(name: &str) -> Outcome<()> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let reason = match name {
        "" => "a topic name cannot be empty".to_owned(),
        "." | ".." => format!("a topic cannot be named '{name}'"),
        _ if name.chars().count() > TOPIC_NAME_CHARS_MAX => {
            format!("the topic name '{name}' is longer than {TOPIC_NAME_CHARS_MAX} characters")
        }
        _ if !name.bytes().all(legal) => {
            format!("the topic name '{name}' has a character other than ASCII letters, digits, '.', '_', '-'")
        }
        _ => return Ok(()),
    };
    Err(ApiError::new(ErrorCode::InvalidTopicException, reason))
}

/// Whether a topic may have this name.
pub fn is_valid(name: &str) -> bool {
    check_topic_name(name).is_ok()
}

/// Whether another name can collide with this one.
pub(super) fn can_collide(name: &str) -> bool {
    name.contains(['.', '_'])
}

/// An order of names in which a dot is as good as an underscore: names that are equal in it collide, because Kafka's
/// metrics cannot tell them apart.
pub(super) fn collision_order(left: &str, right: &str) -> Ordering {
    let form = |byte| if byte == b'.' { b'_' } else { byte };
    left.bytes().map(form).cmp(right.bytes().map(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_kafkas_rules() {
        let longest = "x".repeat(249);
        for good in ["a", "...", "A.b_c-9", "__consumer_offsets", longest.as_str()] {
            assert_eq!(check_topic_name(good), Ok(()), "{good}");
        }
        let too_long = "x".repeat(250);
        for bad in ["", ".", "..", "a b", "a/b", "é", "a\0", too_long.as_str()] {
            assert_eq!(check_topic_name(bad).unwrap_err().code, ErrorCode::InvalidTopicException, "{bad}");
        }
    }

    #[test]
    fn dots_and_underscores_collide() {
        assert!(collision_order("a.b_c", "a_b.c").is_eq() && can_collide("a.b"));
        assert!(collision_order("a.b", "a-b").is_ne() && !can_collide("a-b"));
    }
}
