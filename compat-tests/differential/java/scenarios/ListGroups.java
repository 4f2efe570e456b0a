package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;

/** Groups by state and type. */
public final class ListGroups implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 1);
        String group = client.name("g");
        client.admin.alterConsumerGroupOffsets(group, Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(0))).all().get();
        client.tell("all", mine(client, new ListGroupsOptions(), group));
        client.tell("empty", mine(client, new ListGroupsOptions().inGroupStates(Set.of(GroupState.EMPTY)), group));
        client.tell("stable", mine(client, new ListGroupsOptions().inGroupStates(Set.of(GroupState.STABLE)), group));
        client.tell("classic", mine(client, new ListGroupsOptions().withTypes(Set.of(GroupType.CLASSIC)), group));
        client.tell("share", mine(client, new ListGroupsOptions().withTypes(Set.of(GroupType.SHARE)), group));
    }

    private static String mine(Client client, ListGroupsOptions options, String group) throws Exception {
        for (GroupListing found : client.admin.listGroups(options).all().get()) {
            if (found.groupId().equals(group)) {
                return found.type() + " " + found.protocol() + " " + found.groupState();
            }
        }
        return "not there";
    }
}
