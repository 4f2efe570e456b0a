package com.example.shop;

import com.example.shop.Events.Payment;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.stereotype.Component;

/** Acknowledges a payment when it is settled, never when it is open, and at the second sight when it was deferred. */
@Component
class PaymentListener {

    static final String ID = "payments-listener";

    private final Journal journal;
    private final Set<Payment> deferred = ConcurrentHashMap.newKeySet();

    PaymentListener(Journal journal) {
        this.journal = journal;
    }

    @KafkaListener(id = ID, topics = Topics.PAYMENTS, containerFactory = "manualAcknowledgement")
    void on(ConsumerRecord<String, Payment> record, Acknowledgment acknowledgment) {
        journal.add(ID, record);
        switch (record.value().settlement()) {
            case SETTLED -> acknowledgment.acknowledge();
            case OPEN -> {}
            case DEFERRED_ONCE -> {
                if (deferred.add(record.value())) {
                    acknowledgment.nack(Duration.ofMillis(50));
                } else {
                    acknowledgment.acknowledge();
                }
            }
        }
    }
}
