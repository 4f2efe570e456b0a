package milena.versions;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** A member of a group in a thread of its own: polls, handles, commits what it handled. */
final class Member implements AutoCloseable {
    private final String name;
    private final BiConsumer<String, String> handle;
    private final KafkaConsumer<String, String> consumer;
    private final Thread thread;
    /** How often it was given each partition. */
    private final Map<Integer, Integer> begins = new ConcurrentHashMap<>();
    private volatile boolean leaving;
    private volatile Throwable failure;
    private volatile int generation = -1;

    /** `handle` gets the member's name and a record's value; `pairs` are properties of the consumer. */
    Member(String name, String topic, BiConsumer<String, String> handle, String... pairs) {
        this.name = name;
        this.handle = handle;
        this.consumer = Clients.consumer(pairs);
        consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> given) {
                given.forEach(partition -> begins.merge(partition.partition(), 1, Integer::sum));
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> taken) {
                // What was handled is committed already.
            }
        });
        this.thread = new Thread(this::run, name);
        thread.start();
    }

    private void run() {
        try (consumer) {
            while (!leaving) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(50));
                generation = Version.generation(consumer);
                records.forEach(record -> handle.accept(name, record.value()));
                if (!records.isEmpty()) {
                    consumer.commitSync();
                }
            }
        } catch (Throwable failed) {
            failure = failed;
        }
    }

    /** The generation of its group; −1 when the client does not tell. */
    int generation() {
        return generation;
    }

    /** How often it was given a partition. */
    int begins(int partition) {
        return begins.getOrDefault(partition, 0);
    }

    /** Fails when the member did. */
    void check() {
        if (failure != null) {
            throw new AssertionError("the member " + name + " failed", failure);
        }
    }

    /** Ends it; a dynamic member leaves its group. */
    @Override
    public void close() throws Exception {
        leaving = true;
        thread.join();
        check();
    }
}
