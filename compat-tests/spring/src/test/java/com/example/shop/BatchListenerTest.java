package com.example.shop;

import static org.assertj.core.api.Assertions.assertThat;

import com.example.shop.Events.Shipment;
import com.example.shop.Journal.Delivery;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A listener that takes a list of records a call. */
class BatchListenerTest extends ShopTest {

    @Test
    void waitingRecordsComeInBatchesUpToTheBoundAndInOrder() {
        var id = uniqueId();
        stop(ShipmentListener.ID);
        var sent = IntStream.range(0, 50)
                .mapToObj(number -> template.send(Topics.SHIPMENTS, id, new Shipment(id, number)))
                .toList();
        sent.forEach(ShopTest::acknowledged);

        start(ShipmentListener.ID);

        Predicate<Delivery> ofThisTest = delivery -> id.equals(delivery.record().key());
        var received = deliveries(50, ShipmentListener.ID, ofThisTest);
        assertThat(received)
                .extracting(delivery -> ((Shipment) delivery.value()).number())
                .containsExactlyElementsOf(IntStream.range(0, 50).boxed().toList());
        assertThat(received.stream().mapToInt(Delivery::batch).max()).hasValue(ShipmentListener.BATCH_RECORDS_MAX);
    }
}
