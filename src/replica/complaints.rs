//! What a partition, or a listener, has logged lately, so that a trouble that every request or connection meets again is
//! not a line for each.
//! Pure: the moment is handed in, and nothing is logged here.

use std::sync::{Mutex, PoisonError};

use crate::types::Now;

/// How long the same complaint is not repeated.
const REPEAT_MS: i64 = 60_000;

/// Different complaints within that time.
const COMPLAINTS_MAX: usize = 12;

/// The complaints of the last minute, with the moment of each.
#[derive(Debug, Default)]
pub struct Complaints(Mutex<Vec<(String, i64)>>);

impl Complaints {
    /// Whether this complaint is to be logged, which then counts as done.
    pub fn is_news(&self, complaint: impl Into<String>, now: Now) -> bool {
        let complaint = complaint.into();
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|(_, at_ms)| now.mono_ms.saturating_sub(*at_ms) < REPEAT_MS);
        if recent.len() >= COMPLAINTS_MAX || recent.iter().any(|(said, _)| *said == complaint) {
            return false;
        }
        recent.push((complaint, now.mono_ms));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_repeated_after_a_minute_and_another_one_is_made_at_once() {
        let complaints = Complaints::default();
        let begin = Now::default();
        let is_news = |text: &str, ms| complaints.is_news(text.to_owned(), begin.after_ms(ms));
        assert!(is_news("a", 0));
        assert!(!is_news("a", 1));
        assert!(is_news("b", 2));
        assert!(!is_news("a", REPEAT_MS - 1));
        assert!(is_news("a", REPEAT_MS));
        assert!(!is_news("b", REPEAT_MS));
    }

    #[test]
    fn complaints_that_always_differ_are_bounded() {
        let complaints = Complaints::default();
        let made = |begin: Now| (0..100).filter(|n| complaints.is_news(n.to_string(), begin)).count();
        assert_eq!(made(Now::default()), COMPLAINTS_MAX);
        assert_eq!(made(Now::default().after_ms(REPEAT_MS)), COMPLAINTS_MAX);
    }
}
