package scenarios;

import differential.Client;
import differential.Scenario;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;

/** A group of one member, described, listed, with offsets; then empty and deleted. */
public final class ConsumerGroups implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 2);
        client.produce(topic, 0, "a", "b", "c");
        String group = client.name("g");
        KafkaConsumer<String, String> consumer = client.consumer(Map.of("group.id", group, "client.id", "one"));
        consumer.subscribe(List.of(topic));
        int seen = 0;
        while (seen < 3) {
            seen += consumer.poll(Duration.ofMillis(100)).count();
        }
        consumer.commitSync();
        ConsumerGroupDescription stable = client.admin.describeConsumerGroups(List.of(group)).all().get().get(group);
        client.tell("state", stable.groupState());
        client.tell("type", stable.type());
        client.tell("assignor", stable.partitionAssignor());
        client.tell("simple", stable.isSimpleConsumerGroup());
        client.tell("coordinator", stable.coordinator().id());
        client.tell("members", stable.members().size());
        client.tell("partitions", stable.members().iterator().next().assignment().topicPartitions().size());
        client.tell("client id", stable.members().iterator().next().clientId());
        client.tell("host", stable.members().iterator().next().host());
        client.tell("offset", client.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()
                .get(new TopicPartition(topic, 0)).offset());
        client.tell("delete while in use", client.admin.deleteConsumerGroups(List.of(group)).all());
        client.tell("alter while in use", client.admin.alterConsumerGroupOffsets(
                group, Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(1))).all());
        consumer.close();
        client.until(() -> client.admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState() == GroupState.EMPTY);
        client.tell("delete", client.admin.deleteConsumerGroups(List.of(group)).all());
        client.tell("delete again", client.admin.deleteConsumerGroups(List.of(group)).all());
        client.tell("describe", client.admin.describeConsumerGroups(List.of(group)).all());
    }
}
