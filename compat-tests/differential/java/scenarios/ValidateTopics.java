package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;

/** A check of new topics leaves nothing behind. */
public final class ValidateTopics implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String name = client.name("t");
        CreateTopicsOptions check = new CreateTopicsOptions().validateOnly(true);
        client.tell("good", client.admin.createTopics(List.of(new NewTopic(name, 1, (short) 1)), check).all());
        client.tell("bad", client.admin.createTopics(List.of(new NewTopic(name, 1, (short) 2)), check).all());
        client.tell("listed", client.admin.listTopics().names().get().contains(name));
    }
}
