import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeader;

/** Kafka's own producer: a record in each codec to its topic, each codec in a transaction where that is wanted. */
public class JavaWriter {
    public static void main(String[] arguments) throws Exception {
        String address = arguments[0], topic = arguments[1], stage = arguments[2];
        boolean transactions = Boolean.parseBoolean(arguments[3]);
        for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            Map<String, Object> settings = Map.of(
                    "bootstrap.servers", address,
                    "compression.type", codec,
                    "linger.ms", 50,
                    "key.serializer", "org.apache.kafka.common.serialization.StringSerializer",
                    "value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
            Map<String, Object> all = new java.util.HashMap<>(settings);
            if (transactions) {
                all.put("transactional.id", "java-" + codec);
            }
            try (KafkaProducer<String, String> producer = new KafkaProducer<>(all)) {
                if (transactions) {
                    producer.initTransactions();
                    producer.beginTransaction();
                }
                for (int number = 0; number < 5; number++) {
                    String key = number == 0 ? null : "k" + number;
                    var record = new ProducerRecord<>(topic, 0, key, stage + " " + codec + " " + number);
                    record.headers().add(new RecordHeader("codec", codec.getBytes()));
                    producer.send(record);
                }
                if (transactions) {
                    producer.commitTransaction();
                }
            }
        }
    }
}
