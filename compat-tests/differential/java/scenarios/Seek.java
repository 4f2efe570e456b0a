package scenarios;

import differential.Client;
import differential.Scenario;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** Positions: the ends, an offset, beyond the end. */
public final class Seek implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 1);
        client.produce(topic, 0, "a", "b", "c");
        TopicPartition partition = new TopicPartition(topic, 0);
        KafkaConsumer<String, String> consumer = client.consumer(Map.of());
        consumer.assign(List.of(partition));
        consumer.seekToEnd(List.of(partition));
        client.tell("end", consumer.position(partition));
        consumer.seekToBeginning(List.of(partition));
        client.tell("beginning", consumer.position(partition));
        consumer.seek(partition, 1);
        ConsumerRecords<String, String> read = consumer.poll(Duration.ofSeconds(5));
        client.tell("from one", read.iterator().next().value());
        consumer.seek(partition, 99);
        ConsumerRecords<String, String> reset = consumer.poll(Duration.ofSeconds(5));
        while (reset.isEmpty()) {
            reset = consumer.poll(Duration.ofSeconds(1));
        }
        client.tell("reset to the earliest", reset.iterator().next().value());
        client.tell("ends", consumer.beginningOffsets(List.of(partition)).get(partition) + " "
                + consumer.endOffsets(List.of(partition)).get(partition));
        KafkaConsumer<String, String> strict = client.consumer(Map.of("auto.offset.reset", "none"));
        strict.assign(List.of(partition));
        strict.seek(partition, 99);
        client.tell("no reset", () -> {
            for (int tries = 0; tries < 50; tries++) {
                strict.poll(Duration.ofMillis(100));
            }
            return "nothing";
        });
    }
}
