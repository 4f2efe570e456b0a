package milena.concepts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PartitioningTest {
    private static Broker broker;
    private static Client client;

    @BeforeAll
    static void start() throws Exception {
        broker = Broker.start(Map.of());
        client = new Client(broker.address());
    }

    @AfterAll
    static void stop() throws Exception {
        broker.close();
    }

    @Test
    void recordsOfOneKeyStayInOnePartitionAndKeepTheirOrder() throws Exception {
        client.createTopic("keyed", 5);
        int keys = 40;
        int turns = 100;
        // Two producers one after the other: the partition depends on the key alone.
        for (int half = 0; half < 2; half++) {
            try (Producer<String, String> producer = client.producer("batch.size", "500")) {
                for (int turn = half * turns / 2; turn < (half + 1) * turns / 2; turn++) {
                    for (int key = 0; key < keys; key++) {
                        producer.send(new ProducerRecord<>("keyed", "key" + key, String.valueOf(turn)));
                    }
                }
            }
        }

        Map<String, Integer> home = new HashMap<>();
        Map<String, Integer> next = new HashMap<>();
        for (ConsumerRecord<String, String> record : client.readAll("keyed", 5)) {
            assertEquals(home.computeIfAbsent(record.key(), key -> record.partition()), record.partition(), record.key());
            assertEquals(next.getOrDefault(record.key(), 0), Integer.parseInt(record.value()), record.key());
            next.merge(record.key(), 1, Integer::sum);
        }
        assertEquals(keys, next.size());
        assertTrue(next.values().stream().allMatch(count -> count == turns), next.toString());
        assertEquals(5, home.values().stream().distinct().count());
    }

    @Test
    void recordsWithoutAKeySpreadOverAllPartitions() throws Exception {
        client.createTopic("keyless", 4);
        int count = 20_000;
        try (Producer<String, String> producer = client.producer("batch.size", "1000")) {
            for (int i = 0; i < count; i++) {
                producer.send(new ProducerRecord<>("keyless", "value-" + i));
            }
        }
        List<ConsumerRecord<String, String>> all = client.readAll("keyless", 4);
        assertEquals(count, all.stream().map(ConsumerRecord::value).distinct().count());
        Map<Integer, Long> sizes =
            all.stream().collect(Collectors.groupingBy(ConsumerRecord::partition, Collectors.counting()));
        assertEquals(4, sizes.size());
        assertTrue(sizes.values().stream().allMatch(size -> size > count / 4 / 4), sizes.toString());
    }
}
