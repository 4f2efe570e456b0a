package scenarios;

import differential.Client;
import differential.Scenario;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/** Where records go and what is told of them. */
public final class Produce implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 2);
        KafkaProducer<String, String> producer = client.producer(Map.of("acks", "all"));
        RecordMetadata first = producer.send(new ProducerRecord<>(topic, 1, 1_700_000_000_000L, "k", "value")).get();
        client.tell("partition", first.partition());
        client.tell("offset", first.offset());
        client.tell("time", first.timestamp());
        client.tell("sizes", first.serializedKeySize() + " " + first.serializedValueSize());
        client.tell("next", producer.send(new ProducerRecord<>(topic, 1, "k", null)).get().offset());
        client.tell("no acks", client.producer(Map.of("acks", "0", "enable.idempotence", "false"))
                .send(new ProducerRecord<>(topic, 0, "k", "v")).get().hasOffset());
        client.tell("partitions", producer.partitionsFor(topic).size());
    }
}
