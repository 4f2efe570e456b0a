package scenarios;

import differential.Client;
import differential.Scenario;
import org.apache.kafka.clients.admin.ListTopicsOptions;

/** Internal topics are listed when asked for. */
public final class ListTopics implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String name = client.topic("t", 1);
        client.tell("mine", client.admin.listTopics().names().get().contains(name));
        client.tell("internal hidden", client.admin.listTopics().names().get().contains("__consumer_offsets"));
        client.tell("internal shown", client.admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get()
                .contains("__consumer_offsets"));
    }
}
