package com.example.shop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.example.shop.Events.Note;
import com.example.shop.Journal.Delivery;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.support.MessageBuilder;

/** A record goes from the template to a listener whole. */
class TemplateAndListenerTest extends ShopTest {

    private static Predicate<Delivery> withKey(String key) {
        return delivery -> key.equals(delivery.record().key());
    }

    @Test
    void aRecordReachesTheListenerWithItsKeyValuePlaceAndTimestamp() {
        var id = uniqueId();

        var sent = send(Topics.NOTES, id, new Note(id, "grüße, 世界"));

        var record = deliveries(1, NoteListener.ID, withKey(id)).get(0).record();
        assertThat(record.key()).isEqualTo(id);
        assertThat(record.value()).isEqualTo(new Note(id, "grüße, 世界"));
        assertThat(record.topic()).isEqualTo(Topics.NOTES);
        assertThat(record.partition()).isEqualTo(sent.partition());
        assertThat(record.offset()).isEqualTo(sent.offset());
        assertThat(record.timestamp()).isEqualTo(sent.timestamp());
    }

    @Test
    void headersOfAMessageReachTheListener() {
        var id = uniqueId();
        var message = MessageBuilder.withPayload(new Note(id, "with headers"))
                .setHeader(KafkaHeaders.TOPIC, Topics.NOTES)
                .setHeader(KafkaHeaders.KEY, id)
                .setHeader("source", "web")
                .setHeader("attempt", 3)
                .build();

        acknowledged(template.send(message));

        assertThat(deliveries(1, NoteListener.ID, withKey(id)).get(0).headers())
                .containsEntry("source", "web")
                .containsEntry("attempt", 3)
                .containsEntry(KafkaHeaders.RECEIVED_KEY, id)
                .containsEntry(KafkaHeaders.RECEIVED_TOPIC, Topics.NOTES);
    }

    @Test
    void repeatedEmptyAndNullHeadersKeepTheirOrderAndBytes() {
        var id = uniqueId();
        var record = new ProducerRecord<String, Object>(Topics.NOTES, id, new Note(id, "raw headers"));
        record.headers()
                .add("trace", "first".getBytes(UTF_8))
                .add("trace", new byte[] {0, -1, 127})
                .add("empty", new byte[0])
                .add("null", null);

        send(record);

        var received = deliveries(1, NoteListener.ID, withKey(id)).get(0).record().headers();
        var traces = StreamSupport.stream(received.headers("trace").spliterator(), false)
                .map(header -> header.value())
                .toList();
        assertThat(traces).containsExactly("first".getBytes(UTF_8), new byte[] {0, -1, 127});
        assertThat(received.lastHeader("empty").value()).isEmpty();
        assertThat(received.lastHeader("null").value()).isNull();
    }

    @Test
    void aNullValueArrivesAsNull() {
        var id = uniqueId();

        send(Topics.NOTES, id, null);

        assertThat(deliveries(1, NoteListener.ID, withKey(id)).get(0).value()).isNull();
    }

    @Test
    void recordsWithoutAKeyArriveInTheOrderInWhichTheyWereSent() {
        var id = uniqueId();
        var texts = List.of("one", "two", "three", "four", "five");

        texts.forEach(text -> template.send(Topics.NOTES, new Note(id, text)));

        Predicate<Delivery> ofThisTest =
                delivery -> delivery.value() instanceof Note note && note.id().equals(id);
        assertThat(deliveries(texts.size(), NoteListener.ID, ofThisTest))
                .allSatisfy(delivery -> assertThat(delivery.record().key()).isNull())
                .extracting(delivery -> ((Note) delivery.value()).text())
                .containsExactlyElementsOf(texts);
    }

    @Test
    void recordsSentWhileTheContainerWasStoppedAreReceivedAfterItsStart() {
        var id = uniqueId();
        send(Topics.NOTES, id, new Note(id, "before"));
        deliveries(1, NoteListener.ID, withKey(id));
        stop(NoteListener.ID);

        send(Topics.NOTES, id, new Note(id, "meanwhile 1"));
        send(Topics.NOTES, id, new Note(id, "meanwhile 2"));
        assertThat(journal.of(NoteListener.ID, withKey(id))).hasSize(1);
        start(NoteListener.ID);
        deliveries(3, NoteListener.ID, withKey(id));
        send(Topics.NOTES, id, new Note(id, "after"));

        assertThat(deliveries(4, NoteListener.ID, withKey(id)))
                .extracting(Delivery::value)
                .containsExactly(
                        new Note(id, "before"),
                        new Note(id, "meanwhile 1"),
                        new Note(id, "meanwhile 2"),
                        new Note(id, "after"));
    }
}
