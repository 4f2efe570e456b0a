package milena.concepts;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A group whose offsets are reset by the admin client gets exactly the records from there on again. */
class ReplayTest {
    private static final int PARTITIONS = 2;
    private static final int COUNT = 200;
    private static final AtomicInteger NUMBERS = new AtomicInteger();
    private static Broker broker;
    private static Client client;

    private final String topic = "replayed" + NUMBERS.incrementAndGet();
    private final String group = "group-of-" + topic;
    private final List<TopicPartition> partitions = Client.partitions(topic, PARTITIONS);
    private final long firstStamp = System.currentTimeMillis() - 100_000;

    @BeforeAll
    static void start() throws Exception {
        broker = Broker.start(Map.of());
        client = new Client(broker.address());
    }

    @AfterAll
    static void stop() throws Exception {
        broker.close();
    }

    /** Record i is in partition i % 2 at offset i / 2, 100 ms after the one before; the group has read all. */
    private void readOnce() throws Exception {
        client.createTopic(topic, PARTITIONS);
        try (Producer<String, String> producer = client.producer()) {
            for (int i = 0; i < COUNT; i++) {
                producer.send(new ProducerRecord<>(topic, i % PARTITIONS, firstStamp + i * 100L, null, String.valueOf(i)));
            }
        }
        assertEquals(numbers(0), readAsGroup(COUNT));
        assertEquals(List.of(), readAsGroup(0));
    }

    private static List<Integer> numbers(int from) {
        return IntStream.range(from, COUNT).boxed().toList();
    }

    /** Joins, reads until the group has no lag, commits, leaves; the values in ascending order. */
    private List<Integer> readAsGroup(int expected) throws Exception {
        List<Integer> values = new ArrayList<>();
        try (Consumer<String, String> consumer = client.consumer("group.id", group)) {
            consumer.subscribe(List.of(topic));
            Await.until(Duration.ofSeconds(30), () -> values.size() + " of " + expected, () -> {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    values.add(Integer.valueOf(record.value()));
                }
                return consumer.assignment().size() == PARTITIONS && atTheEnd(consumer);
            });
            consumer.commitSync();
        }
        return values.stream().sorted().toList();
    }

    private boolean atTheEnd(Consumer<String, String> consumer) {
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        return partitions.stream().allMatch(p -> consumer.position(p) == ends.get(p));
    }

    private Map<TopicPartition, Long> offsets(Admin admin, OffsetSpec spec) throws Exception {
        Map<TopicPartition, OffsetSpec> asked = partitions.stream().collect(Collectors.toMap(p -> p, p -> spec));
        Map<TopicPartition, Long> answer = new HashMap<>();
        admin.listOffsets(asked).all().get().forEach((partition, info) -> answer.put(partition, info.offset()));
        return answer;
    }

    private void reset(Admin admin, Map<TopicPartition, Long> offsets) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> wanted = new HashMap<>();
        offsets.forEach((partition, offset) -> wanted.put(partition, new OffsetAndMetadata(offset)));
        admin.alterConsumerGroupOffsets(group, wanted).all().get();
    }

    @Test
    void aGroupThatIsResetToTheEarliestGetsEverythingAgain() throws Exception {
        readOnce();
        try (Admin admin = client.admin()) {
            reset(admin, offsets(admin, OffsetSpec.earliest()));
        }
        assertEquals(numbers(0), readAsGroup(COUNT));
    }

    @Test
    void aGroupThatIsResetToATimeGetsTheRecordsFromThatTimeOn() throws Exception {
        readOnce();
        try (Admin admin = client.admin()) {
            // Between record 120 and 121.
            reset(admin, offsets(admin, OffsetSpec.forTimestamp(firstStamp + 120 * 100L + 50)));
        }
        assertEquals(numbers(121), readAsGroup(COUNT - 121));
    }

    @Test
    void aGroupThatIsShiftedBackGetsThatManyRecordsOfEachPartitionAgain() throws Exception {
        readOnce();
        try (Admin admin = client.admin()) {
            Map<TopicPartition, Long> shifted = new HashMap<>();
            admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()
                .forEach((partition, offset) -> shifted.put(partition, offset.offset() - 15));
            assertEquals(new TreeSet<>(List.of(85L)), new TreeSet<>(shifted.values()));
            reset(admin, shifted);
        }
        assertEquals(numbers(COUNT - 15 * PARTITIONS), readAsGroup(15 * PARTITIONS));
    }
}
