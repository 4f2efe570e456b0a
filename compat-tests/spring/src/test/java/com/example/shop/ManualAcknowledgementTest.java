package com.example.shop;

import static org.assertj.core.api.Assertions.assertThat;

import com.example.shop.Events.Payment;
import com.example.shop.Events.Settlement;
import com.example.shop.Journal.Delivery;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** A listener that says itself which records are done. */
class ManualAcknowledgementTest extends ShopTest {

    private static Predicate<Delivery> with(String id) {
        return delivery -> ((Payment) delivery.value()).id().equals(id);
    }

    private static List<Integer> numbers(List<Delivery> deliveries) {
        return deliveries.stream().map(delivery -> ((Payment) delivery.value()).number()).toList();
    }

    private long send(String id, int number, Settlement settlement) {
        return send(Topics.PAYMENTS, id, new Payment(id, number, settlement)).offset();
    }

    private long committedOffset() throws Exception {
        var partition = new TopicPartition(Topics.PAYMENTS, 0);
        try (var admin = admin()) {
            return admin.listConsumerGroupOffsets(PaymentListener.ID)
                    .partitionsToOffsetAndMetadata()
                    .get(20, TimeUnit.SECONDS)
                    .get(partition)
                    .offset();
        }
    }

    @Test
    void unacknowledgedRecordsComeAgainAfterARestartOfTheContainerAndAcknowledgedOnesDoNot() throws Exception {
        var id = uniqueId();
        send(id, 1, Settlement.SETTLED);
        send(id, 2, Settlement.SETTLED);
        var lastSettled = send(id, 3, Settlement.SETTLED);
        send(id, 4, Settlement.OPEN);
        send(id, 5, Settlement.OPEN);
        assertThat(numbers(deliveries(5, PaymentListener.ID, with(id)))).containsExactly(1, 2, 3, 4, 5);

        stop(PaymentListener.ID);
        assertThat(committedOffset()).isEqualTo(lastSettled + 1);
        start(PaymentListener.ID);

        assertThat(numbers(deliveries(7, PaymentListener.ID, with(id)))).containsExactly(1, 2, 3, 4, 5, 4, 5);
    }

    @Test
    void aRecordThatIsNotAcknowledgedForNowComesAgainBeforeThoseBehindIt() {
        var id = uniqueId();
        stop(PaymentListener.ID);
        send(id, 1, Settlement.SETTLED);
        send(id, 2, Settlement.DEFERRED_ONCE);
        send(id, 3, Settlement.SETTLED);

        start(PaymentListener.ID);

        assertThat(numbers(deliveries(4, PaymentListener.ID, with(id)))).containsExactly(1, 2, 2, 3);
    }
}
