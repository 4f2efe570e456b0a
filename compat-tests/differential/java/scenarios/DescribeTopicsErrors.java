package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.Uuid;

/** Descriptions of what is not there. */
public final class DescribeTopicsErrors implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        client.tell("unknown", client.admin.describeTopics(List.of(client.name("no"))).allTopicNames());
        client.tell("invalid", client.admin.describeTopics(List.of("a b")).allTopicNames());
        client.tell("empty", client.admin.describeTopics(List.of("")).allTopicNames());
        Uuid unknown = Uuid.fromString("AAAAAAAAAAAAAAAAAAAACA");
        client.tell("unknown id",
                client.admin.describeTopics(TopicCollection.ofTopicIds(List.of(unknown))).allTopicIds());
    }
}
