package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.common.TopicPartition;

/** Replicas can be moved only to brokers that are there. */
public final class Reassignments implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        client.tell("same", client.admin.alterPartitionReassignments(
                Map.of(partition, Optional.of(new NewPartitionReassignment(List.of(1))))).all());
        client.tell("unknown broker", client.admin.alterPartitionReassignments(
                Map.of(partition, Optional.of(new NewPartitionReassignment(List.of(7))))).all());
        client.tell("cancel", client.admin.alterPartitionReassignments(Map.of(partition, Optional.empty())).all());
        client.tell("unknown topic", client.admin.alterPartitionReassignments(
                Map.of(new TopicPartition(client.name("no"), 0), Optional.of(new NewPartitionReassignment(List.of(1))))).all());
        client.tell("list", client.admin.listPartitionReassignments().reassignments());
    }
}
