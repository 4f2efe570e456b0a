package scenarios;

import differential.Client;
import differential.Scenario;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** Consumers of topics that are not there. */
public final class UnknownTopics implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        KafkaConsumer<String, String> consumer = client.consumer(Map.of("allow.auto.create.topics", "false", "group.id", client.name("g")));
        TopicPartition none = new TopicPartition(client.name("no"), 0);
        client.tell("partitions", () -> consumer.partitionsFor(client.name("no"), Duration.ofSeconds(2)));
        client.tell("ends", () -> consumer.endOffsets(List.of(none), Duration.ofSeconds(2)));
        consumer.assign(List.of(none));
        client.tell("position", () -> consumer.position(none, Duration.ofSeconds(2)));
        consumer.unsubscribe();
        consumer.subscribe(List.of("a b"));
        client.tell("invalid", () -> consumer.poll(Duration.ofSeconds(2)).count());
    }
}
