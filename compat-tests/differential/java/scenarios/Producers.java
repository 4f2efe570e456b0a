package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import org.apache.kafka.common.TopicPartition;

/** Active producers of a partition. */
public final class Producers implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        client.tell("none", client.admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().size());
        client.produce(topic, 0, "a", "b");
        var one = client.admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().get(0);
        client.tell("epoch", one.producerEpoch());
        client.tell("sequence", one.lastSequence());
        client.tell("transaction", one.currentTransactionStartOffset().isPresent());
        client.tell("coordinator epoch", one.coordinatorEpoch());
    }
}
