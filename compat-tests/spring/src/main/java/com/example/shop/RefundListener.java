package com.example.shop;

import com.example.shop.Events.Refund;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.kafka.annotation.DltHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.stereotype.Component;

/** Refuses refunds that are not positive: they are tried again on the retry topics and end on the dead-letter topic. */
@Component
class RefundListener {

    static final String ID = "refunds-listener";
    static final String DEAD_LETTERS = "refunds-dead-letters";

    private final Journal journal;

    RefundListener(Journal journal) {
        this.journal = journal;
    }

    @RetriedTwice
    @KafkaListener(id = ID, topics = Topics.REFUNDS)
    void on(ConsumerRecord<String, Refund> record) {
        journal.add(ID, record);
        if (record.value().cents() <= 0) {
            throw new IllegalArgumentException("not an amount to refund: " + record.value().cents());
        }
    }

    @DltHandler
    void onDeadLetter(ConsumerRecord<String, Refund> record) {
        journal.add(DEAD_LETTERS, record);
    }
}
