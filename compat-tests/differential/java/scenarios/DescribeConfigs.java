package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.common.config.ConfigResource;

/** Configurations of a topic: source, type, documentation, flags. */
public final class DescribeConfigs implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String name = client.topic("t", 1, Map.of("retention.ms", "7777777"));
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, name);
        Config all = client.admin.describeConfigs(List.of(topic),
                new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true)).all().get().get(topic);
        for (ConfigEntry entry : all.entries()) {
            client.tell(entry.name(), entry.value() + " " + entry.type() + (entry.isReadOnly() ? " read-only" : "")
                    + (entry.isSensitive() ? " sensitive" : "") + (entry.documentation() == null ? " undocumented" : ""));
        }
        client.tell("source", all.get("retention.ms").source());
        client.tell("default source", all.get("segment.ms").source());
        client.tell("unknown", client.admin.describeConfigs(
                List.of(new ConfigResource(ConfigResource.Type.TOPIC, client.name("no")))).all());
    }
}
