package com.example.shop;

import com.example.shop.Events.Entry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.AbstractConsumerSeekAware;
import org.springframework.stereotype.Component;

/** Reads the ledger and can be told to read it again, from its beginning or from a time. */
@Component
class LedgerListener extends AbstractConsumerSeekAware {

    static final String ID = "ledger-listener";

    private final Journal journal;

    LedgerListener(Journal journal) {
        this.journal = journal;
    }

    @KafkaListener(id = ID, topics = Topics.LEDGER)
    void on(ConsumerRecord<String, Entry> record) {
        journal.add(ID, record);
    }
}
