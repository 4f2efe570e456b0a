//! `meta.properties` (Java properties) and `.kafka_cleanshutdown` (JSON) of a data directory. Pure.

use uuid::Uuid;

use crate::types::{NodeId, TopicId};

pub(crate) const META_FILE_NAME: &str = "meta.properties";
pub(crate) const CLEAN_FILE_NAME: &str = ".kafka_cleanshutdown";
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
}

pub(crate) fn format_meta(meta: &MetaProperties) -> String {
    let mut cluster_id = String::new();
    for c in meta.cluster_id.chars() {
        if matches!(c, '\\' | '=' | ':' | '#' | '!') {
            cluster_id.push('\\');
        }
        cluster_id.push(c);
    }
    format!(
        "#\nnode.id={}\ndirectory.id={}\nversion=1\ncluster.id={cluster_id}\n",
        meta.node_id,
        TopicId(meta.directory_id),
    )
}

/// Reads `meta.properties`. A directory id that is missing (version 0 files, older 1 files) is `None`.
pub(crate) fn parse_meta(bytes: &[u8]) -> Result<(String, NodeId, Option<Uuid>), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_string())?;
    let mut cluster_id = None;
    let mut node_id = None;
    let mut directory_id = None;
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
            "version" if value != "1" && value != "0" => {
                return Err(format!("has version {value}, but this release knows none above 1"));
            }
            _ => {}
        }
    }
    let cluster_id = cluster_id.filter(|id| !id.is_empty()).ok_or("has no cluster.id")?;
    Ok((cluster_id, node_id.ok_or("has no node.id")?, directory_id))
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
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, after) = text.split_once("\"brokerEpoch\"")?;
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
        let (cluster, node, directory) = parse_meta(KAFKAS.as_bytes()).unwrap();
        assert_eq!((cluster.as_str(), node), ("5L6g3nShT-eMCtK--X86sw", NodeId(1)));
        assert_eq!(TopicId(directory.unwrap()).to_string(), "JwUjqoq9hULXyDX2aaWqjg");
    }

    #[test]
    fn what_is_written_reads_back() {
        let meta = MetaProperties {
            cluster_id: "a=b:c\\d".into(),
            node_id: NodeId(3),
            directory_id: Uuid::new_v4(),
        };
        let read = parse_meta(format_meta(&meta).as_bytes()).unwrap();
        assert_eq!(read, (meta.cluster_id, meta.node_id, Some(meta.directory_id)));
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
    fn the_clean_marker_holds_the_broker_epoch() {
        assert_eq!(format_clean(348), r#"{"version":0,"brokerEpoch":348}"#);
        assert_eq!(parse_clean(br#"{"version":0,"brokerEpoch":348}"#), Some(348));
        assert_eq!(parse_clean(br#"{"version":0}"#), None);
        assert_eq!(parse_clean(b""), None);
    }
}
