package com.example.shop;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.config.TopicBuilder;

/** An application that starts brings the configurations of topics that exist to what its beans say. */
class ModifyTopicConfigsTest extends ShopTest {

    @SpringBootConfiguration
    @EnableAutoConfiguration
    static class Owner {

        @Bean
        static NewTopic owned(
                @Value("${owned.name}") String name, @Value("${owned.retention}") String retention) {
            return TopicBuilder.name(name)
                    .partitions(1)
                    .config("retention.ms", retention)
                    .config("cleanup.policy", "compact")
                    .build();
        }
    }

    private static void startOwner(String topic, String retention, boolean modify) {
        new SpringApplicationBuilder(Owner.class)
                .run(
                        "--owned.name=" + topic,
                        "--owned.retention=" + retention,
                        "--spring.kafka.admin.modify-topic-configs=" + modify)
                .close();
    }

    private String existing() throws Exception {
        var name = "owned-" + uniqueId();
        try (var admin = admin()) {
            var topic = new NewTopic(name, 1, (short) 1)
                    .configs(Map.of("retention.ms", "3600000", "segment.ms", "1800000"));
            admin.createTopics(List.of(topic)).all().get(20, TimeUnit.SECONDS);
        }
        return name;
    }

    /** The configurations that were set for the topic itself. */
    private Map<String, String> overrides(String topic) throws Exception {
        var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        try (var admin = admin()) {
            var described = admin.describeConfigs(List.of(resource)).all().get(20, TimeUnit.SECONDS);
            return described.get(resource).entries().stream()
                    .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
                    .collect(toMap(ConfigEntry::name, ConfigEntry::value));
        }
    }

    private void awaitOverrides(String topic, Map<String, String> expected) {
        eventually().alias("configs of " + topic).until(() -> overrides(topic), expected::equals);
    }

    @Test
    void aTopicThatExistsGetsTheConfigsOfTheBeanAndKeepsTheOthers() throws Exception {
        var topic = existing();

        startOwner(topic, "7200000", true);
        awaitOverrides(topic, Map.of("retention.ms", "7200000", "cleanup.policy", "compact", "segment.ms", "1800000"));

        startOwner(topic, "9000000", true);
        awaitOverrides(topic, Map.of("retention.ms", "9000000", "cleanup.policy", "compact", "segment.ms", "1800000"));
    }

    @Test
    void withoutTheSettingATopicThatExistsStaysAsItIs() throws Exception {
        var topic = existing();
        awaitOverrides(topic, Map.of("retention.ms", "3600000", "segment.ms", "1800000"));

        startOwner(topic, "7200000", false);

        assertThat(overrides(topic)).isEqualTo(Map.of("retention.ms", "3600000", "segment.ms", "1800000"));
    }
}
