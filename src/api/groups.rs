//! What the APIs of groups share: from the coordinator's answers to replies. No API of its own.

use std::collections::HashMap;
use std::hash::Hash;

use kafka_protocol::protocol::StrBytes;

use super::Reply;
use crate::coordinator::Answer;
use crate::types::ErrorCode;

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
