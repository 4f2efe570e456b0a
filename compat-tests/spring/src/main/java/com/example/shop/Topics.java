package com.example.shop;

import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.TopicConfig;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.KafkaAdmin.NewTopics;

/** The topics that the application creates when it starts; those of retries come from {@link RetriedTwice}. */
@Configuration
class Topics {

    static final String NOTES = "notes";
    static final String ORDERS = "orders";
    static final String SHIPMENTS = "shipments";
    static final String PAYMENTS = "payments";
    static final String REFUNDS = "refunds";
    static final String LEDGER = "ledger";
    static final String QUOTE_REQUESTS = "quotes.requests";
    static final String QUOTE_REPLIES = "quotes.replies";
    static final String CATALOGUE = "catalogue";

    @Bean
    NewTopic orders() {
        return TopicBuilder.name(ORDERS)
                .partitions(3)
                .replicas(1)
                .config(TopicConfig.RETENTION_MS_CONFIG, "86400000")
                .config(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, "2097152")
                .build();
    }

    @Bean
    NewTopic catalogue() {
        return TopicBuilder.name(CATALOGUE)
                .partitions(5)
                .compact()
                .config(TopicConfig.SEGMENT_BYTES_CONFIG, "16777216")
                .build();
    }

    /** One partition each; the replication factor is the broker's default. */
    @Bean
    NewTopics singlePartitionTopics() {
        return new NewTopics(
                single(NOTES),
                single(SHIPMENTS),
                single(PAYMENTS),
                single(REFUNDS),
                single(LEDGER),
                single(QUOTE_REQUESTS),
                single(QUOTE_REPLIES));
    }

    private static NewTopic single(String name) {
        return TopicBuilder.name(name).partitions(1).build();
    }
}
