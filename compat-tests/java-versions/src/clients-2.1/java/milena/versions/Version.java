package milena.versions;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** What version 2.1 of the client writes in its own way. */
final class Version {
    private Version() {}

    static TopicDescription describe(AdminClient admin, String topic) throws Exception {
        return admin.describeTopics(List.of(topic)).all().get().get(topic);
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
