package scenarios;

import differential.Client;
import differential.Scenario;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Records come back as they were with every codec. */
public final class Codecs implements Scenario {
    @Override
    public void run(Client client) throws Exception {
        String topic = client.topic("t", 1);
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            KafkaProducer<String, String> producer = client.producer(Map.of("compression.type", codec));
            client.tell(codec, producer.send(new ProducerRecord<>(topic, codec, codec.repeat(50))).get().offset());
        }
        KafkaConsumer<String, String> consumer = client.consumer(Map.of());
        TopicPartition partition = new TopicPartition(topic, 0);
        consumer.assign(List.of(partition));
        List<String> read = new ArrayList<>();
        while (read.size() < 5) {
            consumer.poll(Duration.ofMillis(100)).forEach(record -> read.add(record.key() + record.value().length()));
        }
        client.tell("read", read);
    }
}
