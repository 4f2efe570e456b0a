package milena.concepts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

class IdempotenceTest {
    private static final int PARTITIONS = 2;
    private static final int KILLS = 2;
    private static final Duration MOST = Duration.ofSeconds(60);

    private final AtomicInteger sent = new AtomicInteger();
    private final AtomicInteger acknowledged = new AtomicInteger();
    private final AtomicReference<Exception> refused = new AtomicReference<>();

    /** Sends numbers, alternating between the partitions, until it is told to end; several batches are in flight. */
    private void produce(Client client, AtomicBoolean end) {
        try (Producer<String, String> producer = client.producer(
                "enable.idempotence", "true", "acks", "all", "batch.size", "200", "linger.ms", "1",
                "max.in.flight.requests.per.connection", "5", "request.timeout.ms", "3000", "delivery.timeout.ms", "100000",
                "reconnect.backoff.max.ms", "200", "buffer.memory", "200000")) {
            while (!end.get()) {
                int number = sent.getAndIncrement();
                producer.send(new ProducerRecord<>("once", number % PARTITIONS, null, String.valueOf(number)), (done, failure) -> {
                    acknowledged.incrementAndGet();
                    if (failure != null) {
                        refused.compareAndSet(null, failure);
                    }
                });
            }
        }
    }

    private void acknowledgements(int more) throws Exception {
        int begin = acknowledged.get();
        Await.until(MOST, () -> acknowledged.get() + " after " + begin, () -> acknowledged.get() >= begin + more);
    }

    @Test
    void anIdempotentProducersRetriesGiveNoDuplicateWhenTheBrokerIsKilledAndRestartedInTheMiddle() throws Exception {
        try (Broker broker = Broker.start(Map.of())) {
            Client client = new Client(broker.address());
            client.createTopic("once", PARTITIONS);
            AtomicBoolean end = new AtomicBoolean();
            CompletableFuture<Void> producing = CompletableFuture.runAsync(() -> produce(client, end));
            for (int kill = 0; kill < KILLS; kill++) {
                acknowledgements(5_000);
                broker.restart(Broker.Ending.KILLED);
            }
            acknowledgements(5_000);
            end.set(true);
            producing.get();

            assertEquals(null, refused.get());
            assertEquals(sent.get(), acknowledged.get());
            List<ConsumerRecord<String, String>> stored = client.readAll("once", PARTITIONS);
            for (int partition = 0; partition < PARTITIONS; partition++) {
                int mine = partition;
                List<Integer> numbers = stored.stream().filter(record -> record.partition() == mine)
                    .map(record -> Integer.valueOf(record.value())).toList();
                List<Integer> expected =
                    IntStream.range(0, sent.get()).filter(number -> number % PARTITIONS == mine).boxed().toList();
                assertEquals(expected.size(), numbers.size(), "records in partition " + partition);
                assertTrue(expected.equals(numbers), "the order in partition " + partition);
            }
        }
    }
}
