package com.example.shop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.example.shop.Events.Refund;
import com.example.shop.Journal.Delivery;
import java.math.BigInteger;
import java.time.Duration;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.retrytopic.RetryTopicHeaders;
import org.springframework.kafka.support.KafkaHeaders;

/** A record that fails goes through the retry topics to the dead-letter topic. */
class RetryTest extends ShopTest {

    private static Predicate<Delivery> with(String id) {
        return delivery -> ((Refund) delivery.value()).id().equals(id);
    }

    private static byte[] header(ConsumerRecord<String, ?> record, String name) {
        var header = record.headers().lastHeader(name);
        assertThat(header).as(name).isNotNull();
        return header.value();
    }

    private static String text(ConsumerRecord<String, ?> record, String name) {
        return new String(header(record, name), UTF_8);
    }

    private static long number(ConsumerRecord<String, ?> record, String name) {
        return new BigInteger(header(record, name)).longValueExact();
    }

    @Test
    void aFailingRecordIsTriedOnEachRetryTopicAndEndsOnTheDeadLetterTopic() {
        var id = uniqueId();

        send(Topics.REFUNDS, id, new Refund(id, -1));

        var dead = deliveries(1, RefundListener.DEAD_LETTERS, with(id));
        assertThat(journal.of(RefundListener.ID, with(id)))
                .extracting(delivery -> delivery.record().topic())
                .containsExactly("refunds", "refunds-retry-300", "refunds-retry-600");
        assertThat(dead).hasSize(1);
        assertThat(dead.get(0).record().topic()).isEqualTo("refunds-dlt");
        assertThat(dead.get(0).record().key()).isEqualTo(id);
        assertThat(dead.get(0).value()).isEqualTo(new Refund(id, -1));
    }

    @Test
    void eachAttemptIsCountedAndComesAfterItsDelay() {
        var id = uniqueId();

        send(Topics.REFUNDS, id, new Refund(id, -3));

        var dead = deliveries(1, RefundListener.DEAD_LETTERS, with(id)).get(0);
        var attempts = journal.of(RefundListener.ID, with(id));
        assertThat(attempts.get(0).record().headers().lastHeader(RetryTopicHeaders.DEFAULT_HEADER_ATTEMPTS))
                .isNull();
        assertThat(number(attempts.get(1).record(), RetryTopicHeaders.DEFAULT_HEADER_ATTEMPTS)).isEqualTo(2);
        assertThat(number(attempts.get(2).record(), RetryTopicHeaders.DEFAULT_HEADER_ATTEMPTS)).isEqualTo(3);
        assertThat(number(dead.record(), RetryTopicHeaders.DEFAULT_HEADER_ATTEMPTS)).isEqualTo(4);
        assertThat(Duration.between(attempts.get(0).at(), attempts.get(1).at()))
                .isGreaterThanOrEqualTo(Duration.ofMillis(300));
        assertThat(Duration.between(attempts.get(1).at(), attempts.get(2).at()))
                .isGreaterThanOrEqualTo(Duration.ofMillis(600));
        assertThat(attempts.subList(1, 3)).allSatisfy(attempt -> assertThat(attempt.at().toEpochMilli())
                .isGreaterThanOrEqualTo(number(attempt.record(), RetryTopicHeaders.DEFAULT_HEADER_BACKOFF_TIMESTAMP)));
        assertThat(number(dead.record(), RetryTopicHeaders.DEFAULT_HEADER_ORIGINAL_TIMESTAMP))
                .isEqualTo(attempts.get(0).record().timestamp());
    }

    @Test
    void theTopicsOfTheRetriesAndTheDeadLettersHaveTheBrokersReplicationFactor() throws Exception {
        var listener = RefundListener.class.getDeclaredMethod("on", ConsumerRecord.class);
        var annotation = AnnotatedElementUtils.findMergedAnnotation(listener, RetryableTopic.class);
        assertThat(annotation.replicationFactor()).isEqualTo("-1");

        var topics = kafkaAdmin.describeTopics("refunds-retry-300", "refunds-retry-600", "refunds-dlt");

        assertThat(topics).hasSize(3);
        assertThat(topics.values()).allSatisfy(topic -> assertThat(topic.partitions())
                .singleElement()
                .satisfies(partition -> assertThat(partition.replicas()).hasSize(1)));
    }

    @Test
    void aDeadLetterSaysWhereItCameFromAndWhyItFailed() {
        var id = uniqueId();
        var record = new ProducerRecord<String, Object>(Topics.REFUNDS, id, new Refund(id, -2));
        record.headers().add("source", "web".getBytes(UTF_8));

        var sent = send(record);

        var dead = deliveries(1, RefundListener.DEAD_LETTERS, with(id)).get(0).record();
        assertThat(text(dead, "source")).isEqualTo("web");
        assertThat(text(dead, KafkaHeaders.ORIGINAL_TOPIC)).isEqualTo(Topics.REFUNDS);
        assertThat(number(dead, KafkaHeaders.ORIGINAL_PARTITION)).isZero();
        assertThat(number(dead, KafkaHeaders.ORIGINAL_OFFSET)).isEqualTo(sent.offset());
        assertThat(number(dead, KafkaHeaders.ORIGINAL_TIMESTAMP)).isEqualTo(sent.timestamp());
        assertThat(text(dead, KafkaHeaders.EXCEPTION_CAUSE_FQCN)).isEqualTo(IllegalArgumentException.class.getName());
        assertThat(text(dead, KafkaHeaders.EXCEPTION_MESSAGE)).contains("not an amount to refund: -2");
        assertThat(text(dead, KafkaHeaders.EXCEPTION_STACKTRACE)).contains(RefundListener.class.getName());
    }

    @Test
    void recordsAroundAFailingOneAreHandledOnceAndDoNotWaitForItsRetries() {
        var before = uniqueId();
        var failing = uniqueId();
        var after = uniqueId();

        send(Topics.REFUNDS, before, new Refund(before, 100));
        send(Topics.REFUNDS, failing, new Refund(failing, 0));
        send(Topics.REFUNDS, after, new Refund(after, 200));
        deliveries(1, RefundListener.DEAD_LETTERS, with(failing));

        var ofThisTest = with(before).or(with(failing)).or(with(after));
        var keys = journal.of(RefundListener.ID, ofThisTest).stream()
                .map(delivery -> delivery.record().key())
                .toList();
        assertThat(keys).containsExactlyInAnyOrder(before, failing, failing, failing, after);
        assertThat(keys.indexOf(after)).isLessThan(keys.lastIndexOf(failing));
        assertThat(journal.of(RefundListener.DEAD_LETTERS, ofThisTest)).hasSize(1);
    }
}
