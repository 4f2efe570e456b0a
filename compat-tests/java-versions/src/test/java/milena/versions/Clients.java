package milena.versions;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Clients of the broker that the environment names, and the few things that most tests do with them. */
final class Clients {
    private static final String ADDRESS = System.getenv("BROKER_ADDRESS");
    private static final Path DATA = Path.of(System.getenv("BROKER_DATA"));
    private static final Duration WAIT_MAX = Duration.ofSeconds(40);

    private Clients() {}

    /** The broker's address, then pairs of key and value. */
    private static Properties properties(String... pairs) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", ADDRESS);
        for (int i = 0; i < pairs.length; i += 2) {
            properties.put(pairs[i], pairs[i + 1]);
        }
        return properties;
    }

    static AdminClient admin() {
        return AdminClient.create(properties());
    }

    static KafkaProducer<byte[], byte[]> bytesProducer(String... pairs) {
        return new KafkaProducer<>(properties(pairs), new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaProducer<String, String> producer(String... pairs) {
        return new KafkaProducer<>(properties(pairs), new StringSerializer(), new StringSerializer());
    }

    private static Properties reading(String... pairs) {
        Properties properties = properties(pairs);
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        return properties;
    }

    static KafkaConsumer<byte[], byte[]> bytesConsumer(String... pairs) {
        return new KafkaConsumer<>(reading(pairs), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static KafkaConsumer<String, String> consumer(String... pairs) {
        return new KafkaConsumer<>(reading(pairs), new StringDeserializer(), new StringDeserializer());
    }

    static String unique(String prefix) {
        return prefix + "-" + UUID.randomUUID();
    }

    /** A new topic whose partitions have leaders. */
    static String topic(int partitions) throws Exception {
        String name = unique("topic");
        try (AdminClient admin = admin()) {
            admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all().get();
        }
        awaitLeaders(name, partitions);
        return name;
    }

    /** Returns when the broker leads every partition, which an answer to ListOffsets shows. */
    static void awaitLeaders(String topic, int partitions) throws Exception {
        until(() -> topic + " has leaders", () -> {
            try {
                return ends(topic, partitions).size() == partitions;
            } catch (UnknownTopicOrPartitionException | org.apache.kafka.common.errors.TimeoutException notYet) {
                return false;
            }
        });
    }

    static List<TopicPartition> partitions(String topic, int count) {
        return IntStream.range(0, count).mapToObj(i -> new TopicPartition(topic, i)).collect(Collectors.toList());
    }

    /** The end of each partition. */
    static Map<TopicPartition, Long> ends(String topic, int count) {
        try (KafkaConsumer<String, String> consumer = consumer()) {
            return consumer.endOffsets(partitions(topic, count));
        }
    }

    /** `prefix0`, `prefix1`, … to the partitions in turn; returns when all are acknowledged. */
    static List<String> send(String topic, int partitions, String prefix, int count, String... pairs) throws Exception {
        List<String> values = new ArrayList<>();
        List<Future<?>> sent = new ArrayList<>();
        try (KafkaProducer<String, String> producer = producer(pairs)) {
            for (int i = 0; i < count; i++) {
                values.add(prefix + i);
                sent.add(producer.send(new ProducerRecord<>(topic, i % partitions, null, prefix + i)));
            }
            producer.flush();
        }
        for (Future<?> acknowledged : sent) {
            acknowledged.get();
        }
        return values;
    }

    /** Everything that the partitions hold now, in the order of each. */
    static List<ConsumerRecord<byte[], byte[]>> readAll(String topic, int partitions) {
        List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = bytesConsumer()) {
            List<TopicPartition> assigned = partitions(topic, partitions);
            consumer.assign(assigned);
            consumer.seekToBeginning(assigned);
            Map<TopicPartition, Long> ends = consumer.endOffsets(assigned);
            while (assigned.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(100)).forEach(all::add);
            }
        }
        return all;
    }

    /** The first segment of the first partition, as it lies on the disk. */
    static byte[] segment(String topic) throws Exception {
        return Files.readAllBytes(DATA.resolve(topic + "-0").resolve("00000000000000000000.log"));
    }

    /** Waits for a condition. */
    static void until(Supplier<String> what, Callable<Boolean> condition) throws Exception {
        for (long end = System.nanoTime() + WAIT_MAX.toNanos(); !condition.call(); Thread.sleep(20)) {
            if (System.nanoTime() > end) {
                fail("waited in vain: " + what.get());
            }
        }
    }

    /** The cause of a refused request, which has to be of this class. */
    static void refused(Class<? extends Throwable> expected, Future<?> answer) {
        ExecutionException thrown = assertThrows(ExecutionException.class, answer::get);
        assertEquals(expected, thrown.getCause().getClass(), () -> String.valueOf(thrown.getCause()));
    }

    /** Pairs of key and value. */
    static Map<String, String> map(String... pairs) {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put(pairs[i], pairs[i + 1]);
        }
        return map;
    }
}
