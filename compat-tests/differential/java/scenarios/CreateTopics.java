package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;

/** Topics with counts, defaults, assignments and configurations. */
public final class CreateTopics implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String plain = client.name("plain");
        CreateTopicsResult made = client.admin.createTopics(List.of(
                new NewTopic(plain, 3, (short) 1).configs(Map.of("retention.ms", "100000")),
                new NewTopic(client.name("defaults"), Optional.empty(), Optional.empty()),
                new NewTopic(client.name("assigned"), Map.of(0, List.of(1), 1, List.of(1)))));
        client.tell("all", made.all());
        client.tell("partitions", made.numPartitions(plain));
        client.tell("replicas", made.replicationFactor(plain));
        client.tell("retention", made.config(plain).get().get("retention.ms").value());
        client.tell("source", made.config(plain).get().get("retention.ms").source());
        client.tell("id", made.topicId(plain));
    }
}
