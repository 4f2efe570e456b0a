//! The only consumer of metadata changes: opens, closes and reconfigures partitions, loads coordinator shards, tells
//! groups about deleted topics. It decides nothing and changes no metadata.

use std::sync::Arc;

use bytes::Bytes;

use crate::config::Config;
use crate::controller::Publisher;
use crate::controller::command::Changes;
use crate::controller::image::{Configs, Image, PartitionImage, ResourceKind, TopicImage};
use crate::coordinator::command::Verdict;
use crate::coordinator::{BoxFuture, Coordinator, GroupLog};
use crate::replica::Partition;
use crate::replica::directory::DataDirectory;
use crate::replica::registry::Registry;
use crate::replica::settings::TopicSettings;
use crate::types::{Clock, ErrorCode, Now, Offset, TopicId, TopicPartition};
use crate::wire::batch::Batch;

use super::live::LiveConfig;
use super::settings_cache::SettingsCache;
use super::topics::CONSUMER_OFFSETS;

/// See the module.
pub struct Applier {
    /// The configuration in force, which changes here; topics without a value of their own go by it.
    pub live: Arc<LiveConfig>,
    /// What topics' configurations come to.
    pub settings: SettingsCache,
    /// The partitions.
    pub partitions: Arc<Registry>,
    /// The groups.
    pub coordinator: Arc<Coordinator>,
    /// When something happened.
    pub clock: Arc<dyn Clock>,
}

impl Publisher for Applier {
    fn publish(&self, before: &Arc<Image>, after: &Arc<Image>, changes: &Changes) {
        self.delete(&changes.deleted);
        let of_broker = changes.configs.iter().any(|resource| resource.kind == ResourceKind::BROKER);
        let earlier = self.live.current();
        let broker = if of_broker { self.apply_broker(after) } else { earlier.clone() };
        for name in changes.topics.values() {
            if let Some(topic) = after.topic(name) {
                let known = before.topic_by_id(topic.id).map_or(&[][..], |topic| &topic.partitions);
                self.apply_topic(&broker, after, topic, known);
            }
        }
        self.apply_configs(&earlier, &broker, after, changes);
    }
}

impl Applier {
    /// Makes every partition of the first image known, with what the last run left of it. No log is opened.
    pub fn apply_first(&self, image: &Image) {
        let broker = self.apply_broker(image);
        for topic in image.topics() {
            self.add_partitions(&broker, image, topic, 0, true);
        }
    }

    /// Takes up what is set at run time for this broker, and hands it to the parts that lie below this one.
    fn apply_broker(&self, image: &Image) -> Arc<Config> {
        let config = self.live.apply(image);
        self.partitions.set_producer_id_expiration(config.producers.id_expiration_ms);
        config
    }

    /// Takes up the groups of a topic of committed offsets that exists; reads its log. After an unclean stop offsets
    /// above the end of their log are cut to it, or their group would wait for records it never gets.
    pub fn load_groups(&self, image: &Image) {
        if let Some(topic) = image.topic(CONSUMER_OFFSETS) {
            self.load_partitions(topic, 0);
            let judge = |topic: &str, partition, id: TopicId, offset: i64| {
                if id != TopicId::ZERO && image.topic(topic).is_none_or(|topic| topic.id != id) {
                    return Verdict::Delete;
                }
                let log = self
                    .partitions
                    .get(&TopicPartition::new(topic, partition))
                    .filter(|log| log.home().files().is_some_and(|files| !files.was_clean()));
                match log.and_then(|log| log.log_end().ok()) {
                    Some(end) if offset > end.0 => Verdict::Cut(end.0),
                    _ => Verdict::Keep,
                }
            };
            self.coordinator.mend_offsets(&judge, self.clock.now());
        }
    }

    /// Hands new configurations to partitions: of one topic, or of all when those of the broker changed that are the
    /// defaults of theirs.
    fn apply_configs(&self, earlier: &Config, broker: &Arc<Config>, image: &Image, changes: &Changes) {
        let changed = |kind| changes.configs.iter().filter(move |resource| resource.kind == kind);
        if !broker.has_topic_defaults_of(earlier) {
            for topic in image.topics() {
                self.configure(broker, image, topic);
            }
            return;
        }
        for topic in changed(ResourceKind::TOPIC).filter_map(|resource| image.topic(&resource.name)) {
            self.configure(broker, image, topic);
        }
    }

    fn configure(&self, broker: &Arc<Config>, image: &Image, topic: &TopicImage) {
        let settings = self.settings_of(broker, image, &topic.name);
        for partition in self.partitions_of(topic, 0) {
            partition.set_settings(settings.clone());
        }
    }

    fn settings_of(&self, broker: &Arc<Config>, image: &Image, topic: &str) -> Arc<TopicSettings> {
        let none = Configs::new();
        let own = image.topic_config(topic).map_or(&none, |configs| &**configs);
        self.settings.settings_of(broker, topic, own)
    }

    fn apply_topic(&self, broker: &Arc<Config>, image: &Image, topic: &TopicImage, known: &[PartitionImage]) {
        for (index, (before, after)) in (0..).zip(known.iter().zip(&topic.partitions)) {
            if before.leader_epoch != after.leader_epoch
                && let Some(partition) = self.partitions.get(&TopicPartition::new(topic.name.clone(), index))
            {
                partition.set_leader_epoch(after.leader_epoch);
                if &*topic.name == CONSUMER_OFFSETS && after.leader.is_none() {
                    self.coordinator.unload(index, after.leader_epoch);
                }
            }
        }
        self.add_partitions(broker, image, topic, known.len(), false);
        if &*topic.name == CONSUMER_OFFSETS {
            self.load_partitions(topic, known.len());
        }
    }

    fn add_partitions(
        &self,
        broker: &Arc<Config>,
        image: &Image,
        topic: &TopicImage,
        from: usize,
        existed: bool,
    ) {
        let settings = self.settings_of(broker, image, &topic.name);
        for (index, partition) in (0..).zip(&topic.partitions).skip(from) {
            let named = TopicPartition { topic: topic.name.clone(), partition: index };
            let home = self.home_of(broker, partition);
            self.partitions.add(home, named, topic.id, settings.clone(), partition.leader_epoch, existed);
        }
    }

    fn home_of(&self, broker: &Config, partition: &PartitionImage) -> &Arc<DataDirectory> {
        self.partitions.directory(partition.directory_of(broker.node_id).unwrap_or(TopicId::ZERO))
    }

    fn partitions_of(&self, topic: &TopicImage, from: usize) -> Vec<Arc<Partition>> {
        let named = |(index, _)| TopicPartition { topic: topic.name.clone(), partition: index };
        let all = (0..).zip(&topic.partitions).skip(from).map(named);
        all.filter_map(|named| self.partitions.get(&named)).collect()
    }

    fn delete(&self, topics: &[Arc<TopicImage>]) {
        if topics.is_empty() {
            return;
        }
        let now = self.clock.now();
        for topic in topics {
            let named = (0..topic.partitions.len() as i32)
                .map(|partition| TopicPartition { topic: topic.name.clone(), partition });
            self.partitions.remove(named, now);
            if &*topic.name == CONSUMER_OFFSETS {
                self.coordinator.remove_all();
            }
        }
        self.coordinator.topics_deleted(&topics.iter().map(|topic| topic.name.clone()).collect(), now);
    }

    fn load_partitions(&self, topic: &TopicImage, from: usize) {
        self.coordinator.set_partitions(topic.partitions.len() as i32);
        let mut partitions = self.partitions_of(topic, from);
        // Its groups have no coordinator, rather than one that knows nothing of them.
        partitions.retain(|partition| !partition.home().is_offline());
        for partition in &partitions {
            let log = Arc::new(OffsetsLog { partition: partition.clone() });
            let index = partition.topic_partition.partition;
            self.coordinator.begin_load(index, partition.leader_epoch(), log);
        }
        for partition in partitions {
            // A failure is logged there, and the load is tried again.
            let _ = self.coordinator.load(partition.topic_partition.partition, self.clock.now());
        }
    }
}

/// A partition of `__consumer_offsets` as its coordinator shard sees it.
struct OffsetsLog {
    partition: Arc<Partition>,
}

impl GroupLog for OffsetsLog {
    fn append(&self, batch: Batch, now: Now) -> Result<Offset, ErrorCode> {
        let appended = self.partition.append(&batch, now).map_err(|refusal| refusal.error)?;
        Ok(appended.last_offset.plus(1))
    }

    fn committed(&self) -> Offset {
        self.partition.high_watermark().unwrap_or(Offset::ZERO)
    }

    fn wait_committed(&self, upto: Offset) -> BoxFuture<Result<(), ErrorCode>> {
        let partition = self.partition.clone();
        Box::pin(async move { partition.committed_upto(upto).await })
    }

    fn bounds(&self) -> Result<(Offset, Offset), ErrorCode> {
        let reader = self.partition.reader()?;
        Ok((reader.start(), reader.end()))
    }

    fn read(&self, from: Offset, bytes_max: usize) -> Result<Bytes, ErrorCode> {
        self.partition.read_applied(from, bytes_max)
    }

    fn batch_bytes_max(&self) -> usize {
        usize::try_from(self.partition.settings().config.max_message_bytes).unwrap_or(0)
    }
}
