package scenarios;

import differential.Client;
import differential.Scenario;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** A member that was thrown out cannot commit; a second static member fences the first. */
public final class FencedCommit implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 1);
        String group = client.name("g");
        Map<String, Object> settings = Map.of("group.id", group, "group.instance.id", "i1", "enable.auto.commit", "false");
        KafkaConsumer<String, String> first = client.consumer(settings);
        first.subscribe(List.of(topic));
        while (first.assignment().isEmpty()) {
            first.poll(Duration.ofMillis(50));
        }
        Map<TopicPartition, OffsetAndMetadata> offsets = Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(1));
        client.tell("member", () -> { first.commitSync(offsets); return "committed"; });
        KafkaConsumer<String, String> second = client.consumer(settings);
        second.subscribe(List.of(topic));
        while (second.assignment().isEmpty()) {
            second.poll(Duration.ofMillis(50));
        }
        client.tell("fenced", () -> { first.commitSync(offsets); return "committed"; });
        client.tell("the second", () -> { second.commitSync(offsets); return "committed"; });
    }
}
