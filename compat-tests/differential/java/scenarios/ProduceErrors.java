package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** What producers are refused. */
public final class ProduceErrors implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String small = client.topic("small", 1, Map.of("max.message.bytes", "500"));
        String compacted = client.topic("compacted", 1, Map.of("cleanup.policy", "compact"));
        String synced = client.topic("synced", 1, Map.of("min.insync.replicas", "2"));
        KafkaProducer<String, String> producer = client.producer(Map.of(
                "max.block.ms", "1500", "delivery.timeout.ms", "2000", "request.timeout.ms", "1000", "linger.ms", "0"));
        client.tell("too large", () -> producer.send(new ProducerRecord<>(small, "k", "x".repeat(1000))).get());
        client.tell("no key", () -> producer.send(new ProducerRecord<>(compacted, null, "v")).get());
        client.tell("invalid topic", () -> producer.send(new ProducerRecord<>("a b", "k", "v")).get());
        client.tell("unknown partition", () -> producer.send(new ProducerRecord<>(small, 7, "k", "v")).get());
        client.tell("not in sync", () -> producer.send(new ProducerRecord<>(synced, "k", "v")).get());
        client.tell("too far ahead", () -> producer.send(
                new ProducerRecord<>(small, 0, System.currentTimeMillis() + 9_000_000L, "k", "v")).get());
    }
}
