//! Whether a journal is one to go on with: in no later format than is known, and of a node that is alone. Looks only;
//! damage is told by whoever reads.

use std::collections::BTreeSet;
use std::path::Path;

use super::JournalError;
use crate::controller::image::Image;
use crate::controller::machine::{METADATA_VERSION, METADATA_VERSION_LEVEL, METADATA_VERSION_LEVEL_MIN};
use crate::types::NodeId;
use crate::wire::records::RecordError;
use crate::wire::records::codec::Message;
use crate::wire::records::control_record::ControlRecord;
use crate::wire::records::frame::Frame;
use crate::wire::records::metadata as records;

/// Kafka 4.3's other features, each with its highest level. What they switch on stands in records that are kept.
const FEATURE_LEVELS: [(&str, i16); 5] = [
    ("eligible.leader.replicas.version", 1),
    ("group.version", 1),
    ("share.version", 1),
    ("streams.version", 1),
    ("transaction.version", 2),
];
/// The highest `kraft.version` of Kafka 4.3 (KIP-853).
const KRAFT_VERSION_MAX: i16 = 1;

/// What in a metadata record is of a later format; `None` also for bytes that are no record.
pub(super) fn newer_record(bytes: &[u8]) -> Option<String> {
    let frame = match Frame::parse(bytes) {
        Err(RecordError::FrameVersion(version)) if version > 1 => {
            return Some(format!("it holds a metadata record in a frame of version {version}"));
        }
        other => other.ok()?,
    };
    match definition(frame.api_key) {
        None => Some(format!("it holds metadata records of type {}", frame.api_key)),
        Some((name, known)) if frame.version > known => {
            Some(format!("it holds a {name} of version {}, and {known} is the last known", frame.version))
        }
        Some(_) => None,
    }
}

/// The same of a control record, when it was read or could not be.
pub(super) fn newer_control(read: &Result<ControlRecord, RecordError>) -> Option<String> {
    match read {
        Ok(ControlRecord::KRaftVersion(record)) if record.kraft_version > KRAFT_VERSION_MAX => {
            Some(later("kraft.version", record.kraft_version, KRAFT_VERSION_MAX))
        }
        Ok(ControlRecord::Unknown { control_type, .. }) => {
            Some(format!("it holds control records of type {control_type}"))
        }
        Err(RecordError::Version { message, version }) => {
            Some(format!("it holds a {message} of version {version}"))
        }
        _ => None,
    }
}

/// Refuses metadata whose features have levels that are not known, of topics in tiered storage, and of several nodes.
/// `voters` are those that the journal names last, none when it names none.
pub(super) fn check(path: &Path, image: &Image, voters: &[NodeId]) -> Result<(), JournalError> {
    if let Some(level) =
        image.features().get(METADATA_VERSION).filter(|level| **level < METADATA_VERSION_LEVEL_MIN)
    {
        return Err(JournalError::Older {
            path: path.to_owned(),
            level: *level,
            min: METADATA_VERSION_LEVEL_MIN,
        });
    }
    if let Some(what) = image.features().iter().find_map(|(name, level)| unknown_level(name, *level)) {
        return Err(JournalError::Newer { path: path.to_owned(), what });
    }
    if let Some(topic) = image.topics().find(|topic| is_tiered(image, &topic.name)) {
        return Err(JournalError::Tiered { path: path.to_owned(), topic: topic.name.to_string() });
    }
    // Who looks from outside is no node.
    let alone = image.brokers().keys().next().copied();
    let nodes: BTreeSet<NodeId> = image.registered_brokers().chain(voters.iter().copied()).collect();
    match alone {
        Some(alone) if nodes.iter().any(|node| *node != alone) => {
            let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
            Err(JournalError::SeveralNodes { path: path.to_owned(), nodes: nodes.join(", "), alone })
        }
        _ => Ok(()),
    }
}

/// Whether a part of the topic's records lies in another storage (KIP-405).
fn is_tiered(image: &Image, topic: &str) -> bool {
    let configs = image.topic_config(topic);
    configs
        .and_then(|configs| configs.get("remote.storage.enable"))
        .is_some_and(|enabled| *enabled == *"true")
}

fn unknown_level(name: &str, level: i16) -> Option<String> {
    if name == METADATA_VERSION {
        return (level > METADATA_VERSION_LEVEL).then(|| later(name, level, METADATA_VERSION_LEVEL));
    }
    match FEATURE_LEVELS.iter().find(|(known, _)| *known == name) {
        Some((_, known)) => (level > *known).then(|| later(name, level, *known)),
        None => Some(format!("its feature {name} has level {level}")),
    }
}

fn later(name: &str, level: i16, known: i16) -> String {
    format!("its {name} is {level}, and {known} is the last known")
}

/// Kafka's name of a kind of metadata record, and its last version.
fn definition(api_key: u32) -> Option<(&'static str, i16)> {
    macro_rules! definitions {
        ($($record:ident)*) => {
            match api_key {
                $(records::$record::API_KEY => {
                    Some((records::$record::NAME, *records::$record::VERSIONS.end()))
                })*
                _ => None,
            }
        };
    }
    definitions! {
        RegisterBrokerRecord UnregisterBrokerRecord TopicRecord PartitionRecord ConfigRecord PartitionChangeRecord
        FenceBrokerRecord UnfenceBrokerRecord RemoveTopicRecord DelegationTokenRecord UserScramCredentialRecord
        FeatureLevelRecord ClientQuotaRecord ProducerIdsRecord BrokerRegistrationChangeRecord
        AccessControlEntryRecord RemoveAccessControlEntryRecord NoOpRecord ZkMigrationStateRecord
        RemoveUserScramCredentialRecord BeginTransactionRecord EndTransactionRecord AbortTransactionRecord
        RemoveDelegationTokenRecord RegisterControllerRecord ClearElrRecord
    }
}
