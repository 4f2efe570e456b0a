package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.Map;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;

/** Records are deleted up to an offset. */
public final class DeleteRecords implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String name = client.topic("t", 1);
        client.produce(name, 0, "a", "b", "c");
        TopicPartition partition = new TopicPartition(name, 0);
        client.tell("two", client.admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(2)))
                .lowWatermarks().get(partition).get().lowWatermark());
        client.tell("all", client.admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(-1)))
                .lowWatermarks().get(partition).get().lowWatermark());
        client.tell("too many", client.admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(9))).all());
        client.tell("earliest", client.admin.listOffsets(Map.of(partition, OffsetSpec.earliest())).partitionResult(partition).get().offset());
        String compacted = client.topic("c", 1, Map.of("cleanup.policy", "compact"));
        client.tell("compacted", client.admin.deleteRecords(
                Map.of(new TopicPartition(compacted, 0), RecordsToDelete.beforeOffset(0))).all());
    }
}
