//! The names of the files in a partition's directory and of that directory itself. Pure.

use crate::types::{TopicName, TopicPartition};

/// The files that belong to an offset, told apart by their extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum FileKind {
    Log,
    OffsetIndex,
    TimeIndex,
    TxnIndex,
    Snapshot,
}

impl FileKind {
    /// The files of a segment; the snapshot lies beside them.
    pub(crate) const OF_SEGMENT: [Self; 4] = [Self::Log, Self::OffsetIndex, Self::TimeIndex, Self::TxnIndex];

    const fn extension(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::OffsetIndex => "index",
            Self::TimeIndex => "timeindex",
            Self::TxnIndex => "txnindex",
            Self::Snapshot => "snapshot",
        }
    }

    fn parse(extension: &str) -> Option<Self> {
        match extension {
            "log" => Some(Self::Log),
            "index" => Some(Self::OffsetIndex),
            "timeindex" => Some(Self::TimeIndex),
            "txnindex" => Some(Self::TxnIndex),
            "snapshot" => Some(Self::Snapshot),
            _ => None,
        }
    }
}

/// What is done with a file that carries one of Kafka's suffixes after its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suffix {
    /// A live file.
    None,
    /// `.deleted`: to be removed.
    Deleted,
    /// `.cleaned`: a cleaner's unfinished output.
    Cleaned,
    /// `.swap`: a cleaner's finished output, to take the place of what it replaces.
    Swap,
}

pub(crate) const DELETED_SUFFIX: &str = ".deleted";
pub(crate) const CLEANED_SUFFIX: &str = ".cleaned";
pub(crate) const SWAP_SUFFIX: &str = ".swap";
pub(crate) const DELETE_DIRECTORY_SUFFIX: &str = "-delete";
pub(crate) const STRAY_DIRECTORY_SUFFIX: &str = "-stray";
const FILE_NAME_BYTES_MAX: usize = 255;

/// `<20 digits>.<extension>`.
pub(crate) fn file_name(offset: i64, kind: FileKind) -> String {
    format!("{offset:020}.{}", kind.extension())
}

/// The offset, kind and suffix of a file's name; `None` for every other file.
pub(crate) fn parse_file_name(name: &str) -> Option<(i64, FileKind, Suffix)> {
    let (digits, rest) = name.split_once('.')?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let offset = digits.parse().ok()?;
    let (extension, suffix) = match rest.split_once('.') {
        None => (rest, Suffix::None),
        Some((extension, "deleted")) => (extension, Suffix::Deleted),
        Some((extension, "cleaned")) => (extension, Suffix::Cleaned),
        Some((extension, "swap")) => (extension, Suffix::Swap),
        Some(_) => return None,
    };
    Some((offset, FileKind::parse(extension)?, suffix))
}

/// The partition that a directory's name stands for; `None` for a directory that is none, or one on its way out.
pub(crate) fn parse_directory_name(name: &str) -> Option<TopicPartition> {
    if name.ends_with(DELETE_DIRECTORY_SUFFIX)
        || name.ends_with(STRAY_DIRECTORY_SUFFIX)
        || name.ends_with("-future")
    {
        return None;
    }
    let (topic, partition) = name.rsplit_once('-')?;
    if topic.is_empty() || !partition.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(TopicPartition { topic: TopicName::from(topic), partition: partition.parse().ok()? })
}

/// Whether a directory is a deleted partition's that waits to be removed: `<topic>-<n>.<id>-delete`.
pub(crate) fn is_deleted_directory(name: &str) -> bool {
    let named = name.strip_suffix(DELETE_DIRECTORY_SUFFIX).and_then(|rest| rest.rsplit_once('.'));
    named.is_some_and(|(partition, unique)| {
        let is_id = !unique.is_empty() && unique.bytes().all(|b| b.is_ascii_hexdigit());
        is_id && parse_directory_name(partition).is_some()
    })
}

/// The name under which a deleted partition's directory waits to be removed: `<topic>-<n>.<id>-delete`, the topic cut
/// where the name would be too long for a file system.
pub(crate) fn renamed_directory(partition: &TopicPartition, unique: &str, suffix: &str) -> String {
    let tail = format!("-{}.{unique}{suffix}", partition.partition);
    let room = FILE_NAME_BYTES_MAX.saturating_sub(tail.len());
    let mut used = 0_usize;
    let fits = |c: &char| {
        used = used.saturating_add(c.len_utf8());
        used <= room
    };
    let topic: String = partition.topic.chars().take_while(fits).collect();
    format!("{topic}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_tells_offset_kind_and_suffix() {
        assert_eq!(file_name(580, FileKind::TimeIndex), "00000000000000000580.timeindex");
        assert_eq!(
            parse_file_name("00000000000000000580.timeindex"),
            Some((580, FileKind::TimeIndex, Suffix::None))
        );
        assert_eq!(
            parse_file_name("00000000000000000000.log.deleted"),
            Some((0, FileKind::Log, Suffix::Deleted))
        );
        for other in [
            "leader-epoch-checkpoint",
            "00000000000000000000-0000000000.checkpoint",
            "99999999999999999999.log",
            ".log",
            "+1.log",
            "1.log.tmp",
        ] {
            assert_eq!(parse_file_name(other), None, "{other}");
        }
    }

    #[test]
    fn a_directory_name_is_split_at_its_last_dash() {
        assert_eq!(parse_directory_name("a-b-12"), Some(TopicPartition::new("a-b", 12)));
        for other in ["a", "-1", "a-", "a-x", "a-1.0f-delete", "a-1.0f-stray", "a--1x"] {
            assert_eq!(parse_directory_name(other), None, "{other}");
        }
    }

    #[test]
    fn a_long_topic_is_cut_to_fit_a_file_name() {
        let partition = TopicPartition::new("t".repeat(249), 7);
        let name = renamed_directory(&partition, "0123456789abcdef0123456789abcdef", DELETE_DIRECTORY_SUFFIX);
        assert_eq!(name.len(), 255);
        assert!(name.ends_with("t-7.0123456789abcdef0123456789abcdef-delete"));
    }
}
