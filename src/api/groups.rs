//! What the APIs of groups share: from the coordinator's answers to replies. No API of its own.

use std::collections::HashMap;
use std::hash::Hash;

use kafka_protocol::protocol::StrBytes;

use super::Reply;
use crate::coordinator::Answer;
use crate::limits::GROUP_ANSWER_BYTES_MAX;
use crate::types::ErrorCode;

/// Characters of a reason that a member gives (KIP-800).
const REASON_CHARS_MAX: usize = 255;

/// The reply that an answer of the coordinator becomes: there now, or when it is.
pub(super) fn reply<T: Send + 'static, R: 'static>(
    answer: Answer<T>,
    respond: impl FnOnce(Result<T, ErrorCode>) -> R + Send + 'static,
) -> Reply<R> {
    match answer {
        Answer::Ready(result) => Reply::Now(respond(result)),
        Answer::Later(future) => Reply::Later(Box::pin(async move { respond(future.await) })),
    }
}

/// The reply that many answers become, in their order.
pub(super) fn reply_all<T: Send + 'static, R: 'static>(
    answers: Vec<Answer<T>>,
    respond: impl FnOnce(Vec<Result<T, ErrorCode>>) -> R + Send + 'static,
) -> Reply<R> {
    if answers.iter().all(|answer| matches!(answer, Answer::Ready(_))) {
        let ready = answers.into_iter().filter_map(|answer| match answer {
            Answer::Ready(result) => Some(result),
            Answer::Later(_) => None,
        });
        return Reply::Now(respond(ready.collect()));
    }
    Reply::Later(Box::pin(async move {
        let mut results = Vec::with_capacity(answers.len());
        for answer in answers {
            results.push(answer.wait().await);
        }
        respond(results)
    }))
}

/// What is asked without repetitions, and where in it each question stands: a group that is asked for again and again is
/// looked up once.
pub(super) fn once<Q: Clone + Eq + Hash>(asked: Vec<Q>) -> (Vec<Q>, Vec<usize>) {
    let mut distinct = Vec::new();
    let mut known: HashMap<Q, usize> = HashMap::with_capacity(asked.len());
    let mut places = Vec::with_capacity(asked.len());
    for question in asked {
        let place = *known.entry(question).or_insert_with_key(|question| {
            distinct.push(question.clone());
            distinct.len() - 1
        });
        places.push(place);
    }
    (distinct, places)
}

/// Results that are told as often as they were asked for, as Kafka does, up to [`GROUP_ANSWER_BYTES_MAX`] in all.
pub(super) struct Told<T> {
    /// Each with its bytes in an answer, about.
    results: Vec<(usize, Result<T, ErrorCode>)>,
    bytes_left: usize,
}

impl<T: Clone> Told<T> {
    /// Nothing is told yet; `bytes` tells how large a result is.
    pub(super) fn new(results: Vec<Result<T, ErrorCode>>, bytes: impl Fn(&T) -> usize) -> Self {
        let sized = results.into_iter().map(|result| (result.as_ref().map_or(0, &bytes), result));
        Self { results: sized.collect(), bytes_left: GROUP_ANSWER_BYTES_MAX }
    }

    /// The result at `place`, or `POLICY_VIOLATION` when the answer would become too large by it.
    pub(super) fn tell(&mut self, place: usize) -> Result<T, ErrorCode> {
        let (bytes, result) = self.results.get(place).ok_or(ErrorCode::UnknownServerError)?;
        self.bytes_left = self.bytes_left.checked_sub(*bytes).ok_or(ErrorCode::PolicyViolation)?;
        result.clone()
    }
}

/// Verdicts by topic, as a request names it: partition index and error.
pub(super) type Verdicts<K> = Vec<(K, Vec<(i32, Option<ErrorCode>)>)>;

/// What was refused before the group was asked, then what the group said: one entry a topic. What the group said alone
/// stays as it was asked, as with Kafka.
pub(super) fn merged<K: Clone + Eq + Hash>(unknown: Verdicts<K>, of_group: Verdicts<K>) -> Verdicts<K> {
    if unknown.is_empty() {
        return of_group;
    }
    let mut all = Verdicts::new();
    let mut places: HashMap<K, usize> = HashMap::new();
    for (named, partitions) in unknown.into_iter().chain(of_group) {
        if let Some((_, known)) = places.get(&named).and_then(|place| all.get_mut(*place)) {
            known.extend(partitions);
        } else {
            places.insert(named.clone(), all.len());
            all.push((named, partitions));
        }
    }
    all
}

/// The code of an error, 0 for none.
pub(super) fn code(error: Option<ErrorCode>) -> i16 {
    error.map_or(0, |error| error.code())
}

/// An optional string of a request.
pub(super) fn owned(text: Option<&StrBytes>) -> Option<String> {
    text.map(ToString::to_string)
}

/// Why a member joins or leaves, for the log: no longer than KIP-800 allows a client to be.
pub(super) fn reason(text: Option<&StrBytes>) -> Option<String> {
    text.map(|text| text.chars().take(REASON_CHARS_MAX).collect())
}

/// An optional string of a response.
pub(super) fn text(text: Option<String>) -> Option<StrBytes> {
    text.map(StrBytes::from_string)
}

/// Encodes a response at every version that is served, and reads it back.
#[cfg(test)]
pub(super) fn in_every_version<R>(
    versions: std::ops::RangeInclusive<i16>,
    respond: impl Fn(i16) -> R,
) -> Vec<R>
where
    R: kafka_protocol::protocol::Encodable + kafka_protocol::protocol::Decodable,
{
    let through_the_wire = |version| {
        let mut bytes = bytes::BytesMut::new();
        respond(version).encode(&mut bytes, version).unwrap_or_else(|error| panic!("v{version}: {error}"));
        R::decode(&mut bytes.freeze(), version).unwrap()
    };
    versions.map(through_the_wire).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_comes_again_is_asked_once_and_has_its_place() {
        assert_eq!(once(vec!["b", "a", "b", "c", "a"]), (vec!["b", "a", "c"], vec![0, 1, 0, 2, 1]));
    }

    #[test]
    fn a_reason_for_the_log_is_short_however_long_it_was() {
        let long = StrBytes::from_string("ä".repeat(1_000_000));
        assert_eq!(reason(Some(&long)), Some("ä".repeat(255)));
        assert_eq!(
            (reason(Some(&StrBytes::from_static_str("why"))), reason(None)),
            (Some("why".into()), None)
        );
    }

    #[test]
    fn results_are_told_again_until_the_answer_is_full() {
        let results = vec![Ok(GROUP_ANSWER_BYTES_MAX / 2), Err(ErrorCode::NotCoordinator), Ok(1)];
        let mut told = Told::new(results, |bytes| *bytes);
        let half = GROUP_ANSWER_BYTES_MAX / 2;
        assert_eq!([told.tell(0), told.tell(0)], [Ok(half); 2]);
        let full = Err(ErrorCode::PolicyViolation);
        assert_eq!([told.tell(0), told.tell(2), told.tell(1)], [full, full, Err(ErrorCode::NotCoordinator)]);
    }
}
