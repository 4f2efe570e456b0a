package milena.versions;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.Test;

/** Administration: topics, partitions, groups, offsets by time, deletion of records. */
class AdminTest {
    private static boolean has(AdminClient admin, String topic) throws Exception {
        return admin.listTopics().names().get().contains(topic);
    }

    private static void awaitPartitions(AdminClient admin, String topic, int count) throws Exception {
        Clients.until(() -> topic + " has " + count + " partitions",
            () -> has(admin, topic) && Version.describe(admin, topic).partitions().size() == count);
    }

    @Test
    void aTopicIsMadeGrownAndDeletedAndItsNameIsFreeAgain() throws Exception {
        String name = Clients.unique("topic");
        NewTopic topic = new NewTopic(name, 2, (short) 1).configs(Map.of("retention.ms", "86400000"));
        try (AdminClient admin = Clients.admin()) {
            admin.createTopics(List.of(topic)).all().get();
            Clients.awaitLeaders(name, 2);
            Clients.refused(TopicExistsException.class, admin.createTopics(List.of(topic)).all());
            assertEquals("86400000", ConfigTest.config(admin, name, "retention.ms"));
            Clients.send(name, 2, "old", 4);

            admin.createPartitions(Map.of(name, NewPartitions.increaseTo(4))).all().get();
            awaitPartitions(admin, name, 4);
            Clients.refused(InvalidPartitionsException.class,
                admin.createPartitions(Map.of(name, NewPartitions.increaseTo(3))).all());

            admin.deleteTopics(List.of(name)).all().get();
            Clients.until(() -> "the topic is gone", () -> !has(admin, name));
            Clients.refused(UnknownTopicOrPartitionException.class, admin.deleteTopics(List.of(name)).all());

            admin.createTopics(List.of(new NewTopic(name, 1, (short) 1))).all().get();
            awaitPartitions(admin, name, 1);
            Clients.awaitLeaders(name, 1);
            assertTrue(Clients.readAll(name, 1).isEmpty());
        }
    }

    @Test
    void groupsAreListedDescribedAndDeleted() throws Exception {
        try (Group group = new Group("org.apache.kafka.clients.consumer.RangeAssignor")) {
            AdminClient admin = group.admin;
            Member member = group.join("only");
            group.awaitMembers("only");
            group.assertHandled(group.send("v"), "only");
            assertTrue(listed(admin, group.id));
            Clients.refused(GroupNotEmptyException.class, admin.deleteConsumerGroups(List.of(group.id)).all());

            member.close();
            group.awaitEmpty();
            assertTrue(group.describe().members().isEmpty());
            admin.deleteConsumerGroups(List.of(group.id)).all().get();
            assertFalse(listed(admin, group.id));
            assertEquals(Map.of(), group.committed());
        }
    }

    private static boolean listed(AdminClient admin, String group) throws Exception {
        return admin.listConsumerGroups().all().get().stream().anyMatch(one -> one.groupId().equals(group));
    }

    @Test
    void offsetsAreFoundByTime() throws Exception {
        String topic = Clients.topic(2);
        TopicPartition partition = new TopicPartition(topic, 0);
        TopicPartition empty = new TopicPartition(topic, 1);
        long begin = System.currentTimeMillis() - 60_000;
        try (KafkaProducer<String, String> producer = Clients.producer("compression.type", "gzip", "linger.ms", "50")) {
            for (int i = 0; i < 10; i++) {
                producer.send(new ProducerRecord<>(topic, 0, begin + i * 1000, null, "v"));
            }
        }
        try (KafkaConsumer<String, String> consumer = Clients.consumer()) {
            assertEquals(Map.of(partition, 0L, empty, 0L), consumer.beginningOffsets(List.of(partition, empty)));
            assertEquals(Map.of(partition, 10L, empty, 0L), consumer.endOffsets(List.of(partition, empty)));
            assertFound(0, begin, offsetAt(consumer, partition, begin - 1));
            assertFound(3, begin + 3000, offsetAt(consumer, partition, begin + 3000));
            assertFound(4, begin + 4000, offsetAt(consumer, partition, begin + 3001));
            assertFound(9, begin + 9000, offsetAt(consumer, partition, begin + 9000));
            assertNull(offsetAt(consumer, partition, begin + 9001));
            assertNull(offsetAt(consumer, empty, begin));
        }
    }

    private static OffsetAndTimestamp offsetAt(KafkaConsumer<String, String> consumer, TopicPartition at, long time) {
        return consumer.offsetsForTimes(Map.of(at, time), Duration.ofSeconds(20)).get(at);
    }

    private static void assertFound(long offset, long time, OffsetAndTimestamp found) {
        assertNotNull(found);
        assertEquals(offset, found.offset());
        assertEquals(time, found.timestamp());
    }

    @Test
    void deletedRecordsAreGone() throws Exception {
        String topic = Clients.topic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        Clients.send(topic, 1, "v", 10);
        try (AdminClient admin = Clients.admin()) {
            assertEquals(4, admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(4)))
                .lowWatermarks().get(partition).get().lowWatermark());
            List<ConsumerRecord<byte[], byte[]>> left = Clients.readAll(topic, 1);
            assertEquals(6, left.size());
            assertEquals("v4", new String(left.get(0).value(), StandardCharsets.UTF_8));
            Clients.refused(OffsetOutOfRangeException.class,
                admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(11))).all());

            admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(-1))).all().get();
            assertTrue(Clients.readAll(topic, 1).isEmpty());
        }
    }

    @Test
    void theClusterIsDescribed() throws Exception {
        try (AdminClient admin = Clients.admin()) {
            var cluster = admin.describeCluster();
            assertFalse(cluster.clusterId().get().isEmpty());
            assertEquals(1, cluster.nodes().get().size());
            assertEquals(Set.of(cluster.controller().get()), Set.copyOf(cluster.nodes().get()));
        }
    }
}
