package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.common.config.ConfigResource;

/** Some configurations of the broker. */
public final class DescribeBrokerConfigs implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
        Config all = client.admin.describeConfigs(List.of(broker)).all().get().get(broker);
        for (String key : List.of("num.partitions", "log.retention.hours", "message.max.bytes", "auto.create.topics.enable",
                "offsets.retention.minutes", "group.min.session.timeout.ms", "compression.type", "log.segment.bytes")) {
            ConfigEntry entry = all.get(key);
            client.tell(key, entry.value() + " " + entry.type() + " " + entry.source() + (entry.isReadOnly() ? " read-only" : ""));
        }
        client.tell("another", client.admin.describeConfigs(
                List.of(new ConfigResource(ConfigResource.Type.BROKER, "2")), new DescribeConfigsOptions().timeoutMs(3000)).all());
    }
}
