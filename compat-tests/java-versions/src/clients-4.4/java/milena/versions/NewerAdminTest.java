package milena.versions;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;

/** Administration with what came after 2.1. */
class NewerAdminTest {
    private static long offset(AdminClient admin, TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get().offset();
    }

    @Test
    void offsetsAreListedByTimeAndByTheLatestTimestamp() throws Exception {
        TopicPartition partition = new TopicPartition(Clients.topic(1), 0);
        long begin = System.currentTimeMillis() - 60_000;
        try (KafkaProducer<String, String> producer = Clients.producer()) {
            for (long time : new long[] {begin, begin + 5000, begin + 1000}) {
                producer.send(new ProducerRecord<>(partition.topic(), 0, time, null, "v"));
            }
        }
        try (AdminClient admin = Clients.admin()) {
            assertEquals(0, offset(admin, partition, OffsetSpec.earliest()));
            assertEquals(3, offset(admin, partition, OffsetSpec.latest()));
            assertEquals(1, offset(admin, partition, OffsetSpec.forTimestamp(begin + 1)));
            assertEquals(-1, offset(admin, partition, OffsetSpec.forTimestamp(begin + 5001)));
            assertEquals(1, offset(admin, partition, OffsetSpec.maxTimestamp()));
        }
    }

    @Test
    void aConfigIsAppendedToSubtractedFromAndPutBack() throws Exception {
        String topic = Clients.topic(1);
        try (AdminClient admin = Clients.admin()) {
            alter(admin, topic, AlterConfigOp.OpType.APPEND, "compact");
            await(admin, topic, "delete,compact");
            alter(admin, topic, AlterConfigOp.OpType.SUBTRACT, "delete");
            await(admin, topic, "compact");
            alter(admin, topic, AlterConfigOp.OpType.DELETE, null);
            await(admin, topic, "delete");
        }
    }

    private static void alter(AdminClient admin, String topic, AlterConfigOp.OpType how, String value) throws Exception {
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic),
            List.of(new AlterConfigOp(new ConfigEntry("cleanup.policy", value), how)))).all().get();
    }

    private static void await(AdminClient admin, String topic, String value) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Clients.until(() -> "cleanup.policy is " + value, () -> value.equals(
            admin.describeConfigs(List.of(resource)).all().get().get(resource).get("cleanup.policy").value()));
    }

    @Test
    void aTopicTakesTheBrokersDefaults() throws Exception {
        String name = Clients.unique("topic");
        try (AdminClient admin = Clients.admin()) {
            var created = admin.createTopics(List.of(new NewTopic(name, -1, (short) -1)));
            assertEquals(1, created.numPartitions(name).get());
            assertEquals(1, created.replicationFactor(name).get());
            assertEquals("604800000", created.config(name).get().get("retention.ms").value());
        }
    }
}
