//! Topics that are made on the way: by a client that asks for a name, and by the coordinators.

use crate::config::Config;
use crate::controller::command::NewTopic;
use crate::controller::image::Configs;

/// The topic that holds groups and their offsets.
pub const CONSUMER_OFFSETS: &str = "__consumer_offsets";

/// A topic of this name as auto-creation makes it; internal topics get the partitions and configurations that
/// Kafka gives them.
pub fn new_topic(config: &Config, name: &str) -> NewTopic {
    if name != CONSUMER_OFFSETS {
        return NewTopic::named(name, config.topics.num_partitions, &Configs::new());
    }
    let configs = Configs::from([
        ("cleanup.policy".to_owned(), "compact".to_owned()),
        ("compression.type".to_owned(), "producer".to_owned()),
        ("segment.bytes".to_owned(), config.offsets.topic_segment_bytes.to_string()),
    ]);
    NewTopic::named(name, config.offsets.topic_num_partitions, &configs)
}
