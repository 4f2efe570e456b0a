package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.Uuid;

/** Topics are deleted by name and by id; twice does not work. */
public final class DeleteTopics implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String byName = client.topic("a", 1);
        String byId = client.topic("b", 1);
        Uuid id = client.admin.describeTopics(List.of(byId)).allTopicNames().get().get(byId).topicId();
        client.tell("by name", client.admin.deleteTopics(List.of(byName)).all());
        client.tell("by id", client.admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all());
        client.until(() -> !client.admin.listTopics().names().get().contains(byName));
        client.until(() -> !client.admin.listTopics().names().get().contains(byId));
        client.tell("again", client.admin.deleteTopics(List.of(byName)).all());
        client.tell("again by id", client.admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all());
        client.tell("invalid", client.admin.deleteTopics(List.of("a b")).all());
    }
}
