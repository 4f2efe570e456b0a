package scenarios;

import differential.Client;
import differential.Scenario;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** A static member is removed from its group by an administrator. */
public final class RemoveMembers implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 1);
        String group = client.name("g");
        KafkaConsumer<String, String> consumer = client.consumer(Map.of("group.id", group, "group.instance.id", "i1"));
        consumer.subscribe(List.of(topic));
        while (consumer.assignment().isEmpty()) {
            consumer.poll(Duration.ofMillis(50));
        }
        client.tell("remove", client.admin.removeMembersFromConsumerGroup(group,
                new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("i1")))).all());
        client.tell("unknown member", client.admin.removeMembersFromConsumerGroup(group,
                new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("i9")))).all());
    }
}
