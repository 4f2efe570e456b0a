package com.example.shop;

import com.example.shop.Events.Quote;
import com.example.shop.Events.QuoteRequest;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;

/** What is added to Spring Boot's own Kafka beans: a factory for manual acknowledgement, and request and reply. */
@Configuration
class Messaging {

    /**
     * Spring Boot leaves its template out as soon as there is another one, and a {@link ReplyingKafkaTemplate} is one.
     * The type is as open as that of Spring Boot's bean, so that it also becomes the template of listeners that reply.
     */
    @Bean
    @Primary
    KafkaTemplate<?, ?> kafkaTemplate(ProducerFactory<Object, Object> producers) {
        return new KafkaTemplate<>(producers);
    }

    @Bean
    ConcurrentKafkaListenerContainerFactory<String, Object> manualAcknowledgement(
            ConsumerFactory<String, Object> consumers) {
        var factory = new ConcurrentKafkaListenerContainerFactory<String, Object>();
        factory.setConsumerFactory(consumers);
        factory.getContainerProperties().setAckMode(AckMode.MANUAL_IMMEDIATE);
        factory.getContainerProperties().setPollTimeout(500);
        return factory;
    }

    @Bean
    ReplyingKafkaTemplate<String, QuoteRequest, Quote> quotes(
            ProducerFactory<String, QuoteRequest> producers,
            @Qualifier("kafkaListenerContainerFactory")
                    ConcurrentKafkaListenerContainerFactory<String, Quote> listeners) {
        var replies = listeners.createContainer(Topics.QUOTE_REPLIES);
        replies.getContainerProperties().setGroupId(Topics.QUOTE_REPLIES);
        return new ReplyingKafkaTemplate<>(producers, replies);
    }
}
