import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The time from sending a record to its arrival at a consumer, one record at a time, in microseconds: Kafka's own
 * EndToEndLatency rounds its percentiles to milliseconds. Arguments: address, topic, records per second, seconds.
 * Prints one line of JSON. The first fifth of the time is not counted.
 */
public class EndToEnd {
    static final int RECORD_BYTES = 100;

    public static void main(String[] arguments) throws Exception {
        String address = arguments[0];
        String topic = arguments[1];
        long stepNs = 1_000_000_000L / Long.parseLong(arguments[2]);
        int wanted = (int) (Double.parseDouble(arguments[3]) * 1e9 / stepNs);
        int warmup = wanted / 5;
        double[] taken = new double[wanted - warmup];
        try (KafkaProducer<byte[], byte[]> producer = producer(address);
                KafkaConsumer<byte[], byte[]> consumer = consumer(address, topic)) {
            // The first Fetch stands before the first record: a broker that stores nothing keeps none before.
            consumer.poll(Duration.ofMillis(200));
            long begin = System.nanoTime();
            for (int number = 0; number < wanted; number++) {
                waitUntil(begin + number * stepNs);
                double microseconds = once(producer, consumer, topic);
                if (number >= warmup) {
                    taken[number - warmup] = microseconds;
                }
            }
        }
        Arrays.sort(taken);
        System.out.printf(
                "{\"count\":%d,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"mean_us\":%.1f}%n",
                taken.length,
                share(taken, 0.5),
                share(taken, 0.99),
                share(taken, 0.999),
                taken[taken.length - 1],
                Arrays.stream(taken).average().orElse(0));
    }

    static double once(KafkaProducer<byte[], byte[]> producer, KafkaConsumer<byte[], byte[]> consumer, String topic)
            throws Exception {
        long sent = System.nanoTime();
        producer.send(new ProducerRecord<>(topic, new byte[RECORD_BYTES])).get();
        long giveUp = sent + 30_000_000_000L;
        while (System.nanoTime() < giveUp) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                return (System.nanoTime() - sent) / 1000.0;
            }
        }
        throw new IllegalStateException("a record did not arrive within 30 s");
    }

    static void waitUntil(long moment) {
        for (long left = moment - System.nanoTime(); left > 0; left = moment - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    static double share(double[] sorted, double part) {
        return sorted[Math.min(sorted.length - 1, (int) Math.ceil(sorted.length * part) - 1)];
    }

    static KafkaProducer<byte[], byte[]> producer(String address) {
        Map<String, Object> settings = Map.of("bootstrap.servers", address, "acks", "1", "linger.ms", "0");
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaConsumer<byte[], byte[]> consumer(String address, String topic) {
        Map<String, Object> settings = Map.of("bootstrap.servers", address, "enable.auto.commit", "false");
        KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        TopicPartition partition = new TopicPartition(topic, 0);
        consumer.assign(List.of(partition));
        consumer.seekToEnd(List.of(partition));
        consumer.position(partition);
        return consumer;
    }
}
