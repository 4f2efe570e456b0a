package milena.concepts;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A restart of the broker, clean or not, loses nothing of what groups know. */
class RestartTest {
    private static final int PARTITIONS = 3;
    private static final Duration MOST = Duration.ofSeconds(60);

    @ParameterizedTest
    @EnumSource(Broker.Ending.class)
    void committedOffsetsSurviveARestart(Broker.Ending ending) throws Exception {
        try (Broker broker = Broker.start(Map.of())) {
            Client client = new Client(broker.address());
            client.createTopic("read", PARTITIONS);
            client.sendRoundRobin("read", PARTITIONS, Client.values("v", 300));
            Map<String, Map<TopicPartition, OffsetAndMetadata>> expected = new HashMap<>();
            for (int number = 0; number < 5; number++) {
                Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
                for (TopicPartition partition : Client.partitions("read", PARTITIONS)) {
                    offsets.put(partition, new OffsetAndMetadata(10L * number + partition.partition(), "note " + number));
                }
                try (Consumer<String, String> consumer = client.consumer("group.id", "group" + number)) {
                    consumer.assign(offsets.keySet());
                    // The second commit counts.
                    consumer.commitSync(Map.of(new TopicPartition("read", 0), new OffsetAndMetadata(99)));
                    consumer.commitSync(offsets);
                }
                expected.put("group" + number, offsets);
            }

            broker.restart(ending);

            try (Admin admin = client.admin()) {
                for (String group : expected.keySet()) {
                    assertEquals(expected.get(group), admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get());
                }
            }
            try (Consumer<String, String> consumer = client.consumer("group.id", "group4")) {
                consumer.assign(Client.partitions("read", PARTITIONS));
                for (TopicPartition partition : consumer.assignment()) {
                    assertEquals(40 + partition.partition(), consumer.position(partition));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Broker.Ending.class)
    void membersGoOnAfterARestartWithoutALostOrRepeatedCommittedRecord(Broker.Ending ending) throws Exception {
        try (Broker broker = Broker.start(Map.of())) {
            Client client = new Client(broker.address());
            client.createTopic("flow", PARTITIONS);
            Ledger ledger = new Ledger();
            ConcurrentLinkedQueue<String> acknowledged = new ConcurrentLinkedQueue<>();
            AtomicBoolean end = new AtomicBoolean();
            CompletableFuture<Void> producing = CompletableFuture.runAsync(() -> produce(client, acknowledged, end));
            String[] patient = {"reconnect.backoff.max.ms", "200", "max.poll.records", "50"};
            try (Member a = new Member(client, "a", "group", "flow", ledger, patient);
                    Member b = new Member(client, "b", "group", "flow", ledger, patient)) {
                Await.until(MOST, () -> "both members have partitions", () -> !a.assigned().isEmpty()
                    && !b.assigned().isEmpty() && a.assigned().size() + b.assigned().size() == PARTITIONS);
                moreArrives(ledger, 500);
                broker.restart(ending);
                moreArrives(ledger, 500);
                end.set(true);
                producing.get();
                Await.until(MOST, () -> ledger.values().size() + " of " + acknowledged.size(),
                    () -> ledger.values().containsAll(acknowledged));
            }
            assertEquals(new TreeSet<>(acknowledged), ledger.values());
            assertEquals(List.of(), ledger.repeatedAfterCommit());
        }
    }

    private static void moreArrives(Ledger ledger, int more) throws Exception {
        int begin = ledger.values().size();
        Await.until(MOST, () -> ledger.values().size() + " after " + begin, () -> ledger.values().size() >= begin + more);
    }

    /** Sends a value a millisecond, each waiting for its acknowledgement in the background. */
    private static void produce(Client client, ConcurrentLinkedQueue<String> acknowledged, AtomicBoolean end) {
        try (Producer<String, String> producer =
                client.producer("reconnect.backoff.max.ms", "200", "request.timeout.ms", "3000", "delivery.timeout.ms", "100000")) {
            for (int number = 0; !end.get(); number++) {
                String value = "v" + number;
                producer.send(new ProducerRecord<>("flow", number % PARTITIONS, null, value), (done, failure) -> {
                    if (failure == null) {
                        acknowledged.add(value);
                    }
                });
                Thread.sleep(1);
            }
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }
}
