//! `partition.metadata`: the topic id that a partition's directory belongs to. Text of two lines without a final
//! newline. Pure.

use crate::types::TopicId;

pub(crate) const FILE_NAME: &str = "partition.metadata";
pub(crate) const BYTES_MAX: u64 = 4096;

pub(crate) fn format(id: TopicId) -> String {
    format!("version: 0\ntopic_id: {id}")
}

/// The topic id; `None` for a file of another version or shape.
pub(crate) fn parse(bytes: &[u8]) -> Option<TopicId> {
    let mut lines = std::str::from_utf8(bytes).ok()?.lines();
    if lines.next()?.trim() != "version: 0" {
        return None;
    }
    let id = TopicId::parse(lines.next()?.strip_prefix("topic_id:")?.trim())?;
    (id != TopicId::ZERO).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_kafka_wrote_and_nothing_else() {
        let text = "version: 0\ntopic_id: B6G_RwcNSD6o6trLeAETPg";
        let id = parse(text.as_bytes()).unwrap();
        assert_eq!(format(id), text);
        for bad in
            ["", "version: 1\ntopic_id: B6G_RwcNSD6o6trLeAETPg", "version: 0\n", "version: 0\ntopic_id: x"]
        {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
