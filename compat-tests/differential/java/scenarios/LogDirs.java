package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.common.TopicPartition;

/** Sizes of replicas on the broker. */
public final class LogDirs implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 1);
        client.produce(topic, 0, "a");
        Map<String, LogDirDescription> dirs = client.admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);
        client.tell("dirs", dirs.size());
        LogDirDescription only = dirs.values().iterator().next();
        client.tell("error", only.error());
        client.tell("size", only.replicaInfos().get(new TopicPartition(topic, 0)).size());
        client.tell("lag", only.replicaInfos().get(new TopicPartition(topic, 0)).offsetLag());
        client.tell("future", only.replicaInfos().get(new TopicPartition(topic, 0)).isFuture());
        client.tell("total", only.totalBytes().isPresent());
    }
}
