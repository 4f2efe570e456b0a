//! The small files that say whose a data directory is and how it was left: `meta.properties` (Java properties),
//! `.kafka_cleanshutdown` and `quorum-state` (JSON). Pure.

use uuid::Uuid;

use crate::types::{NodeId, TopicId};

pub(crate) const META_FILE_NAME: &str = "meta.properties";
pub(crate) const CLEAN_FILE_NAME: &str = ".kafka_cleanshutdown";
/// Kafka's, in the directory of the metadata log. Every start of a Kafka writes a higher leader epoch into it.
pub(crate) const QUORUM_FILE_NAME: &str = "quorum-state";
/// The property with the leader epoch that `quorum-state` had when the directory was taken over from a Kafka.
const QUORUM_EPOCH_KEY: &str = "milena.quorum.epoch";
pub(crate) const BYTES_MAX: u64 = 64 * 1024;

/// Whose a data directory is: the content of `meta.properties`, version 1 (`KRaft`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaProperties {
    /// `cluster.id`.
    pub cluster_id: String,
    /// `node.id`.
    pub node_id: NodeId,
    /// `directory.id`: what `PartitionRecord.Directories` refers to (KIP-858).
    pub directory_id: Uuid,
    /// `milena.quorum.epoch`: what `quorum-state` said when the directory was taken over from a Kafka; `None` when it
    /// never was.
    pub quorum_epoch: Option<i64>,
}

/// As `MetaProperties`; a directory id that is missing (version 0 files, older 1 files) is `None`.
#[derive(Debug)]
pub(crate) struct ParsedMeta {
    pub(crate) cluster_id: String,
    pub(crate) node_id: NodeId,
    pub(crate) directory_id: Option<Uuid>,
    pub(crate) quorum_epoch: Option<i64>,
}

pub(crate) fn format_meta(meta: &MetaProperties) -> String {
    let mut cluster_id = String::new();
    for c in meta.cluster_id.chars() {
        if matches!(c, '\\' | '=' | ':' | '#' | '!') {
            cluster_id.push('\\');
        }
        cluster_id.push(c);
    }
    let own = meta.quorum_epoch.map(|epoch| format!("{QUORUM_EPOCH_KEY}={epoch}\n")).unwrap_or_default();
    format!(
        "#\nnode.id={}\ndirectory.id={}\nversion=1\ncluster.id={cluster_id}\n{own}",
        meta.node_id,
        TopicId(meta.directory_id),
    )
}

/// Reads `meta.properties`.
pub(crate) fn parse_meta(bytes: &[u8]) -> Result<ParsedMeta, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_string())?;
    let mut cluster_id = None;
    let mut node_id = None;
    let mut directory_id = None;
    let mut quorum_epoch = None;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { return Err(format!("has the line {line:?}")) };
        let value = unescape(value.trim_start());
        match key.trim_end() {
            "cluster.id" => cluster_id = Some(value),
            "node.id" | "broker.id" => node_id = value.parse().ok().map(NodeId),
            "directory.id" => {
                let id = TopicId::parse(&value).ok_or_else(|| format!("has the directory.id {value:?}"))?;
                directory_id = Some(id.0);
            }
            QUORUM_EPOCH_KEY => quorum_epoch = value.parse().ok(),
            "version" if value != "1" && value != "0" => {
                return Err(format!("has version {value}, but this release knows none above 1"));
            }
            _ => {}
        }
    }
    let cluster_id = cluster_id.filter(|id| !id.is_empty()).ok_or("has no cluster.id")?;
    let node_id = node_id.ok_or("has no node.id")?;
    Ok(ParsedMeta { cluster_id, node_id, directory_id, quorum_epoch })
}

fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' { chars.next().unwrap_or('\\') } else { c };
        out.push(c);
    }
    out
}

pub(crate) fn format_clean(broker_epoch: i64) -> String {
    format!("{{\"version\":0,\"brokerEpoch\":{broker_epoch}}}")
}

/// The broker epoch in `.kafka_cleanshutdown`; `None` when it holds none, which makes the stop no less clean.
pub(crate) fn parse_clean(bytes: &[u8]) -> Option<i64> {
    number_of(bytes, "\"brokerEpoch\"")
}

/// The leader epoch in `quorum-state`.
pub(crate) fn parse_quorum_epoch(bytes: &[u8]) -> Option<i64> {
    number_of(bytes, "\"leaderEpoch\"")
}

/// The number that stands behind a quoted name in a flat JSON object.
fn number_of(bytes: &[u8], quoted: &str) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, after) = text.split_once(quoted)?;
    let number = after.trim_start().strip_prefix(':')?.trim_start();
    let end = number.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(number.len());
    number.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KAFKAS: &str = "#\n#Fri Nov 20 23:29:38 UTC 2026\nnode.id=1\ndirectory.id=JwUjqoq9hULXyDX2aaWqjg\n\
                          version=1\ncluster.id=5L6g3nShT-eMCtK--X86sw\n";

    #[test]
    fn the_file_of_a_kafka_reads() {
        let read = parse_meta(KAFKAS.as_bytes()).unwrap();
        assert_eq!((read.cluster_id.as_str(), read.node_id), ("5L6g3nShT-eMCtK--X86sw", NodeId(1)));
        assert_eq!(TopicId(read.directory_id.unwrap()).to_string(), "JwUjqoq9hULXyDX2aaWqjg");
        assert_eq!(read.quorum_epoch, None);
    }

    #[test]
    fn what_is_written_reads_back() {
        for quorum_epoch in [None, Some(7)] {
            let meta = MetaProperties {
                cluster_id: "a=b:c\\d".into(),
                node_id: NodeId(3),
                directory_id: Uuid::new_v4(),
                quorum_epoch,
            };
            let read = parse_meta(format_meta(&meta).as_bytes()).unwrap();
            assert_eq!((read.cluster_id, read.node_id), (meta.cluster_id, meta.node_id));
            assert_eq!((read.directory_id, read.quorum_epoch), (Some(meta.directory_id), quorum_epoch));
        }
    }

    #[test]
    fn a_file_without_its_keys_is_refused() {
        for bad in
            ["", "node.id=1\n", "cluster.id=x\n", "cluster.id=x\nnode.id=y\n", "nonsense", "version=7\n"]
        {
            assert!(parse_meta(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_leader_epoch_of_a_quorum_state_is_found() {
        let kafkas = br#"{"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}"#;
        assert_eq!(parse_quorum_epoch(kafkas), Some(2));
        assert_eq!(parse_quorum_epoch(b""), None);
        assert_eq!(parse_quorum_epoch(b"\xff\x00"), None);
    }

    #[test]
    fn the_clean_marker_holds_the_broker_epoch() {
        assert_eq!(format_clean(348), r#"{"version":0,"brokerEpoch":348}"#);
        assert_eq!(parse_clean(br#"{"version":0,"brokerEpoch":348}"#), Some(348));
        assert_eq!(parse_clean(br#"{"version":0}"#), None);
        assert_eq!(parse_clean(b""), None);
    }
}
