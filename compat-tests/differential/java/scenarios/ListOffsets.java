package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.Map;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/** Offsets by kind and by time. */
public final class ListOffsets implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String name = client.topic("t", 2);
        KafkaProducer<String, String> producer = client.producer(Map.of());
        long base = System.currentTimeMillis() - 100_000;
        for (int index = 0; index < 3; index++) {
            producer.send(new ProducerRecord<>(name, 0, base + index * 100, null, "v")).get();
        }
        TopicPartition full = new TopicPartition(name, 0);
        TopicPartition empty = new TopicPartition(name, 1);
        client.tell("earliest", client.admin.listOffsets(Map.of(full, OffsetSpec.earliest())).partitionResult(full).get().offset());
        client.tell("latest", client.admin.listOffsets(Map.of(full, OffsetSpec.latest())).partitionResult(full).get().offset());
        ListOffsetsResult.ListOffsetsResultInfo largest =
                client.admin.listOffsets(Map.of(full, OffsetSpec.maxTimestamp())).partitionResult(full).get();
        client.tell("largest time", largest.offset() + " " + (largest.timestamp() - base));
        ListOffsetsResult.ListOffsetsResultInfo later =
                client.admin.listOffsets(Map.of(full, OffsetSpec.forTimestamp(base + 1))).partitionResult(full).get();
        client.tell("by time", later.offset() + " " + (later.timestamp() - base));
        client.tell("after the last",
                client.admin.listOffsets(Map.of(full, OffsetSpec.forTimestamp(base + 999))).partitionResult(full).get().offset());
        client.tell("of none", client.admin.listOffsets(Map.of(empty, OffsetSpec.maxTimestamp())).partitionResult(empty).get().offset());
        client.tell("committed", client.admin.listOffsets(Map.of(full, OffsetSpec.latest()),
                new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).partitionResult(full).get().offset());
        client.tell("local", client.admin.listOffsets(Map.of(full, OffsetSpec.earliestLocal())).partitionResult(full).get().offset());
        client.tell("tiered", client.admin.listOffsets(Map.of(full, OffsetSpec.latestTiered())).partitionResult(full).get().offset());
        TopicPartition none = new TopicPartition(client.name("no"), 0);
        client.tell("unknown", client.admin.listOffsets(Map.of(none, OffsetSpec.latest()), new ListOffsetsOptions().timeoutMs(2000)).all());
    }
}
