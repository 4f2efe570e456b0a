//! Damage to a broker that was killed, which the checker has to find: what proves that it can.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use milena::wire::batch::Batch;
use uuid::Uuid;

use super::topics::ORDERS;

/// The topic that a sabotage is about, where it is about one.
pub(crate) const VICTIM: &str = "victim";
const JOURNAL: &str = "__cluster_metadata-0";
const OFFSETS: &str = "__consumer_offsets-";

/// What is done to the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sabotage {
    /// A byte in the middle of a segment is another one.
    DamageSegment,
    /// The last batch of a partition, which was acknowledged, is cut off.
    DropBatch,
    /// The last batch of a partition is there once more, behind itself.
    RepeatBatch,
    /// The files of committed offsets are as they were before the last commits.
    ReplayCommit,
    /// The journal is as it was before a topic was deleted.
    ReturnTopic,
    /// The journal is as it was before a topic was created.
    LoseTopic,
    /// A topic that was created again has the records of the deleted one.
    ReturnRecords,
    /// The directory of a deleted topic is there again; a broker sets it aside.
    ReturnDirectory,
    /// The directory belongs to another node.
    ForeignDirectory,
}

/// Copies the files that a sabotage brings back later.
pub(crate) fn keep(sabotage: Sabotage, data: &Path, kept: &Path) -> Result<()> {
    match sabotage {
        Sabotage::ReplayCommit => copy_matching(data, kept, |name| name.starts_with(OFFSETS)),
        Sabotage::ReturnTopic | Sabotage::LoseTopic => copy_matching(data, kept, |name| name == JOURNAL),
        Sabotage::ReturnRecords | Sabotage::ReturnDirectory => {
            copy_matching(data, kept, |name| name == format!("{VICTIM}-0"))
        }
        _ => Ok(()),
    }
}

/// Does the damage; `victim` is the id under which that topic is there now, if it is.
pub(crate) fn apply(sabotage: Sabotage, data: &Path, kept: &Path, victim: Option<Uuid>) -> Result<()> {
    match sabotage {
        Sabotage::DamageSegment => damage(&segments(data, &format!("{ORDERS}-0"))?),
        Sabotage::DropBatch => drop_batch(&last(&segments(data, &format!("{ORDERS}-0"))?)?),
        Sabotage::RepeatBatch => repeat_batch(&last(&segments(data, &format!("{ORDERS}-0"))?)?),
        Sabotage::ForeignDirectory => {
            let path = data.join("meta.properties");
            let text = fs::read_to_string(&path)?;
            fs::write(&path, text.replace("node.id=", "node.id=7")).context("meta.properties")
        }
        _ => {
            for entry in fs::read_dir(kept)? {
                let name = entry?.file_name();
                let _ = fs::remove_dir_all(data.join(&name));
                copy_directory(&kept.join(&name), &data.join(&name))?;
            }
            match (sabotage, victim) {
                (Sabotage::ReturnRecords, Some(id)) => write_id(&data.join(format!("{VICTIM}-0")), id),
                _ => Ok(()),
            }
        }
    }
}

fn copy_matching(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) -> Result<()> {
    let mut copied = 0;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if wanted(&name.to_string_lossy()) {
            copy_directory(&from.join(&name), &to.join(&name))?;
            copied += 1;
        }
    }
    if copied == 0 {
        bail!("there is nothing to keep in {}", from.display());
    }
    Ok(())
}

fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        fs::copy(from.join(&name), to.join(&name))?;
    }
    Ok(())
}

/// The segments of a partition that are not empty, oldest first.
fn segments(data: &Path, partition: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(data.join(partition))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") && fs::metadata(&path)?.len() > 0 {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn last(segments: &[PathBuf]) -> Result<PathBuf> {
    segments.last().cloned().context("a segment with records")
}

fn damage(segments: &[PathBuf]) -> Result<()> {
    let path = segments.get(segments.len() / 2).context("a segment with records")?;
    let mut bytes = fs::read(path)?;
    let middle = bytes.len() / 2;
    bytes.get_mut(middle).into_iter().for_each(|byte| *byte ^= 0x40);
    fs::write(path, bytes).context("a segment")
}

/// Where each batch of a segment begins, and where the last one ends.
fn batches(bytes: &[u8]) -> Result<Vec<usize>> {
    let mut at = vec![0];
    let mut rest = bytes::Bytes::copy_from_slice(bytes);
    while !rest.is_empty() {
        let length = Batch::parse(rest.clone())?.bytes.len();
        at.push(at.last().copied().unwrap_or_default() + length);
        rest = rest.slice(length..);
    }
    Ok(at)
}

fn drop_batch(path: &Path) -> Result<()> {
    let bytes = fs::read(path)?;
    let at = batches(&bytes)?;
    let end = at.iter().rev().nth(1).copied().context("a batch")?;
    fs::write(path, bytes.get(..end).unwrap_or_default()).context("a segment")
}

/// The base offset of a batch stands in front of what its checksum is of.
fn repeat_batch(path: &Path) -> Result<()> {
    let mut bytes = fs::read(path)?;
    let at = batches(&bytes)?;
    let from = at.iter().rev().nth(1).copied().context("a batch")?;
    let mut again = bytes.get(from..).unwrap_or_default().to_vec();
    let next = Batch::parse(again.clone().into())?.header.next_offset();
    again.get_mut(..8).context("a base offset")?.clone_from_slice(&next.to_be_bytes());
    bytes.extend(again);
    fs::write(path, bytes).context("a segment")
}

/// A directory says whose it is in URL-safe base64 without padding.
fn write_id(directory: &Path, id: Uuid) -> Result<()> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = id.as_u128();
    // 22 digits of 6 bits are 132; the last 4 are none of the id's.
    let digit = |index: u32| {
        let shifted = if index == 21 { bits << 4 } else { bits >> (122 - 6 * index) };
        DIGITS.get((shifted & 0x3f) as usize).copied().map_or('A', char::from)
    };
    let text: String = (0..22).map(digit).collect();
    fs::write(directory.join("partition.metadata"), format!("version: 0\ntopic_id: {text}"))
        .context("partition.metadata")
}
