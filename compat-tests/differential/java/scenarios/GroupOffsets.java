package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Offsets of a group without members are altered, listed and deleted. */
public final class GroupOffsets implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 2);
        String group = client.name("g");
        TopicPartition zero = new TopicPartition(topic, 0);
        TopicPartition one = new TopicPartition(topic, 1);
        client.tell("alter", client.admin.alterConsumerGroupOffsets(group,
                Map.of(zero, new OffsetAndMetadata(5, Optional.of(0), "note"), one, new OffsetAndMetadata(7))).all());
        Map<TopicPartition, OffsetAndMetadata> found =
                client.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        client.tell("zero", found.get(zero));
        client.tell("one", found.get(one));
        client.tell("of some", client.admin.listConsumerGroupOffsets(
                        Map.of(group, new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(one))))
                .partitionsToOffsetAndMetadata(group).get().size());
        client.tell("of a group that is not there",
                client.admin.listConsumerGroupOffsets(client.name("no")).partitionsToOffsetAndMetadata().get().size());
        client.tell("of an unknown topic", client.admin.alterConsumerGroupOffsets(
                group, Map.of(new TopicPartition(client.name("no"), 0), new OffsetAndMetadata(1))).all());
    }
}
