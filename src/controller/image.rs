//! The cluster's metadata at one offset of the journal: topics, configurations, features, producer ids, brokers.
//! A value, cheap to clone and to change (parts are shared until they change); readers hold an `Arc<Image>`.
//! It is changed by `replay` alone and never decides anything.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use super::names::{can_collide, collision_order};
use super::tree::Tree;
use crate::types::{LeaderEpoch, NodeId, Offset, ProducerId, TopicId, TopicName};
use crate::wire::records::metadata::MetadataRecord;

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
    /// Whether the leader still recovers from an unclean election (KIP-704).
    pub recovering: bool,
    /// Where it is; partitions for which that is equal share one.
    pub placed: Arc<Replicas>,
}

impl PartitionImage {
    /// The replicas that cannot be used: without a leader these are all, of which the last one's directory is offline.
    pub fn offline_replicas(&self) -> &[NodeId] {
        if self.leader.is_none() { &self.replicas } else { &[] }
    }
}

impl Deref for PartitionImage {
    type Target = Replicas;

    fn deref(&self) -> &Replicas {
        &self.placed
    }
}

/// Where a partition is and shall be. In most clusters few differ among very many partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replicas {
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
}

impl Replicas {
    /// The directory of this node's replica; `None` when it has none, or no record tells.
    pub fn directory_of(&self, node: NodeId) -> Option<DirectoryId> {
        let mut placed = self.replicas.iter().zip(&self.directories);
        placed.find(|(replica, _)| **replica == node).map(|(_, directory)| *directory)
    }
}

/// What was last seen of where partitions are, so that those that come next share it. It says nothing of an image.
#[derive(Clone, Debug, Default)]
pub(super) struct LastPlaced(Arc<Vec<Arc<Replicas>>>);

/// As many placements as are remembered: new partitions go to one data directory after the other.
const LAST_PLACED_MAX: usize = 16;

impl LastPlaced {
    /// `replicas`, shared with an earlier partition that is at the same place.
    pub(super) fn share(&mut self, replicas: Replicas) -> Arc<Replicas> {
        if let Some(known) = self.0.iter().find(|known| ***known == replicas) {
            return Arc::clone(known);
        }
        let placed = Arc::new(replicas);
        let known = Arc::make_mut(&mut self.0);
        if known.len() >= LAST_PLACED_MAX {
            known.remove(0);
        }
        known.push(Arc::clone(&placed));
        placed
    }
}

impl PartialEq for LastPlaced {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for LastPlaced {}

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

/// A topic's name, in an order in which names that collide stand beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Colliding(TopicName);

impl Ord for Colliding {
    fn cmp(&self, other: &Self) -> Ordering {
        collision_order(&self.0, &other.0).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Colliding {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
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
    topics: Tree<TopicName, Arc<TopicImage>>,
    /// The same; `None` only while one is changed.
    topics_by_id: Tree<TopicId, Option<Arc<TopicImage>>>,
    /// The topics whose names can collide with others.
    colliding: Tree<Colliding, ()>,
    configs: Tree<ConfigResource, Arc<Configs>>,
    features: Arc<BTreeMap<String, i16>>,
    brokers: Arc<BTreeMap<NodeId, BrokerImage>>,
    kept: Arc<Vec<(Option<KeptSubject>, Bytes)>>,
    pub(super) last_placed: LastPlaced,
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
            topics: Tree::default(),
            topics_by_id: Tree::default(),
            colliding: Tree::default(),
            configs: Tree::default(),
            features: Arc::default(),
            brokers: Arc::default(),
            kept: Arc::default(),
            last_placed: LastPlaced::default(),
        }
    }

    /// The topic with this name.
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.topics.get(name)
    }

    /// The topic with this id.
    pub fn topic_by_id(&self, id: TopicId) -> Option<&Arc<TopicImage>> {
        self.topics_by_id.get(&id)?.as_ref()
    }

    /// The partition `index` of the topic `name`.
    pub fn partition(&self, name: &str, index: i32) -> Option<&PartitionImage> {
        self.topic(name).and_then(|topic| topic.partition(index))
    }

    /// All topics in the order of their names.
    pub fn topics(&self) -> impl ExactSizeIterator<Item = &Arc<TopicImage>> + Clone {
        self.topics.iter().map(|(_, topic)| topic)
    }

    /// The topics whose names are `first` or greater, in the order of their names.
    pub fn topics_from<'a>(&'a self, first: &str) -> impl Iterator<Item = &'a Arc<TopicImage>> {
        self.topics.range_from(first).map(|(_, topic)| topic)
    }

    /// An existing topic whose name `name` collides with, itself included.
    pub fn colliding(&self, name: &str) -> Option<&TopicName> {
        if !can_collide(name) {
            return None;
        }
        // No name in the order of collisions comes before the one with nothing but dots in these places.
        let first = Colliding(name.replace('_', ".").into());
        let found = self.colliding.range_from(&first).next().map(|(Colliding(found), ())| found)?;
        Some(found).filter(|found| collision_order(found, name).is_eq())
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

    /// The brokers that a real Kafka's controller has registered.
    pub(super) fn registered_brokers(&self) -> impl Iterator<Item = NodeId> {
        self.kept.iter().filter_map(|(of, _)| match of {
            Some(KeptSubject::Broker(node)) => Some(*node),
            _ => None,
        })
    }

    /// The epoch under which a real Kafka's controller last registered this broker; `None` when none did. A clean stop
    /// notes it: that controller takes a broker that names another for one that crashed, and its replicas for damaged.
    pub fn broker_epoch(&self, node: NodeId) -> Option<i64> {
        let subject = Some(KeptSubject::Broker(node));
        self.kept.iter().filter(|(of, _)| *of == subject).find_map(
            |(_, record)| match MetadataRecord::decode(record) {
                Ok(MetadataRecord::RegisterBroker(registration)) => Some(registration.broker_epoch),
                _ => None,
            },
        )
    }
}

/// Changes, for `replay` and for `Controller::open` alone.
impl Image {
    pub(super) fn put_topic(&mut self, topic: TopicImage) {
        let topic = Arc::new(topic);
        self.topics_by_id.insert(topic.id, Some(Arc::clone(&topic)));
        if can_collide(&topic.name) {
            self.colliding.insert(Colliding(Arc::clone(&topic.name)), ());
        }
        self.topics.insert(Arc::clone(&topic.name), topic);
    }

    /// Changes a topic in place; `None` when no topic has the id. The name and the id must stay.
    pub(super) fn change_topic<R>(
        &mut self,
        id: TopicId,
        change: impl FnOnce(&mut TopicImage) -> R,
    ) -> Option<R> {
        let by_id = self.topics_by_id.get_mut(&id)?;
        let name = Arc::clone(&by_id.as_ref()?.name);
        let topic = self.topics.get_mut(&*name)?;
        // Let go of it here first, or every change would copy the topic.
        *by_id = None;
        let result = change(Arc::make_mut(topic));
        *by_id = Some(Arc::clone(topic));
        Some(result)
    }

    /// Removes a topic together with its configurations.
    pub(super) fn remove_topic(&mut self, id: TopicId) -> Option<Arc<TopicImage>> {
        let topic = self.topics_by_id.remove(&id)??;
        self.topics.remove(&*topic.name);
        self.colliding.remove(&Colliding(Arc::clone(&topic.name)));
        self.configs.remove(&ConfigResource::topic(&topic.name));
        Some(topic)
    }

    /// Sets one configuration, or with `None` removes it.
    pub(super) fn put_config(&mut self, resource: ConfigResource, key: String, value: Option<String>) {
        let mut configs =
            self.configs.get(&resource).map(|configs| Configs::clone(configs)).unwrap_or_default();
        match value {
            Some(value) => {
                configs.insert(key, value);
            }
            None => {
                configs.remove(&key);
            }
        }
        if configs.is_empty() {
            self.configs.remove(&resource);
        } else {
            self.configs.insert(resource, Arc::new(configs));
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

    /// The kept records of one registration, in their order.
    pub(super) fn kept_of(&self, subject: KeptSubject) -> impl Iterator<Item = &Bytes> {
        self.kept.iter().filter(move |(of, _)| *of == Some(subject)).map(|(_, record)| record)
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
    fn names_that_differ_in_dots_and_underscores_alone_collide() {
        let mut image = Image::empty("c");
        for name in ["a.b_c", "a_bc", "abc", "z"] {
            image.put_topic(topic(name));
        }
        let colliding = |image: &Image, name: &str| image.colliding(name).map(ToString::to_string);
        for name in ["a.b.c", "a_b_c", "a_b.c", "a.b_c"] {
            assert_eq!(colliding(&image, name).as_deref(), Some("a.b_c"), "{name}");
        }
        for name in ["abc", "a-b-c", "a.b", "a.b.c.", ".z", "z"] {
            assert_eq!(colliding(&image, name), None, "{name}");
        }
        let id = image.topic("a.b_c").unwrap().id;
        image.remove_topic(id);
        assert_eq!(colliding(&image, "a.b.c"), None);
        assert_eq!(colliding(&image, "a.bc").as_deref(), Some("a_bc"));
    }

    #[test]
    fn the_brokers_own_topics_are_internal() {
        assert!(topic("__consumer_offsets").internal);
        assert!(!topic("__cluster_metadata").internal);
        assert!(!topic("orders").internal);
    }
}
