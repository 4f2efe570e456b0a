package milena.concepts;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Stock clients of one broker, and the few things that most tests do with them. */
final class Client {
    private final String address;

    Client(String address) {
        this.address = address;
    }

    String address() {
        return address;
    }

    /** A client's properties: the broker's address, then pairs of key and value. */
    private Properties properties(String... pairs) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", address);
        for (int i = 0; i < pairs.length; i += 2) {
            properties.put(pairs[i], pairs[i + 1]);
        }
        return properties;
    }

    Admin admin() {
        return Admin.create(properties());
    }

    Producer<String, String> producer(String... pairs) {
        return new KafkaProducer<>(properties(pairs), new StringSerializer(), new StringSerializer());
    }

    Consumer<String, String> consumer(String... pairs) {
        Properties properties = properties(pairs);
        properties.putIfAbsent("auto.offset.reset", "earliest");
        properties.putIfAbsent("enable.auto.commit", "false");
        return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    }

    /** Returns when the broker leads every partition, which an answer to ListOffsets shows. */
    void createTopic(String topic, int partitions, String... configs) throws Exception {
        Map<String, String> settings = new HashMap<>();
        for (int i = 0; i < configs.length; i += 2) {
            settings.put(configs[i], configs[i + 1]);
        }
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(settings))).all().get();
            Map<TopicPartition, OffsetSpec> ends = partitions(topic, partitions).stream()
                .collect(Collectors.toMap(partition -> partition, partition -> OffsetSpec.latest()));
            Await.until(Duration.ofSeconds(30), () -> topic + " has leaders", () -> {
                try {
                    admin.listOffsets(ends).all().get();
                    return true;
                } catch (ExecutionException refused) {
                    if (refused.getCause() instanceof UnknownTopicOrPartitionException) {
                        return false;
                    }
                    throw refused;
                }
            });
        }
    }

    static List<TopicPartition> partitions(String topic, int count) {
        return IntStream.range(0, count).mapToObj(i -> new TopicPartition(topic, i)).toList();
    }

    /** Sends each value to partition `i % partitions` and waits for all acknowledgements. */
    void sendRoundRobin(String topic, int partitions, Collection<String> values) {
        try (Producer<String, String> producer = producer()) {
            int i = 0;
            for (String value : values) {
                producer.send(new ProducerRecord<>(topic, i++ % partitions, null, value));
            }
        }
    }

    /** Everything that the partitions hold now, in the order of arrival within each. */
    List<ConsumerRecord<String, String>> readAll(String topic, int partitions) {
        List<ConsumerRecord<String, String>> all = new ArrayList<>();
        try (Consumer<String, String> consumer = consumer()) {
            List<TopicPartition> assigned = partitions(topic, partitions);
            consumer.assign(assigned);
            consumer.seekToBeginning(assigned);
            Map<TopicPartition, Long> ends = consumer.endOffsets(assigned);
            while (assigned.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                consumer.poll(Duration.ofMillis(100)).forEach(all::add);
            }
        }
        return all;
    }

    /** `prefix0`, `prefix1`, … */
    static List<String> values(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + i).collect(Collectors.toList());
    }
}
