package com.example.shop;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.stereotype.Component;

/** Every delivery that a listener of this application saw, in the order in which it came. */
@Component
class Journal {

    /**
     * One record that a listener was called with. {@code headers} are those that Spring mapped (empty where the listener
     * does not ask for them), {@code batch} is the number of records that came in the same call, {@code at} is when.
     */
    record Delivery(
            String listener,
            String thread,
            ConsumerRecord<String, ?> record,
            Map<String, Object> headers,
            int batch,
            Instant at) {

        Object value() {
            return record.value();
        }
    }

    private final List<Delivery> deliveries = new CopyOnWriteArrayList<>();

    void add(String listener, ConsumerRecord<String, ?> record) {
        add(listener, record, Map.of(), 1);
    }

    void add(String listener, ConsumerRecord<String, ?> record, Map<String, Object> headers, int batch) {
        deliveries.add(
                new Delivery(listener, Thread.currentThread().getName(), record, headers, batch, Instant.now()));
    }

    List<Delivery> of(String listener) {
        return of(listener, delivery -> true);
    }

    List<Delivery> of(String listener, Predicate<Delivery> which) {
        return deliveries.stream()
                .filter(delivery -> delivery.listener().equals(listener))
                .filter(which)
                .toList();
    }
}
