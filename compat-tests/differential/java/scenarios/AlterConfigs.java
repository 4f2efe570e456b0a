package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;

/** Values are set, appended, subtracted, given back and refused. */
public final class AlterConfigs implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String name = client.topic("t", 1);
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, name);
        client.tell("set", alter(client, topic, "retention.ms", "5000000", AlterConfigOp.OpType.SET));
        client.tell("append", alter(client, topic, "cleanup.policy", "compact", AlterConfigOp.OpType.APPEND));
        client.until(() -> value(client, topic, "cleanup.policy").equals("delete,compact"));
        client.tell("retention", value(client, topic, "retention.ms"));
        client.tell("subtract", alter(client, topic, "cleanup.policy", "delete", AlterConfigOp.OpType.SUBTRACT));
        client.until(() -> value(client, topic, "cleanup.policy").equals("compact"));
        client.tell("delete", alter(client, topic, "retention.ms", null, AlterConfigOp.OpType.DELETE));
        client.until(() -> value(client, topic, "retention.ms").equals("604800000"));
        client.tell("no number", alter(client, topic, "retention.ms", "x", AlterConfigOp.OpType.SET));
        client.tell("unknown key", alter(client, topic, "no.such.key", "x", AlterConfigOp.OpType.SET));
        client.tell("append to a number", alter(client, topic, "retention.ms", "5", AlterConfigOp.OpType.APPEND));
        client.tell("unknown topic", alter(client, new ConfigResource(ConfigResource.Type.TOPIC, client.name("no")),
                "retention.ms", "5", AlterConfigOp.OpType.SET));
        client.tell("check", client.admin.incrementalAlterConfigs(
                Map.of(topic, List.of(new AlterConfigOp(new ConfigEntry("segment.ms", "x"), AlterConfigOp.OpType.SET))),
                new AlterConfigsOptions().validateOnly(true)).all());
    }

    private static Object alter(
            Client client, ConfigResource resource, String key, String value, AlterConfigOp.OpType type) {
        try {
            AlterConfigOp operation = new AlterConfigOp(new ConfigEntry(key, value), type);
            return client.admin.incrementalAlterConfigs(Map.of(resource, List.of(operation))).all().get();
        } catch (Exception failure) {
            return failure;
        }
    }

    private static String value(Client client, ConfigResource resource, String key) throws Exception {
        return client.admin.describeConfigs(List.of(resource)).all().get().get(resource).get(key).value();
    }
}
