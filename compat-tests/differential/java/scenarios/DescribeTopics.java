package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.Uuid;

/** Descriptions by name and by id, with authorized operations. */
public final class DescribeTopics implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String name = client.topic("t", 2);
        DescribeTopicsOptions operations = new DescribeTopicsOptions().includeAuthorizedOperations(true);
        TopicDescription found =
                client.admin.describeTopics(List.of(name), operations).allTopicNames().get().get(name);
        client.tell("partitions", found.partitions().size());
        client.tell("leader", found.partitions().get(0).leader().id());
        client.tell("isr", found.partitions().get(0).isr().size());
        client.tell("elr", found.partitions().get(0).elr());
        client.tell("internal", found.isInternal());
        client.tell("operations", found.authorizedOperations());
        client.tell("not asked",
                () -> client.admin.describeTopics(List.of(name)).allTopicNames().get().get(name).authorizedOperations());
        Uuid id = found.topicId();
        client.tell("by id", client.admin.describeTopics(TopicCollection.ofTopicIds(List.of(id)))
                .allTopicIds().get().get(id).name().equals(name));
    }
}
