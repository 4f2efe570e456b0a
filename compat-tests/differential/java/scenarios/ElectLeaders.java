package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.Set;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;

/** Leaders of a single node need no election. */
public final class ElectLeaders implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        client.tell("preferred", client.admin.electLeaders(ElectionType.PREFERRED, Set.of(partition)).partitions().get()
                .get(partition).map(failure -> failure.getClass().getSimpleName()));
        client.tell("unclean", client.admin.electLeaders(ElectionType.UNCLEAN, Set.of(partition)).partitions().get()
                .get(partition).map(failure -> failure.getClass().getSimpleName()));
        TopicPartition none = new TopicPartition(client.name("no"), 0);
        client.tell("unknown", client.admin.electLeaders(ElectionType.PREFERRED, Set.of(none)).partitions().get()
                .get(none).map(failure -> failure.getClass().getSimpleName()));
    }
}
