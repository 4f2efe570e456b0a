//! Every record of `__cluster_metadata` as one type.
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use super::codec::{Message, RecordError};
use super::frame::{self, Frame, UnknownRecord};
pub use super::metadata_brokers::*;
pub use super::metadata_security::*;
pub use super::metadata_settings::*;
pub use super::metadata_topics::*;

/// Any record of `__cluster_metadata`.
#[derive(Clone, Debug, PartialEq)]
pub enum MetadataRecord {
    /// API key 0.
    RegisterBroker(RegisterBrokerRecord),
    /// API key 1.
    UnregisterBroker(UnregisterBrokerRecord),
    /// API key 2.
    Topic(TopicRecord),
    /// API key 3.
    Partition(PartitionRecord),
    /// API key 4.
    Config(ConfigRecord),
    /// API key 5.
    PartitionChange(PartitionChangeRecord),
    /// API key 7.
    FenceBroker(FenceBrokerRecord),
    /// API key 8.
    UnfenceBroker(UnfenceBrokerRecord),
    /// API key 9.
    RemoveTopic(RemoveTopicRecord),
    /// API key 10.
    DelegationToken(DelegationTokenRecord),
    /// API key 11.
    UserScramCredential(UserScramCredentialRecord),
    /// API key 12.
    FeatureLevel(FeatureLevelRecord),
    /// API key 14.
    ClientQuota(ClientQuotaRecord),
    /// API key 15.
    ProducerIds(ProducerIdsRecord),
    /// API key 17.
    BrokerRegistrationChange(BrokerRegistrationChangeRecord),
    /// API key 18.
    AccessControlEntry(AccessControlEntryRecord),
    /// API key 19.
    RemoveAccessControlEntry(RemoveAccessControlEntryRecord),
    /// API key 20.
    NoOp(NoOpRecord),
    /// API key 21.
    ZkMigrationState(ZkMigrationStateRecord),
    /// API key 22.
    RemoveUserScramCredential(RemoveUserScramCredentialRecord),
    /// API key 23.
    BeginTransaction(BeginTransactionRecord),
    /// API key 24.
    EndTransaction(EndTransactionRecord),
    /// API key 25.
    AbortTransaction(AbortTransactionRecord),
    /// API key 26.
    RemoveDelegationToken(RemoveDelegationTokenRecord),
    /// API key 27.
    RegisterController(RegisterControllerRecord),
    /// API key 28.
    ClearElr(ClearElrRecord),

    /// An API key that none of our definitions has: kept as it stands.
    Unknown(UnknownRecord),
}

impl MetadataRecord {
    /// The number of the record in the frame.
    pub const fn api_key(&self) -> u32 {
        match self {
            Self::RegisterBroker(_) => RegisterBrokerRecord::API_KEY,
            Self::UnregisterBroker(_) => UnregisterBrokerRecord::API_KEY,
            Self::Topic(_) => TopicRecord::API_KEY,
            Self::Partition(_) => PartitionRecord::API_KEY,
            Self::Config(_) => ConfigRecord::API_KEY,
            Self::PartitionChange(_) => PartitionChangeRecord::API_KEY,
            Self::FenceBroker(_) => FenceBrokerRecord::API_KEY,
            Self::UnfenceBroker(_) => UnfenceBrokerRecord::API_KEY,
            Self::RemoveTopic(_) => RemoveTopicRecord::API_KEY,
            Self::DelegationToken(_) => DelegationTokenRecord::API_KEY,
            Self::UserScramCredential(_) => UserScramCredentialRecord::API_KEY,
            Self::FeatureLevel(_) => FeatureLevelRecord::API_KEY,
            Self::ClientQuota(_) => ClientQuotaRecord::API_KEY,
            Self::ProducerIds(_) => ProducerIdsRecord::API_KEY,
            Self::BrokerRegistrationChange(_) => BrokerRegistrationChangeRecord::API_KEY,
            Self::AccessControlEntry(_) => AccessControlEntryRecord::API_KEY,
            Self::RemoveAccessControlEntry(_) => RemoveAccessControlEntryRecord::API_KEY,
            Self::NoOp(_) => NoOpRecord::API_KEY,
            Self::ZkMigrationState(_) => ZkMigrationStateRecord::API_KEY,
            Self::RemoveUserScramCredential(_) => RemoveUserScramCredentialRecord::API_KEY,
            Self::BeginTransaction(_) => BeginTransactionRecord::API_KEY,
            Self::EndTransaction(_) => EndTransactionRecord::API_KEY,
            Self::AbortTransaction(_) => AbortTransactionRecord::API_KEY,
            Self::RemoveDelegationToken(_) => RemoveDelegationTokenRecord::API_KEY,
            Self::RegisterController(_) => RegisterControllerRecord::API_KEY,
            Self::ClearElr(_) => ClearElrRecord::API_KEY,
            Self::Unknown(record) => record.api_key,
        }
    }

    /// The highest version that the definition has; for an unknown record the version that it came with.
    pub const fn latest_version(&self) -> i16 {
        match self {
            Self::RegisterBroker(_) => *RegisterBrokerRecord::VERSIONS.end(),
            Self::UnregisterBroker(_) => *UnregisterBrokerRecord::VERSIONS.end(),
            Self::Topic(_) => *TopicRecord::VERSIONS.end(),
            Self::Partition(_) => *PartitionRecord::VERSIONS.end(),
            Self::Config(_) => *ConfigRecord::VERSIONS.end(),
            Self::PartitionChange(_) => *PartitionChangeRecord::VERSIONS.end(),
            Self::FenceBroker(_) => *FenceBrokerRecord::VERSIONS.end(),
            Self::UnfenceBroker(_) => *UnfenceBrokerRecord::VERSIONS.end(),
            Self::RemoveTopic(_) => *RemoveTopicRecord::VERSIONS.end(),
            Self::DelegationToken(_) => *DelegationTokenRecord::VERSIONS.end(),
            Self::UserScramCredential(_) => *UserScramCredentialRecord::VERSIONS.end(),
            Self::FeatureLevel(_) => *FeatureLevelRecord::VERSIONS.end(),
            Self::ClientQuota(_) => *ClientQuotaRecord::VERSIONS.end(),
            Self::ProducerIds(_) => *ProducerIdsRecord::VERSIONS.end(),
            Self::BrokerRegistrationChange(_) => *BrokerRegistrationChangeRecord::VERSIONS.end(),
            Self::AccessControlEntry(_) => *AccessControlEntryRecord::VERSIONS.end(),
            Self::RemoveAccessControlEntry(_) => *RemoveAccessControlEntryRecord::VERSIONS.end(),
            Self::NoOp(_) => *NoOpRecord::VERSIONS.end(),
            Self::ZkMigrationState(_) => *ZkMigrationStateRecord::VERSIONS.end(),
            Self::RemoveUserScramCredential(_) => *RemoveUserScramCredentialRecord::VERSIONS.end(),
            Self::BeginTransaction(_) => *BeginTransactionRecord::VERSIONS.end(),
            Self::EndTransaction(_) => *EndTransactionRecord::VERSIONS.end(),
            Self::AbortTransaction(_) => *AbortTransactionRecord::VERSIONS.end(),
            Self::RemoveDelegationToken(_) => *RemoveDelegationTokenRecord::VERSIONS.end(),
            Self::RegisterController(_) => *RegisterControllerRecord::VERSIONS.end(),
            Self::ClearElr(_) => *ClearElrRecord::VERSIONS.end(),
            Self::Unknown(record) => record.version,
        }
    }

    /// The record as Kafka's controller writes it: frame version 1, API key and version as unsigned varints, then
    /// the body. Fails when this version cannot hold what is set. An unknown record keeps its own version.
    pub fn encode(&self, version: i16) -> Result<Vec<u8>, RecordError> {
        match self {
            Self::RegisterBroker(record) => frame::encode(self.api_key(), version, record),
            Self::UnregisterBroker(record) => frame::encode(self.api_key(), version, record),
            Self::Topic(record) => frame::encode(self.api_key(), version, record),
            Self::Partition(record) => frame::encode(self.api_key(), version, record),
            Self::Config(record) => frame::encode(self.api_key(), version, record),
            Self::PartitionChange(record) => frame::encode(self.api_key(), version, record),
            Self::FenceBroker(record) => frame::encode(self.api_key(), version, record),
            Self::UnfenceBroker(record) => frame::encode(self.api_key(), version, record),
            Self::RemoveTopic(record) => frame::encode(self.api_key(), version, record),
            Self::DelegationToken(record) => frame::encode(self.api_key(), version, record),
            Self::UserScramCredential(record) => frame::encode(self.api_key(), version, record),
            Self::FeatureLevel(record) => frame::encode(self.api_key(), version, record),
            Self::ClientQuota(record) => frame::encode(self.api_key(), version, record),
            Self::ProducerIds(record) => frame::encode(self.api_key(), version, record),
            Self::BrokerRegistrationChange(record) => frame::encode(self.api_key(), version, record),
            Self::AccessControlEntry(record) => frame::encode(self.api_key(), version, record),
            Self::RemoveAccessControlEntry(record) => frame::encode(self.api_key(), version, record),
            Self::NoOp(record) => frame::encode(self.api_key(), version, record),
            Self::ZkMigrationState(record) => frame::encode(self.api_key(), version, record),
            Self::RemoveUserScramCredential(record) => frame::encode(self.api_key(), version, record),
            Self::BeginTransaction(record) => frame::encode(self.api_key(), version, record),
            Self::EndTransaction(record) => frame::encode(self.api_key(), version, record),
            Self::AbortTransaction(record) => frame::encode(self.api_key(), version, record),
            Self::RemoveDelegationToken(record) => frame::encode(self.api_key(), version, record),
            Self::RegisterController(record) => frame::encode(self.api_key(), version, record),
            Self::ClearElr(record) => frame::encode(self.api_key(), version, record),
            Self::Unknown(record) => Ok(frame::encode_unknown(record)),
        }
    }

    /// Reads any record; an API key that is not known is kept as bytes. Fails on another frame version, a version
    /// that the definition does not have, a broken body, or bytes behind it.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let frame = Frame::parse(bytes)?;
        match frame.api_key {
            RegisterBrokerRecord::API_KEY => frame.body().map(Self::RegisterBroker),
            UnregisterBrokerRecord::API_KEY => frame.body().map(Self::UnregisterBroker),
            TopicRecord::API_KEY => frame.body().map(Self::Topic),
            PartitionRecord::API_KEY => frame.body().map(Self::Partition),
            ConfigRecord::API_KEY => frame.body().map(Self::Config),
            PartitionChangeRecord::API_KEY => frame.body().map(Self::PartitionChange),
            FenceBrokerRecord::API_KEY => frame.body().map(Self::FenceBroker),
            UnfenceBrokerRecord::API_KEY => frame.body().map(Self::UnfenceBroker),
            RemoveTopicRecord::API_KEY => frame.body().map(Self::RemoveTopic),
            DelegationTokenRecord::API_KEY => frame.body().map(Self::DelegationToken),
            UserScramCredentialRecord::API_KEY => frame.body().map(Self::UserScramCredential),
            FeatureLevelRecord::API_KEY => frame.body().map(Self::FeatureLevel),
            ClientQuotaRecord::API_KEY => frame.body().map(Self::ClientQuota),
            ProducerIdsRecord::API_KEY => frame.body().map(Self::ProducerIds),
            BrokerRegistrationChangeRecord::API_KEY => frame.body().map(Self::BrokerRegistrationChange),
            AccessControlEntryRecord::API_KEY => frame.body().map(Self::AccessControlEntry),
            RemoveAccessControlEntryRecord::API_KEY => frame.body().map(Self::RemoveAccessControlEntry),
            NoOpRecord::API_KEY => frame.body().map(Self::NoOp),
            ZkMigrationStateRecord::API_KEY => frame.body().map(Self::ZkMigrationState),
            RemoveUserScramCredentialRecord::API_KEY => frame.body().map(Self::RemoveUserScramCredential),
            BeginTransactionRecord::API_KEY => frame.body().map(Self::BeginTransaction),
            EndTransactionRecord::API_KEY => frame.body().map(Self::EndTransaction),
            AbortTransactionRecord::API_KEY => frame.body().map(Self::AbortTransaction),
            RemoveDelegationTokenRecord::API_KEY => frame.body().map(Self::RemoveDelegationToken),
            RegisterControllerRecord::API_KEY => frame.body().map(Self::RegisterController),
            ClearElrRecord::API_KEY => frame.body().map(Self::ClearElr),
            _ => Ok(Self::Unknown(frame.unknown())),
        }
    }
}

impl From<RegisterBrokerRecord> for MetadataRecord {
    fn from(record: RegisterBrokerRecord) -> Self {
        Self::RegisterBroker(record)
    }
}

impl From<UnregisterBrokerRecord> for MetadataRecord {
    fn from(record: UnregisterBrokerRecord) -> Self {
        Self::UnregisterBroker(record)
    }
}

impl From<TopicRecord> for MetadataRecord {
    fn from(record: TopicRecord) -> Self {
        Self::Topic(record)
    }
}

impl From<PartitionRecord> for MetadataRecord {
    fn from(record: PartitionRecord) -> Self {
        Self::Partition(record)
    }
}

impl From<ConfigRecord> for MetadataRecord {
    fn from(record: ConfigRecord) -> Self {
        Self::Config(record)
    }
}

impl From<PartitionChangeRecord> for MetadataRecord {
    fn from(record: PartitionChangeRecord) -> Self {
        Self::PartitionChange(record)
    }
}

impl From<FenceBrokerRecord> for MetadataRecord {
    fn from(record: FenceBrokerRecord) -> Self {
        Self::FenceBroker(record)
    }
}

impl From<UnfenceBrokerRecord> for MetadataRecord {
    fn from(record: UnfenceBrokerRecord) -> Self {
        Self::UnfenceBroker(record)
    }
}

impl From<RemoveTopicRecord> for MetadataRecord {
    fn from(record: RemoveTopicRecord) -> Self {
        Self::RemoveTopic(record)
    }
}

impl From<DelegationTokenRecord> for MetadataRecord {
    fn from(record: DelegationTokenRecord) -> Self {
        Self::DelegationToken(record)
    }
}

impl From<UserScramCredentialRecord> for MetadataRecord {
    fn from(record: UserScramCredentialRecord) -> Self {
        Self::UserScramCredential(record)
    }
}

impl From<FeatureLevelRecord> for MetadataRecord {
    fn from(record: FeatureLevelRecord) -> Self {
        Self::FeatureLevel(record)
    }
}

impl From<ClientQuotaRecord> for MetadataRecord {
    fn from(record: ClientQuotaRecord) -> Self {
        Self::ClientQuota(record)
    }
}

impl From<ProducerIdsRecord> for MetadataRecord {
    fn from(record: ProducerIdsRecord) -> Self {
        Self::ProducerIds(record)
    }
}

impl From<BrokerRegistrationChangeRecord> for MetadataRecord {
    fn from(record: BrokerRegistrationChangeRecord) -> Self {
        Self::BrokerRegistrationChange(record)
    }
}

impl From<AccessControlEntryRecord> for MetadataRecord {
    fn from(record: AccessControlEntryRecord) -> Self {
        Self::AccessControlEntry(record)
    }
}

impl From<RemoveAccessControlEntryRecord> for MetadataRecord {
    fn from(record: RemoveAccessControlEntryRecord) -> Self {
        Self::RemoveAccessControlEntry(record)
    }
}

impl From<NoOpRecord> for MetadataRecord {
    fn from(record: NoOpRecord) -> Self {
        Self::NoOp(record)
    }
}

impl From<ZkMigrationStateRecord> for MetadataRecord {
    fn from(record: ZkMigrationStateRecord) -> Self {
        Self::ZkMigrationState(record)
    }
}

impl From<RemoveUserScramCredentialRecord> for MetadataRecord {
    fn from(record: RemoveUserScramCredentialRecord) -> Self {
        Self::RemoveUserScramCredential(record)
    }
}

impl From<BeginTransactionRecord> for MetadataRecord {
    fn from(record: BeginTransactionRecord) -> Self {
        Self::BeginTransaction(record)
    }
}

impl From<EndTransactionRecord> for MetadataRecord {
    fn from(record: EndTransactionRecord) -> Self {
        Self::EndTransaction(record)
    }
}

impl From<AbortTransactionRecord> for MetadataRecord {
    fn from(record: AbortTransactionRecord) -> Self {
        Self::AbortTransaction(record)
    }
}

impl From<RemoveDelegationTokenRecord> for MetadataRecord {
    fn from(record: RemoveDelegationTokenRecord) -> Self {
        Self::RemoveDelegationToken(record)
    }
}

impl From<RegisterControllerRecord> for MetadataRecord {
    fn from(record: RegisterControllerRecord) -> Self {
        Self::RegisterController(record)
    }
}

impl From<ClearElrRecord> for MetadataRecord {
    fn from(record: ClearElrRecord) -> Self {
        Self::ClearElr(record)
    }
}
