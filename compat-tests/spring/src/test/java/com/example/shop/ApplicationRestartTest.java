package com.example.shop;

import static org.assertj.core.api.Assertions.assertThat;

import com.example.shop.Events.Note;
import com.example.shop.Journal.Delivery;
import java.util.List;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.TopicBuilder;

/** A second, small application that is ended and started again while the shop goes on sending. */
class ApplicationRestartTest extends ShopTest {

    private static final String TOPIC = "restarts";

    @SpringBootConfiguration
    @EnableAutoConfiguration
    @Import(Journal.class)
    static class Reader {

        private final Journal journal;

        Reader(Journal journal) {
            this.journal = journal;
        }

        @Bean
        static NewTopic restarts() {
            return TopicBuilder.name(TOPIC).partitions(2).build();
        }

        @KafkaListener(id = TOPIC, topics = TOPIC)
        void on(ConsumerRecord<String, Note> record) {
            journal.add(TOPIC, record);
        }
    }

    private static ConfigurableApplicationContext startReader() {
        return new SpringApplicationBuilder(Reader.class).run();
    }

    private static List<String> textsReceivedBy(ConfigurableApplicationContext reader, int count) {
        var received = reader.getBean(Journal.class);
        eventually()
                .alias(count + " deliveries to the reader")
                .until(() -> received.of(TOPIC).size(), size -> size >= count);
        return received.of(TOPIC).stream()
                .map(Delivery::value)
                .map(value -> ((Note) value).text())
                .toList();
    }

    private void sendTexts(String... texts) {
        for (var text : texts) {
            send(TOPIC, text, new Note(uniqueId(), text));
        }
    }

    @Test
    void anApplicationThatStartsAgainGoesOnWhereItEnded() {
        try (var reader = startReader()) {
            sendTexts("a", "b", "c", "d");
            assertThat(textsReceivedBy(reader, 4)).containsExactlyInAnyOrder("a", "b", "c", "d");
        }

        sendTexts("e", "f", "g", "h");

        try (var reader = startReader()) {
            assertThat(textsReceivedBy(reader, 4)).containsExactlyInAnyOrder("e", "f", "g", "h");
            sendTexts("i");
            assertThat(textsReceivedBy(reader, 5)).containsExactlyInAnyOrder("e", "f", "g", "h", "i");
        }
    }
}
