package scenarios;

import differential.Client;
import differential.Scenario;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Where a new group begins, and commits that decide it. */
public final class Reset implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 1);
        client.produce(topic, 0, "a", "b");
        TopicPartition partition = new TopicPartition(topic, 0);
        for (String reset : List.of("earliest", "latest", "none")) {
            KafkaConsumer<String, String> consumer =
                    client.consumer(Map.of("group.id", client.name(reset), "auto.offset.reset", reset));
            consumer.assign(List.of(partition));
            client.tell(reset, () -> consumer.position(partition, Duration.ofSeconds(5)));
        }
        KafkaConsumer<String, String> committed = client.consumer(Map.of("group.id", client.name("committed")));
        committed.assign(List.of(partition));
        committed.commitSync(Map.of(partition, new OffsetAndMetadata(1, "why")));
        client.tell("committed", committed.committed(Set.of(partition)).get(partition).toString());
        client.tell("position", committed.position(partition));
        client.tell("lag", committed.currentLag(partition));
    }
}
