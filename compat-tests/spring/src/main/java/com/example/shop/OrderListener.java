package com.example.shop;

import com.example.shop.Events.Order;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.stereotype.Component;

/** Three consumers of one group for the three partitions of the orders. */
@Component
class OrderListener {

    static final String ID = "orders-listener";

    private final Journal journal;

    OrderListener(Journal journal) {
        this.journal = journal;
    }

    @KafkaListener(id = ID, topics = Topics.ORDERS, concurrency = "3")
    void on(ConsumerRecord<String, Order> record) {
        journal.add(ID, record);
    }
}
