package milena.concepts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Retention takes old segments, whole ones, and no others. */
class RetentionTest {
    private static final Duration MOST = Duration.ofSeconds(40);
    private static final int SEGMENT = 1 << 20;
    private static final int VALUE = 10_000;
    private static Broker broker;
    private static Client client;

    @BeforeAll
    static void start() throws Exception {
        broker = Broker.start(Map.of(
            "log.retention.check.interval.ms", "200",
            "log.initial.task.delay.ms", "200",
            "log.segment.delete.delay.ms", "100"));
        client = new Client(broker.address());
    }

    @AfterAll
    static void stop() throws Exception {
        broker.close();
    }

    private static void createTopic(String topic) throws Exception {
        client.createTopic(topic, 1,
            "segment.bytes", String.valueOf(SEGMENT), "retention.ms", "-1", "retention.bytes", "-1",
            "file.delete.delay.ms", "100");
    }

    /** Sends values of 10 KB with this timestamp, one batch each. */
    private static void send(String topic, int count, long timestamp) {
        try (Producer<String, String> producer = client.producer("batch.size", "0")) {
            for (int i = 0; i < count; i++) {
                producer.send(new ProducerRecord<>(topic, 0, timestamp, null, "x".repeat(VALUE)));
            }
        }
    }

    /** Base offset → size of the log's files; without one that is renamed at this moment. */
    private static SortedMap<Long, Long> segments(String topic) throws IOException {
        SortedMap<Long, Long> found = new TreeMap<>();
        try (Stream<Path> files = Files.list(broker.partition(topic, 0))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".log")).toList()) {
                try {
                    found.put(Long.parseLong(file.getFileName().toString().replace(".log", "")), Files.size(file));
                } catch (NoSuchFileException gone) {
                    // The next look does not list it.
                }
            }
        }
        return found;
    }

    private static void configure(Admin admin, String topic, String key, String value) throws Exception {
        Collection<AlterConfigOp> change =
            List.of(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET));
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic), change)).all().get();
    }

    private static long earliest(Admin admin, String topic) throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        return admin.listOffsets(Map.of(partition, OffsetSpec.earliest())).partitionResult(partition).get().offset();
    }

    /** Waits until the log begins at this offset, on disk too, and checks that the rest is readable without a hole. */
    private static void beginsAt(Admin admin, String topic, long start, SortedMap<Long, Long> kept, int end) throws Exception {
        Map<String, Object> seen = new HashMap<>();
        Await.until(MOST, seen::toString, () -> {
            seen.put("earliest", earliest(admin, topic));
            seen.put("segments", segments(topic));
            return earliest(admin, topic) == start && segments(topic).keySet().equals(kept.keySet());
        });
        assertEquals(kept, segments(topic));
        List<Long> offsets = client.readAll(topic, 1).stream().map(ConsumerRecord::offset).toList();
        assertEquals(LongStream.range(start, end).boxed().toList(), offsets);
    }

    /** Two more rounds of housekeeping, seen by a topic that only they can change. */
    private static void anotherRound(Admin admin, String name) throws Exception {
        createTopic(name);
        send(name, 250, System.currentTimeMillis() - Duration.ofHours(2).toMillis());
        configure(admin, name, "retention.ms", "3600000");
        Await.until(MOST, () -> "housekeeping", () -> earliest(admin, name) == 250);
    }

    @Test
    void retentionBySizeRemovesTheOldestSegmentsAsLongAsTheRestIsLargeEnough() throws Exception {
        createTopic("sized");
        send("sized", 600, System.currentTimeMillis());
        SortedMap<Long, Long> before = segments("sized");
        assertTrue(before.size() >= 5, before.toString());

        long limit = 2L * SEGMENT + SEGMENT / 2;
        long size = before.values().stream().mapToLong(Long::longValue).sum();
        SortedMap<Long, Long> kept = new TreeMap<>(before);
        while (size - kept.get(kept.firstKey()) >= limit) {
            size -= kept.remove(kept.firstKey());
        }
        assertTrue(kept.size() < before.size() && kept.size() >= 3, kept.toString());

        try (Admin admin = client.admin()) {
            configure(admin, "sized", "retention.bytes", String.valueOf(limit));
            beginsAt(admin, "sized", kept.firstKey(), kept, 600);
            anotherRound(admin, "after-sized");
            beginsAt(admin, "sized", kept.firstKey(), kept, 600);
        }
    }

    @Test
    void retentionByTimeRemovesSegmentsWhoseNewestRecordIsOldAndOnlyThose() throws Exception {
        createTopic("timed");
        long now = System.currentTimeMillis();
        int old = 350;
        int fresh = 200;
        send("timed", old, now - Duration.ofHours(2).toMillis());
        send("timed", fresh, now);
        SortedMap<Long, Long> before = segments("timed");
        // The segment with the first fresh record holds old ones too, and they stay with it.
        long mixed = before.headMap(old + 1L).lastKey();
        assertTrue(mixed > 0 && mixed < old, before.toString());

        try (Admin admin = client.admin()) {
            configure(admin, "timed", "retention.ms", String.valueOf(Duration.ofHours(1).toMillis()));
            beginsAt(admin, "timed", mixed, before.tailMap(mixed), old + fresh);
            anotherRound(admin, "after-timed");
            beginsAt(admin, "timed", mixed, before.tailMap(mixed), old + fresh);
        }
    }

    @Test
    void aTopicWithoutLimitsKeepsEverything() throws Exception {
        createTopic("kept");
        send("kept", 350, System.currentTimeMillis() - Duration.ofDays(30).toMillis());
        SortedMap<Long, Long> before = segments("kept");
        assertTrue(before.size() >= 3, before.toString());
        try (Admin admin = client.admin()) {
            anotherRound(admin, "after-kept");
            beginsAt(admin, "kept", 0, before, 350);
        }
    }
}
