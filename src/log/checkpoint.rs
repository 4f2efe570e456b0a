//! Kafka's small text files of offsets: `recovery-point-offset-checkpoint`, `replication-offset-checkpoint`,
//! `log-start-offset-checkpoint` and `leader-epoch-checkpoint`. Version 0, number of lines, the lines. An empty file is
//! an empty list (Kafka makes them so). Pure.

use std::fmt::Write;

use crate::types::{Offset, TopicPartition};

/// Bytes that a checkpoint may have: a million partitions with the longest names.
pub(crate) const CHECKPOINT_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Reads lines of `topic partition offset`; the error says which line is wrong.
pub fn parse_offsets(bytes: &[u8]) -> Result<Vec<(TopicPartition, Offset)>, String> {
    parse(bytes, |line| {
        // A topic name holds no space, so the two numbers are what follows it.
        let (rest, offset) = line.rsplit_once(' ')?;
        let (topic, partition) = rest.rsplit_once(' ')?;
        let partition = partition.parse().ok().filter(|&p: &i32| p >= 0)?;
        let offset = offset.parse().ok().filter(|&o: &i64| o >= 0)?;
        Some((TopicPartition::new(topic, partition), Offset(offset)))
    })
}

/// Writes lines of `topic partition offset`.
pub fn format_offsets(entries: &[(TopicPartition, Offset)]) -> String {
    let mut text = head(entries.len());
    for (partition, offset) in entries {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {} {offset}", partition.topic, partition.partition);
    }
    text
}

/// Reads lines of `epoch start-offset`; the error says which line is wrong.
pub(crate) fn parse_epochs(bytes: &[u8]) -> Result<Vec<(i32, i64)>, String> {
    parse(bytes, |line| {
        let (epoch, start) = line.split_once(' ')?;
        Some((epoch.parse().ok().filter(|&e: &i32| e >= 0)?, start.parse().ok().filter(|&s: &i64| s >= 0)?))
    })
}

/// Writes lines of `epoch start-offset`.
pub(crate) fn format_epochs(entries: &[(i32, i64)]) -> String {
    let mut text = head(entries.len());
    for (epoch, start) in entries {
        let _ = writeln!(text, "{epoch} {start}");
    }
    text
}

fn head(count: usize) -> String {
    format!("0\n{count}\n")
}

fn parse<T>(bytes: &[u8], entry: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_string())?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut lines = text.lines();
    match lines.next() {
        Some("0") => {}
        other => return Err(format!("has version {:?}, expected 0", other.unwrap_or_default())),
    }
    let count: usize =
        lines.next().and_then(|line| line.trim().parse().ok()).ok_or("has no number of entries")?;
    let entries: Vec<T> = lines
        .filter(|line| !line.trim().is_empty())
        .map(|line| entry(line.trim()).ok_or_else(|| format!("has the line {line:?}")))
        .collect::<Result<_, _>>()?;
    if entries.len() != count {
        return Err(format!("announces {count} entries and has {}", entries.len()));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn offsets_read_back_as_written() {
        let entries = vec![
            (TopicPartition::new("a.b-c", 3), Offset(5)),
            (TopicPartition::new("x", 0), Offset(i64::MAX)),
        ];
        let text = format_offsets(&entries);
        assert_eq!(text, "0\n2\na.b-c 3 5\nx 0 9223372036854775807\n");
        assert_eq!(parse_offsets(text.as_bytes()).unwrap(), entries);
    }

    #[test]
    fn an_empty_file_is_an_empty_list() {
        assert_eq!(parse_offsets(b"").unwrap(), []);
        assert_eq!(parse_epochs(b"").unwrap(), []);
    }

    #[test]
    fn a_file_that_lost_lines_or_holds_others_is_refused() {
        for bad in [
            "1\n0\n",
            "0\n",
            "0\n2\na 0 1\n",
            "0\n1\na 0\n",
            "0\n1\na -1 0\n",
            "0\n1\na 0 -5\n",
            "0\nx\n",
            "\u{0}",
        ] {
            assert!(parse_offsets(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(parse_epochs(b"0\n1\n-1 0\n").is_err());
        assert!(parse_epochs(&[0xff, 0xfe]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_offsets(&bytes);
            let _ = parse_epochs(&bytes);
        }
    }
}
