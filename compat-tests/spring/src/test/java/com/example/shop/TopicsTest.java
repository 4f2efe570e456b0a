package com.example.shop;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.springframework.kafka.config.TopicBuilder;

/** KafkaAdmin makes the topics of the application's beans, and brings them up to date. */
class TopicsTest extends ShopTest {

    private TopicDescription topic(String name) {
        return kafkaAdmin.describeTopics(name).get(name);
    }

    private int partitions(String topic) {
        return topic(topic).partitions().size();
    }

    private Map<String, String> configs(String topic) throws Exception {
        var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        try (var admin = admin()) {
            var configs = admin.describeConfigs(List.of(resource)).all().get(20, TimeUnit.SECONDS);
            return configs.get(resource).entries().stream()
                    .filter(entry -> entry.value() != null)
                    .collect(toMap(ConfigEntry::name, ConfigEntry::value));
        }
    }

    @Test
    void theTopicsExistWithTheirPartitions() {
        assertThat(partitions(Topics.ORDERS)).isEqualTo(3);
        assertThat(partitions(Topics.CATALOGUE)).isEqualTo(5);
        assertThat(partitions(Topics.NOTES)).isEqualTo(1);
    }

    @Test
    void everyPartitionHasALeaderThatIsItsOnlyReplica() {
        assertThat(topic(Topics.ORDERS).partitions()).allSatisfy(partition -> {
            assertThat(partition.leader()).isNotNull();
            assertThat(partition.replicas()).containsExactly(partition.leader());
            assertThat(partition.isr()).containsExactly(partition.leader());
        });
    }

    @Test
    void theTopicsHaveTheConfigsOfTheirBeansAndDefaultsForTheRest() throws Exception {
        assertThat(configs(Topics.ORDERS))
                .containsEntry("retention.ms", "86400000")
                .containsEntry("max.message.bytes", "2097152")
                .containsEntry("cleanup.policy", "delete")
                .containsEntry("min.insync.replicas", "1");
        assertThat(configs(Topics.CATALOGUE))
                .containsEntry("cleanup.policy", "compact")
                .containsEntry("segment.bytes", "16777216")
                .containsEntry("retention.ms", "604800000");
    }

    @Test
    void aBeanWithMorePartitionsGrowsItsTopic() {
        var name = "grown-" + uniqueId();
        kafkaAdmin.createOrModifyTopics(TopicBuilder.name(name).partitions(1).build());
        assertThat(partitions(name)).isEqualTo(1);

        kafkaAdmin.createOrModifyTopics(TopicBuilder.name(name).partitions(4).build());

        assertThat(partitions(name)).isEqualTo(4);
    }

    @Test
    void aBeanWithAnotherConfigChangesThatConfigOfItsTopic() throws Exception {
        var name = "changed-" + uniqueId();
        var topic = TopicBuilder.name(name).partitions(1).config("segment.ms", "1800000");
        kafkaAdmin.createOrModifyTopics(topic.config("retention.ms", "3600000").build());
        assertThat(configs(name)).containsEntry("retention.ms", "3600000");

        kafkaAdmin.createOrModifyTopics(topic.config("retention.ms", "7200000").build());

        assertThat(configs(name)).containsEntry("retention.ms", "7200000").containsEntry("segment.ms", "1800000");
    }

    @Test
    void theTopicsOfTheRetriesAndTheDeadLettersExist() {
        var names = new String[] {"refunds-retry-300", "refunds-retry-600", "refunds-dlt"};

        assertThat(kafkaAdmin.describeTopics(names)).containsOnlyKeys(names);
    }
}
