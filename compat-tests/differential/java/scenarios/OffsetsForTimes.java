package scenarios;

import differential.Client;
import differential.Scenario;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Offsets by time, for a consumer. */
public final class OffsetsForTimes implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 2);
        long base = System.currentTimeMillis() - 60_000;
        KafkaProducer<String, String> producer = client.producer(Map.of());
        for (int index = 0; index < 3; index++) {
            producer.send(new ProducerRecord<>(topic, 0, base + index * 10, null, "v")).get();
        }
        TopicPartition full = new TopicPartition(topic, 0);
        TopicPartition empty = new TopicPartition(topic, 1);
        KafkaConsumer<String, String> consumer = client.consumer(Map.of());
        OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(full, base + 5)).get(full);
        client.tell("found", found.offset() + " " + (found.timestamp() - base) + " " + found.leaderEpoch());
        client.tell("after the last", consumer.offsetsForTimes(Map.of(full, base + 500)).get(full));
        client.tell("empty", consumer.offsetsForTimes(Map.of(empty, base)).get(empty));
        client.tell("unknown", () -> consumer.offsetsForTimes(
                Map.of(new TopicPartition(client.name("a b"), 0), base), Duration.ofSeconds(1)));
    }
}
