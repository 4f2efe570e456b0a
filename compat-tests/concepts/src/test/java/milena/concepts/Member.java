package milena.concepts;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.TimeoutException;

/** A member of a group in a thread of its own: polls, notes, commits what it noted. */
final class Member implements AutoCloseable {
    private final String name;
    private final Ledger ledger;
    private final Consumer<String, String> consumer;
    private final Thread thread;
    private volatile boolean leaving;
    private volatile Set<Integer> assigned = Set.of();
    private volatile Throwable failure;

    /** Joins a group; `pairs` are properties of the consumer. */
    Member(Client client, String name, String group, String topic, Ledger ledger, String... pairs) {
        this.name = name;
        this.ledger = ledger;
        String[] all = new String[pairs.length + 4];
        System.arraycopy(pairs, 0, all, 0, pairs.length);
        all[pairs.length] = "group.id";
        all[pairs.length + 1] = group;
        all[pairs.length + 2] = "client.id";
        all[pairs.length + 3] = name;
        this.consumer = client.consumer(all);
        consumer.subscribe(List.of(topic));
        this.thread = new Thread(this::run, name);
        thread.start();
    }

    private void run() {
        try (consumer) {
            while (!leaving) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(50));
                assigned = consumer.assignment().stream().map(TopicPartition::partition).collect(Collectors.toSet());
                if (!records.isEmpty()) {
                    take(records);
                }
            }
        } catch (Throwable failed) {
            failure = failed;
        } finally {
            assigned = Set.of();
        }
    }

    private void take(ConsumerRecords<String, String> records) {
        Map<TopicPartition, OffsetAndMetadata> done = new HashMap<>();
        for (ConsumerRecord<String, String> record : records) {
            TopicPartition partition = new TopicPartition(record.topic(), record.partition());
            ledger.delivered(new Ledger.Delivery(name, partition, record.offset(), record.value()));
            done.put(partition, new OffsetAndMetadata(record.offset() + 1));
        }
        try {
            consumer.commitSync(done);
        } catch (CommitFailedException | RebalanceInProgressException | TimeoutException notCommitted) {
            // The group moved on: whoever has the partition next starts at the last acknowledged commit.
            return;
        }
        done.forEach((partition, offset) -> ledger.committed(partition, offset.offset()));
    }

    String name() {
        return name;
    }

    /** The partitions that it has at the moment. */
    Set<Integer> assigned() throws Exception {
        if (failure != null) {
            throw new AssertionError("the member " + name + " failed", failure);
        }
        return assigned;
    }

    /** Leaves the group. */
    @Override
    public void close() throws Exception {
        leaving = true;
        thread.join();
        if (failure != null) {
            throw new AssertionError("the member " + name + " failed", failure);
        }
    }
}
