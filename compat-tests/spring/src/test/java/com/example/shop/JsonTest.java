package com.example.shop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.example.shop.Events.Line;
import com.example.shop.Events.Note;
import com.example.shop.Events.Order;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;

/** Values are objects in the application and JSON in the topic. */
class JsonTest extends ShopTest {

    private Order roundTrip(Order order) {
        send(Topics.ORDERS, order.id(), order);
        return (Order) deliveries(
                        1, OrderListener.ID, delivery -> order.id().equals(delivery.record().key()))
                .get(0)
                .value();
    }

    @Test
    void anObjectWithNestedValuesComesBackEqual() {
        var order = new Order(
                uniqueId(),
                "Zoë \"Z\" Müller",
                Instant.now().truncatedTo(ChronoUnit.MILLIS),
                List.of(new Line("tea", 2, new BigDecimal("4.95")), new Line("cup", 1, new BigDecimal("12.50"))),
                Map.of("gift", "yes", "note", "mind the\nnewline"));

        assertThat(roundTrip(order)).isEqualTo(order);
    }

    @Test
    void aValueOfHundredsOfKilobytesComesBackEqual() {
        var lines = IntStream.range(0, 10_000)
                .mapToObj(number -> new Line("article number " + number, number, BigDecimal.ONE))
                .toList();
        var order = new Order(uniqueId(), "bulk", Instant.EPOCH, lines, Map.of("padding", "x".repeat(20_000)));

        assertThat(roundTrip(order)).isEqualTo(order);
    }

    @Test
    void theTopicHoldsJsonAndTheTypeAsAHeader() {
        var id = uniqueId();

        var sent = send(Topics.NOTES, id, new Note(id, "plain"));

        var record = readPlainly(new TopicPartition(sent.topic(), sent.partition()), sent.offset());
        assertThat(record.value()).isEqualTo("{\"id\":\"" + id + "\",\"text\":\"plain\"}");
        assertThat(record.headers().lastHeader("__TypeId__").value())
                .isEqualTo(Note.class.getName().getBytes(UTF_8));
    }

    /** One record with a consumer that belongs to no group and knows nothing of JSON. */
    private ConsumerRecord<String, String> readPlainly(TopicPartition partition, long offset) {
        var settings = kafkaAdmin.getConfigurationProperties();
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, offset);
            return consumer.poll(Duration.ofSeconds(20)).records(partition).get(0);
        }
    }
}
