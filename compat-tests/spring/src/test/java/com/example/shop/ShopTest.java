package com.example.shop;

import com.example.shop.Journal.Delivery;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.support.SendResult;

/** The running application, started once for all tests; they share its topics and tell their own records by an id. */
@SpringBootTest(classes = ShopApplication.class)
abstract class ShopTest {

    @Autowired
    KafkaTemplate<String, Object> template;

    @Autowired
    KafkaListenerEndpointRegistry listeners;

    @Autowired
    KafkaAdmin kafkaAdmin;

    @Autowired
    Journal journal;

    static String uniqueId() {
        return UUID.randomUUID().toString();
    }

    static ConditionFactory eventually() {
        return Awaitility.await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(20));
    }

    RecordMetadata send(String topic, String key, Object value) {
        return acknowledged(template.send(topic, key, value)).getRecordMetadata();
    }

    RecordMetadata send(ProducerRecord<String, Object> record) {
        return acknowledged(template.send(record)).getRecordMetadata();
    }

    /** The answer to a send that the broker must have acknowledged. */
    static SendResult<String, Object> acknowledged(CompletableFuture<SendResult<String, Object>> sent) {
        return sent.orTimeout(20, TimeUnit.SECONDS).join();
    }

    /** Waits until a listener has seen that many deliveries that match, and returns them. */
    List<Delivery> deliveries(int count, String listener, Predicate<Delivery> which) {
        eventually()
                .alias(count + " deliveries to " + listener)
                .until(() -> journal.of(listener, which).size(), size -> size >= count);
        return journal.of(listener, which);
    }

    void stop(String listener) {
        container(listener).stop();
        eventually().alias("end of " + listener).until(() -> !container(listener).isRunning());
    }

    void start(String listener) {
        container(listener).start();
    }

    MessageListenerContainer container(String listener) {
        return listeners.getListenerContainer(listener);
    }

    AdminClient admin() {
        return AdminClient.create(kafkaAdmin.getConfigurationProperties());
    }
}
