package milena.concepts;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;

/** What the members of one group received and committed, in the order in which it happened. */
final class Ledger {
    /** One record as it was delivered. */
    record Delivery(String member, TopicPartition partition, long offset, String value) { }

    private final Consumer<Delivery> listener;
    private final List<Delivery> deliveries = new ArrayList<>();
    private final Map<TopicPartition, Long> committed = new HashMap<>();
    private final List<Delivery> repeated = new ArrayList<>();

    Ledger() {
        this(delivery -> { });
    }

    /** The listener hears of a delivery before it can be committed. */
    Ledger(Consumer<Delivery> listener) {
        this.listener = listener;
    }

    synchronized void delivered(Delivery delivery) {
        listener.accept(delivery);
        deliveries.add(delivery);
        if (delivery.offset < committed.getOrDefault(delivery.partition, 0L)) {
            repeated.add(delivery);
        }
    }

    /** A commit was acknowledged: everything below the offset is done. */
    synchronized void committed(TopicPartition partition, long offset) {
        committed.merge(partition, offset, Math::max);
    }

    synchronized List<Delivery> deliveries() {
        return List.copyOf(deliveries);
    }

    synchronized Map<TopicPartition, Long> committed() {
        return Map.copyOf(committed);
    }

    /** Records that were delivered although their commit had been acknowledged. */
    synchronized List<Delivery> repeatedAfterCommit() {
        return List.copyOf(repeated);
    }

    /** The distinct values that arrived. */
    synchronized SortedSet<String> values() {
        SortedSet<String> values = new TreeSet<>();
        deliveries.forEach(delivery -> values.add(delivery.value));
        return values;
    }

    /** What one member received, as values. */
    synchronized List<String> valuesOf(String member) {
        return deliveries.stream().filter(d -> d.member.equals(member)).map(Delivery::value).toList();
    }
}
