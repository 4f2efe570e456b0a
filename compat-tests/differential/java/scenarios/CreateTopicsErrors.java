package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.NewTopic;

/** What createTopics refuses, by the class of its exception. */
public final class CreateTopicsErrors implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String there = client.topic("there", 1);
        client.tell("exists", client.admin.createTopics(List.of(new NewTopic(there, 1, (short) 1))).all());
        client.tell("name", client.admin.createTopics(List.of(new NewTopic("a b", 1, (short) 1))).all());
        client.tell("partitions", client.admin.createTopics(List.of(new NewTopic(client.name("a"), 0, (short) 1))).all());
        client.tell("replicas", client.admin.createTopics(List.of(new NewTopic(client.name("a"), 1, (short) 3))).all());
        client.tell("assignment",
                client.admin.createTopics(List.of(new NewTopic(client.name("a"), Map.of(0, List.of(7))))).all());
        client.tell("config", client.admin.createTopics(
                List.of(new NewTopic(client.name("a"), 1, (short) 1).configs(Map.of("retention.ms", "soon")))).all());
        client.tell("key", client.admin.createTopics(
                List.of(new NewTopic(client.name("a"), 1, (short) 1).configs(Map.of("no.such.key", "1")))).all());
    }
}
