package com.example.shop;

import static org.assertj.core.api.Assertions.assertThat;

import com.example.shop.Events.Entry;
import com.example.shop.Journal.Delivery;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** A listener that goes back in its topic. */
class SeekTest extends ShopTest {

    @Autowired
    LedgerListener ledger;

    private static Predicate<Delivery> with(String id) {
        return delivery -> ((Entry) delivery.value()).id().equals(id);
    }

    private static List<Integer> numbers(List<Delivery> deliveries) {
        return deliveries.stream().map(delivery -> ((Entry) delivery.value()).number()).toList();
    }

    @Test
    void seekToBeginningReplaysTheWholeTopic() {
        var id = uniqueId();
        for (int number = 1; number <= 3; number++) {
            send(Topics.LEDGER, id, new Entry(id, number));
        }
        deliveries(3, LedgerListener.ID, with(id));
        var seenBefore = journal.of(LedgerListener.ID).size();

        ledger.seekToBeginning();

        assertThat(numbers(deliveries(6, LedgerListener.ID, with(id)))).containsExactly(1, 2, 3, 1, 2, 3);
        assertThat(journal.of(LedgerListener.ID).get(seenBefore).record().offset()).isZero();
    }

    @Test
    void seekToATimestampReplaysFromTheFirstRecordOfThatTime() {
        var id = uniqueId();
        // Later than every record of the other tests, so that the look-up cannot find one of theirs.
        var start = Instant.now().plus(Duration.ofMinutes(10));
        for (int number = 1; number <= 4; number++) {
            var timestamp = start.plusSeconds(number).toEpochMilli();
            send(new ProducerRecord<>(Topics.LEDGER, null, timestamp, id, new Entry(id, number)));
        }
        deliveries(4, LedgerListener.ID, with(id));

        ledger.seekToTimestamp(start.plusSeconds(2).plusMillis(1).toEpochMilli());

        assertThat(numbers(deliveries(6, LedgerListener.ID, with(id)))).containsExactly(1, 2, 3, 4, 3, 4);
    }
}
