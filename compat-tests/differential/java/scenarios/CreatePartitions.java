package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.NewPartitions;

/** More partitions, and what cannot be. */
public final class CreatePartitions implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String name = client.topic("t", 1);
        client.tell("three", client.admin.createPartitions(Map.of(name, NewPartitions.increaseTo(3))).all());
        client.until(() -> client.admin.describeTopics(List.of(name)).allTopicNames().get().get(name).partitions().size() == 3);
        client.tell("as many", client.admin.createPartitions(Map.of(name, NewPartitions.increaseTo(3))).all());
        client.tell("fewer", client.admin.createPartitions(Map.of(name, NewPartitions.increaseTo(2))).all());
        client.tell("unknown", client.admin.createPartitions(Map.of(client.name("no"), NewPartitions.increaseTo(2))).all());
        client.tell("assigned", client.admin.createPartitions(Map.of(name, NewPartitions.increaseTo(4, List.of(List.of(1))))).all());
        client.tell("unknown broker",
                client.admin.createPartitions(Map.of(name, NewPartitions.increaseTo(5, List.of(List.of(9))))).all());
        client.tell("check", client.admin.createPartitions(Map.of(name, NewPartitions.increaseTo(9)),
                new CreatePartitionsOptions().validateOnly(true)).all());
    }
}
