//! The cluster's metadata at one offset of the journal: topics, configurations, features, producer ids, brokers.
//! A value, cheap to clone and to change (parts are shared until they change); readers hold an `Arc<Image>`.
//! It is changed by `replay` alone and never decides anything.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use crate::types::{LeaderEpoch, NodeId, Offset, ProducerId, TopicId, TopicName};

/// The id of a directory of logs (KIP-858), the `directory.id` of its `meta.properties`. It has a topic id's form.
pub type DirectoryId = TopicId;

/// The topics that Kafka treats as internal: hidden from pattern subscriptions, created by the broker itself.
pub const INTERNAL_TOPICS: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// What a configuration belongs to, by Kafka's id (`ConfigResource.Type`). Ids unknown here are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKind(pub i8);

impl ResourceKind {
    /// A topic; the resource's name is the topic's.
    pub const TOPIC: Self = Self(2);
    /// A broker; the resource's name is the node id in decimal, or empty for the default of all brokers.
    pub const BROKER: Self = Self(4);
    /// A broker's loggers: never stored.
    pub const BROKER_LOGGER: Self = Self(8);
    /// A subscription to client metrics (KIP-714).
    pub const CLIENT_METRICS: Self = Self(16);
    /// A group (KIP-848).
    pub const GROUP: Self = Self(32);
}

/// One thing that has configurations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigResource {
    /// What it is.
    pub kind: ResourceKind,
    /// Which one.
    pub name: String,
}

impl ConfigResource {
    /// The topic `name`.
    pub fn topic(name: &str) -> Self {
        Self { kind: ResourceKind::TOPIC, name: name.to_owned() }
    }

    /// The broker `node`, or what all brokers share.
    pub fn broker(node: Option<NodeId>) -> Self {
        Self { kind: ResourceKind::BROKER, name: node.map(|id| id.to_string()).unwrap_or_default() }
    }
}

/// Explicitly set configurations, name to value, of one resource.
pub type Configs = BTreeMap<String, String>;

/// One partition as the controller knows it (Kafka's `PartitionRecord`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionImage {
    /// The leading replica, or `None` while there is none.
    pub leader: Option<NodeId>,
    /// Rises by one with each election, also when the same replica is elected again. Never falls.
    pub leader_epoch: LeaderEpoch,
    /// Rises by one with each change of this partition.
    pub partition_epoch: i32,
    /// The replicas, in preferred order; the first is the preferred leader.
    pub replicas: Vec<NodeId>,
    /// The replicas in sync.
    pub isr: Vec<NodeId>,
    /// Replicas that a reassignment takes away.
    pub removing: Vec<NodeId>,
    /// Replicas that a reassignment adds.
    pub adding: Vec<NodeId>,
    /// Eligible leader replicas (KIP-966).
    pub eligible: Vec<NodeId>,
    /// The last known eligible leader replicas (KIP-966).
    pub last_known_eligible: Vec<NodeId>,
    /// The directory of each replica, in their order (KIP-858); empty in records older than that.
    pub directories: Vec<DirectoryId>,
    /// Whether the leader still recovers from an unclean election (KIP-704).
    pub recovering: bool,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicImage {
    /// Its name.
    pub name: TopicName,
    /// Its id (KIP-516): another one after it was deleted and created again.
    pub id: TopicId,
    /// Its partitions; the position is the partition's index.
    pub partitions: Vec<PartitionImage>,
    /// One of `INTERNAL_TOPICS`.
    pub internal: bool,
}

impl TopicImage {
    /// A topic that has no partitions yet.
    pub fn new(name: TopicName, id: TopicId) -> Self {
        let internal = INTERNAL_TOPICS.contains(&name.as_ref());
        Self { name, id, partitions: Vec::new(), internal }
    }

    /// The partition with this index.
    pub fn partition(&self, index: i32) -> Option<&PartitionImage> {
        usize::try_from(index).ok().and_then(|index| self.partitions.get(index))
    }

    /// The number of replicas of the first partition, as Kafka reports a topic's replication factor.
    pub fn replication_factor(&self) -> i16 {
        self.partitions
            .first()
            .map_or(0, |partition| i16::try_from(partition.replicas.len()).unwrap_or(i16::MAX))
    }
}

/// One broker of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerImage {
    /// Its node id.
    pub id: NodeId,
    /// Its rack, `broker.rack`.
    pub rack: Option<String>,
    /// Whether it may not lead; clients do not see such a broker.
    pub fenced: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Topics {
    by_name: BTreeMap<TopicName, Arc<TopicImage>>,
    by_id: HashMap<TopicId, Arc<TopicImage>>,
}

/// All metadata at one offset of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The cluster's id, from `meta.properties`.
    pub cluster_id: Arc<str>,
    /// The offset after the last record that this image includes.
    pub offset: Offset,
    /// The first producer id that no block has.
    pub next_producer_id: ProducerId,
    topics: Arc<Topics>,
    configs: Arc<BTreeMap<ConfigResource, Arc<Configs>>>,
    features: Arc<BTreeMap<String, i16>>,
    brokers: Arc<BTreeMap<NodeId, BrokerImage>>,
    kept: Arc<Vec<(Option<KeptSubject>, Bytes)>>,
}

/// Whom a kept record registers, so that a later registration takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeptSubject {
    Broker(NodeId),
    Controller(NodeId),
}

impl Image {
    /// The image before the first record.
    pub fn empty(cluster_id: impl Into<Arc<str>>) -> Self {
        Self {
            cluster_id: cluster_id.into(),
            offset: Offset::ZERO,
            next_producer_id: ProducerId(0),
            topics: Arc::default(),
            configs: Arc::default(),
            features: Arc::default(),
            brokers: Arc::default(),
            kept: Arc::default(),
        }
    }

    /// The topic with this name.
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.topics.by_name.get(name)
    }

    /// The topic with this id.
    pub fn topic_by_id(&self, id: TopicId) -> Option<&Arc<TopicImage>> {
        self.topics.by_id.get(&id)
    }

    /// The partition `index` of the topic `name`.
    pub fn partition(&self, name: &str, index: i32) -> Option<&PartitionImage> {
        self.topic(name).and_then(|topic| topic.partition(index))
    }

    /// All topics in the order of their names.
    pub fn topics(&self) -> impl ExactSizeIterator<Item = &Arc<TopicImage>> {
        self.topics.by_name.values()
    }

    /// The topics whose names are `first` or greater, in the order of their names.
    pub fn topics_from<'a>(&'a self, first: &str) -> impl Iterator<Item = &'a Arc<TopicImage>> {
        self.topics
            .by_name
            .range::<str, _>((Bound::Included(first), Bound::Unbounded))
            .map(|(_, topic)| topic)
    }

    /// What was set explicitly on this topic; `None` when nothing was.
    pub fn topic_config(&self, name: &str) -> Option<&Arc<Configs>> {
        self.config(&ConfigResource::topic(name))
    }

    /// What was set explicitly on this resource; `None` when nothing was.
    pub fn config(&self, resource: &ConfigResource) -> Option<&Arc<Configs>> {
        self.configs.get(resource)
    }

    /// Every resource that has explicit configurations.
    pub fn configs(&self) -> impl ExactSizeIterator<Item = (&ConfigResource, &Arc<Configs>)> {
        self.configs.iter()
    }

    /// The finalized features (KIP-584), name to level; a feature at level 0 is absent.
    pub fn features(&self) -> &BTreeMap<String, i16> {
        &self.features
    }

    /// The brokers by node id.
    pub fn brokers(&self) -> &BTreeMap<NodeId, BrokerImage> {
        &self.brokers
    }

    /// The records that nothing here interprets, in their order, as they stood in the journal.
    pub fn kept(&self) -> impl ExactSizeIterator<Item = &Bytes> {
        self.kept.iter().map(|(_, record)| record)
    }
}

/// Changes, for `replay` and for `Controller::open` alone.
impl Image {
    pub(super) fn put_topic(&mut self, topic: TopicImage) {
        let topic = Arc::new(topic);
        let topics = Arc::make_mut(&mut self.topics);
        topics.by_id.insert(topic.id, Arc::clone(&topic));
        topics.by_name.insert(Arc::clone(&topic.name), topic);
    }

    /// Changes a topic in place; `None` when no topic has the id. The name and the id must stay.
    pub(super) fn change_topic<R>(
        &mut self,
        id: TopicId,
        change: impl FnOnce(&mut TopicImage) -> R,
    ) -> Option<R> {
        let topics = Arc::make_mut(&mut self.topics);
        let slot = topics.by_id.get_mut(&id)?;
        // The other map holds the topic too; let go of it there first, or every change would copy the topic.
        let name = Arc::clone(&slot.name);
        topics.by_name.remove(&name);
        let result = change(Arc::make_mut(slot));
        topics.by_name.insert(name, Arc::clone(slot));
        Some(result)
    }

    /// Removes a topic together with its configurations.
    pub(super) fn remove_topic(&mut self, id: TopicId) -> Option<Arc<TopicImage>> {
        let topics = Arc::make_mut(&mut self.topics);
        let topic = topics.by_id.remove(&id)?;
        topics.by_name.remove(&topic.name);
        let resource = ConfigResource::topic(&topic.name);
        if self.configs.contains_key(&resource) {
            Arc::make_mut(&mut self.configs).remove(&resource);
        }
        Some(topic)
    }

    /// Sets one configuration, or with `None` removes it.
    pub(super) fn put_config(&mut self, resource: ConfigResource, key: String, value: Option<String>) {
        let all = Arc::make_mut(&mut self.configs);
        let configs = Arc::make_mut(all.entry(resource.clone()).or_default());
        match value {
            Some(value) => {
                configs.insert(key, value);
            }
            None => {
                configs.remove(&key);
            }
        }
        if configs.is_empty() {
            all.remove(&resource);
        }
    }

    /// Sets a feature's level; 0 removes it.
    pub(super) fn put_feature(&mut self, name: String, level: i16) {
        let features = Arc::make_mut(&mut self.features);
        if level == 0 {
            features.remove(&name);
        } else {
            features.insert(name, level);
        }
    }

    pub(super) fn put_broker(&mut self, broker: BrokerImage) {
        Arc::make_mut(&mut self.brokers).insert(broker.id, broker);
    }

    pub(super) fn keep(&mut self, record: Bytes, subject: Option<KeptSubject>) {
        Arc::make_mut(&mut self.kept).push((subject, record));
    }

    /// Drops the kept records of a registration that is over.
    pub(super) fn forget(&mut self, subject: KeptSubject) {
        Arc::make_mut(&mut self.kept).retain(|(of, _)| *of != Some(subject));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> TopicImage {
        TopicImage::new(name.into(), TopicId::random())
    }

    #[test]
    fn topics_are_found_by_name_and_id_and_listed_in_name_order() {
        let mut image = Image::empty("c");
        let beta = topic("beta");
        for topic in [topic("gamma"), beta.clone(), topic("alpha")] {
            image.put_topic(topic);
        }
        let names = |image: &Image| image.topics().map(|t| t.name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&image), ["alpha", "beta", "gamma"]);
        assert_eq!(image.topics_from("b").map(|t| t.name.to_string()).collect::<Vec<_>>(), ["beta", "gamma"]);
        assert_eq!(image.topic("beta").unwrap().id, beta.id);
        assert_eq!(image.topic_by_id(beta.id).unwrap().name, beta.name);
        assert!(image.topic("delta").is_none());
        image.remove_topic(beta.id).unwrap();
        assert_eq!(names(&image), ["alpha", "gamma"]);
        assert!(image.topic_by_id(beta.id).is_none());
    }

    #[test]
    fn a_change_leaves_older_clones_as_they_were() {
        let mut image = Image::empty("c");
        let orders = topic("orders");
        image.put_topic(orders.clone());
        image.put_config(ConfigResource::topic("orders"), "k".into(), Some("1".into()));
        let before = image.clone();
        image.change_topic(orders.id, |topic| topic.internal = true).unwrap();
        image.put_config(ConfigResource::topic("orders"), "k".into(), Some("2".into()));
        assert!(!before.topic("orders").unwrap().internal);
        assert!(image.topic("orders").unwrap().internal);
        assert!(Arc::ptr_eq(image.topic("orders").unwrap(), image.topic_by_id(orders.id).unwrap()));
        assert_eq!(before.topic_config("orders").unwrap()["k"], "1");
        assert_eq!(image.topic_config("orders").unwrap()["k"], "2");
    }

    #[test]
    fn a_deleted_topics_configurations_vanish_with_it() {
        let mut image = Image::empty("c");
        let orders = topic("orders");
        image.put_topic(orders.clone());
        image.put_config(ConfigResource::topic("orders"), "k".into(), Some("1".into()));
        image.put_config(ConfigResource::topic("other"), "k".into(), Some("1".into()));
        image.remove_topic(orders.id).unwrap();
        assert!(image.topic_config("orders").is_none());
        assert!(image.topic_config("other").is_some());
        image.put_config(ConfigResource::topic("other"), "k".into(), None);
        assert_eq!(image.configs().len(), 0);
    }

    #[test]
    fn the_brokers_own_topics_are_internal() {
        assert!(topic("__consumer_offsets").internal);
        assert!(!topic("__cluster_metadata").internal);
        assert!(!topic("orders").internal);
    }
}
