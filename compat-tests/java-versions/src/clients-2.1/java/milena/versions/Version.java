package milena.versions;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/** What version 2.1 of the client writes in its own way. */
final class Version {
    private Version() {}

    static TopicDescription describe(AdminClient admin, String topic) throws Exception {
        return admin.describeTopics(List.of(topic)).all().get().get(topic);
    }

    /** AlterConfigs: what is not named goes back to its default. */
    static Future<Void> alter(AdminClient admin, String topic, String key, String value) {
        return admin.alterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic),
            new Config(List.of(new ConfigEntry(key, value))))).all();
    }

    /** A consumer of the group that assigns its partitions by itself commits. */
    static void reset(AdminClient admin, String group, Map<TopicPartition, Long> offsets) {
        try (KafkaConsumer<String, String> consumer = Clients.consumer("group.id", group)) {
            consumer.assign(offsets.keySet());
            consumer.commitSync(offsets.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, entry -> new OffsetAndMetadata(entry.getValue()))));
        }
    }

    /** Not told by this version. */
    static int generation(KafkaConsumer<?, ?> consumer) {
        return -1;
    }
}
