package com.example.shop;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import com.example.shop.Events.Order;
import com.example.shop.Journal.Delivery;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;

/** A listener with concurrency 3 on a topic of three partitions. */
class ConcurrentListenerTest extends ShopTest {

    private static final TopicPartition[] PARTITIONS = {
        new TopicPartition(Topics.ORDERS, 0), new TopicPartition(Topics.ORDERS, 1), new TopicPartition(Topics.ORDERS, 2)
    };

    private static Predicate<Delivery> ofCustomer(String customer) {
        return delivery -> ((Order) delivery.value()).customer().equals(customer);
    }

    private static Order order(String customer, int number) {
        return new Order(customer + "/" + number, customer, Instant.EPOCH, List.of(), Map.of());
    }

    @BeforeEach
    void everyConsumerHasOnePartition() {
        eventually()
                .alias("one partition for each consumer")
                .until(() -> consumersOf(OrderListener.ID), consumers -> consumers.stream()
                        .allMatch(partitions -> partitions.size() == 1));
    }

    private List<List<TopicPartition>> consumersOf(String listener) {
        var container = (ConcurrentMessageListenerContainer<?, ?>) container(listener);
        return container.getContainers().stream()
                .map(child -> {
                    var assigned = child.getAssignedPartitions();
                    return assigned == null ? List.<TopicPartition>of() : List.copyOf(assigned);
                })
                .toList();
    }

    @Test
    void threeConsumersGetOnePartitionEach() {
        var consumers = consumersOf(OrderListener.ID);

        assertThat(consumers).hasSize(3);
        assertThat(consumers.stream().flatMap(List::stream)).containsExactlyInAnyOrder(PARTITIONS);
    }

    @Test
    @SuppressWarnings("deprecation") // state() has a successor in kafka-clients 4 that 3.9 does not know
    void theBrokerDescribesAStableGroupOfThreeMembersWithOnePartitionEach() throws Exception {
        try (var admin = admin()) {
            var group = admin.describeConsumerGroups(List.of(OrderListener.ID))
                    .describedGroups()
                    .get(OrderListener.ID)
                    .get(20, TimeUnit.SECONDS);

            assertThat(group.state()).hasToString("Stable");
            assertThat(group.members())
                    .hasSize(3)
                    .allSatisfy(member -> assertThat(member.assignment().topicPartitions()).hasSize(1));
            assertThat(group.members().stream().flatMap(member -> member.assignment().topicPartitions().stream()))
                    .containsExactlyInAnyOrder(PARTITIONS);
        }
    }

    @Test
    void eachPartitionIsHandledByAThreadOfItsOwn() {
        var customer = uniqueId();

        IntStream.range(0, 30).forEach(number -> send(
                new ProducerRecord<>(Topics.ORDERS, number % 3, customer, order(customer, number))));

        var threadsOfPartitions = deliveries(30, OrderListener.ID, ofCustomer(customer)).stream()
                .collect(groupingBy(
                        delivery -> delivery.record().partition(), mapping(Delivery::thread, toSet())));
        assertThat(threadsOfPartitions).containsOnlyKeys(0, 1, 2);
        assertThat(threadsOfPartitions.values()).allSatisfy(threads -> assertThat(threads).hasSize(1));
        assertThat(threadsOfPartitions.values().stream().distinct()).hasSize(3);
    }

    @Test
    void recordsWithOneKeyStayInOnePartitionAndInOrder() {
        var customers = IntStream.range(0, 6).mapToObj(number -> uniqueId()).toList();

        for (int number = 0; number < 10; number++) {
            for (var customer : customers) {
                template.send(Topics.ORDERS, customer, order(customer, number));
            }
        }

        for (var customer : customers) {
            var received = deliveries(10, OrderListener.ID, ofCustomer(customer));
            assertThat(received.stream().map(delivery -> delivery.record().partition()).distinct())
                    .hasSize(1);
            assertThat(received)
                    .extracting(delivery -> ((Order) delivery.value()).id())
                    .containsExactlyElementsOf(
                            IntStream.range(0, 10).mapToObj(number -> customer + "/" + number).toList());
        }
    }
}
