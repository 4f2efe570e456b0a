package milena.concepts;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

/** A produces, B consumes and produces, C consumes. */
class ChainTest {
    private static final int COUNT = 2_000;

    /** B: reads `in`, writes `out`, commits what has been written, until it is told to end. */
    private static void relay(Client client, AtomicInteger relayed, BooleanSupplier end) {
        try (Consumer<String, String> consumer = client.consumer("group.id", "relay", "max.poll.records", "100");
                Producer<String, String> producer = client.producer("linger.ms", "5")) {
            consumer.subscribe(List.of("in"));
            while (!end.getAsBoolean()) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(50));
                for (ConsumerRecord<String, String> record : records) {
                    producer.send(new ProducerRecord<>("out", record.key(), record.value() + "-relayed"));
                }
                producer.flush();
                consumer.commitSync();
                relayed.addAndGet(records.count());
            }
        }
    }

    @Test
    void recordsPassThroughAChainOfConsumersOnceAndInOrder() throws Exception {
        try (Broker broker = Broker.start(Map.of())) {
            Client client = new Client(broker.address());
            client.createTopic("in", 3);
            client.createTopic("out", 2);
            List<ConsumerRecord<String, String>> arrived = new ArrayList<>();

            CompletableFuture<Void> a = CompletableFuture.runAsync(() -> {
                try (Producer<String, String> producer = client.producer()) {
                    for (int i = 0; i < COUNT; i++) {
                        producer.send(new ProducerRecord<>("in", "key" + i % 10, String.valueOf(i)));
                    }
                }
            });
            AtomicBoolean done = new AtomicBoolean();
            CompletableFuture<Void> b = CompletableFuture.runAsync(() -> {
                // It is replaced in the middle: the second one goes on where the first one stopped.
                AtomicInteger relayed = new AtomicInteger();
                relay(client, relayed, () -> relayed.get() >= COUNT / 3);
                relay(client, relayed, done::get);
            });
            try (Consumer<String, String> c = client.consumer("group.id", "last")) {
                c.subscribe(List.of("out"));
                Await.until(Duration.ofSeconds(40), () -> arrived.size() + " arrived", () -> {
                    c.poll(Duration.ofMillis(100)).forEach(arrived::add);
                    return arrived.size() >= COUNT;
                });
            } finally {
                done.set(true);
            }
            a.get();
            b.get();

            assertEquals(COUNT, client.readAll("out", 2).size());
            assertEquals(COUNT, arrived.size());
            Map<String, Integer> last = new HashMap<>();
            for (ConsumerRecord<String, String> record : arrived) {
                int number = Integer.parseInt(record.value().replace("-relayed", ""));
                assertEquals("key" + number % 10, record.key());
                assertEquals(last.containsKey(record.key()) ? last.get(record.key()) + 10 : number % 10, number);
                last.put(record.key(), number);
            }
        }
    }
}
