package com.example.shop;

import com.example.shop.Events.Shipment;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.stereotype.Component;

/** Takes shipments in batches of at most {@link #BATCH_RECORDS_MAX}. */
@Component
class ShipmentListener {

    static final String ID = "shipments-listener";
    static final int BATCH_RECORDS_MAX = 20;

    private final Journal journal;

    ShipmentListener(Journal journal) {
        this.journal = journal;
    }

    @KafkaListener(
            id = ID,
            topics = Topics.SHIPMENTS,
            batch = "true",
            properties = "max.poll.records=" + BATCH_RECORDS_MAX)
    void on(List<ConsumerRecord<String, Shipment>> batch) {
        batch.forEach(record -> journal.add(ID, record, Map.of(), batch.size()));
    }
}
