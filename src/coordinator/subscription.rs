//! The topics inside a consumer's protocol metadata (Kafka's `ConsumerProtocolSubscription`). The bytes are a
//! client's: reading is bounded by what is there, and what does not parse means "unknown", never an error.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeSet;

use crate::types::TopicName;

/// The subscribed topics. Version 0 is a prefix of every version, so it alone is read.
pub(crate) fn topics(metadata: &[u8]) -> Option<BTreeSet<TopicName>> {
    let rest = &mut &*metadata;
    if i16::from_be_bytes(take(rest)?) < 0 {
        return None;
    }
    let count = usize::try_from(i32::from_be_bytes(take(rest)?)).ok()?;
    // Every name takes two bytes at least.
    if count > rest.len() / 2 {
        return None;
    }
    let mut topics = BTreeSet::new();
    for _ in 0..count {
        let length = usize::try_from(i16::from_be_bytes(take(rest)?)).ok()?;
        let (name, behind) = rest.split_at_checked(length)?;
        *rest = behind;
        topics.insert(std::str::from_utf8(name).ok()?.into());
    }
    let user_data = i32::from_be_bytes(take(rest)?);
    (user_data <= 0 || usize::try_from(user_data).is_ok_and(|length| length <= rest.len())).then_some(topics)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*taken)
}

/// Metadata of a consumer that subscribes to `topics`, as clients encode it at version 0.
#[cfg(test)]
pub(crate) fn encode(topics: &[&str]) -> bytes::Bytes {
    let mut out = vec![0, 0];
    out.extend((topics.len() as i32).to_be_bytes());
    for topic in topics {
        out.extend((topic.len() as i16).to_be_bytes());
        out.extend(topic.as_bytes());
    }
    out.extend((-1i32).to_be_bytes());
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscribed_topics_are_read_whatever_follows_them() {
        let mut bytes = encode(&["b", "a", "b"]).to_vec();
        bytes.extend([1, 2, 3]);
        let topics = topics(&bytes).unwrap();
        assert_eq!(topics.iter().map(|t| &**t).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn bytes_that_are_no_subscription_mean_unknown_topics() {
        let good = encode(&["orders", "payments"]);
        for cut in 0..good.len() {
            assert_eq!(topics(&good[..cut]), None, "cut at {cut}");
        }
        for bad in
            [&[0xff, 0xff, 0, 0, 0, 0][..], &[0, 0, 0x7f, 0xff, 0xff, 0xff], &[0, 0, 0, 0, 0, 1, 0, 1, 0xff]]
        {
            assert_eq!(topics(bad), None);
        }
        let long_user_data = [&encode(&[])[..6], &9i32.to_be_bytes()].concat();
        assert_eq!(topics(&long_user_data), None);
    }
}
