package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Offsets of single partitions are deleted. */
public final class DeleteGroupOffsets implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 2);
        String group = client.name("g");
        TopicPartition zero = new TopicPartition(topic, 0);
        TopicPartition one = new TopicPartition(topic, 1);
        client.admin.alterConsumerGroupOffsets(group, Map.of(zero, new OffsetAndMetadata(5), one, new OffsetAndMetadata(7))).all().get();
        client.tell("delete", client.admin.deleteConsumerGroupOffsets(group, Set.of(zero)).all());
        client.tell("left", client.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().size());
        client.tell("unknown topic", client.admin.deleteConsumerGroupOffsets(
                group, Set.of(new TopicPartition(client.name("no"), 0))).all());
        client.tell("unknown group", client.admin.deleteConsumerGroupOffsets(client.name("no"), Set.of(zero)).all());
    }
}
