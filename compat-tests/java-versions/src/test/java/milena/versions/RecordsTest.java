package milena.versions;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Records: codecs, headers, keys, nulls, idempotence; and what a client hears about transactions. */
class RecordsTest {
    /** Places in a record batch: attributes (int16), whose low three bits are the codec, and producer id (int64). */
    private static final int ATTRIBUTES_AT = 21;
    private static final int PRODUCER_ID_AT = 43;

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    private static ProducerRecord<byte[], byte[]> record(
            String topic, int partition, long time, String key, String value, String... headers) {
        RecordHeaders all = new RecordHeaders();
        for (int i = 0; i < headers.length; i += 2) {
            all.add(headers[i], bytes(headers[i + 1]));
        }
        return new ProducerRecord<>(topic, partition, time, bytes(key), bytes(value), all);
    }

    @ParameterizedTest
    @CsvSource({"none,0", "gzip,1", "snappy,2", "lz4,3", "zstd,4"})
    void recordsComeBackAsTheyWereSent(String codec, int id) throws Exception {
        String topic = Clients.topic(2);
        long time = System.currentTimeMillis() - 5000;
        String text = "a line that compresses well; ".repeat(40);
        List<ProducerRecord<byte[], byte[]>> sent = List.of(
            record(topic, 0, time, "key", text),
            record(topic, 0, time, "\0\n", "\0", "h", "1", "h", "2", "empty", "", "null", null, "ü", "ü"),
            record(topic, 0, time + 1000, null, "no key"),
            record(topic, 0, time, "deleted", null, "why", "gone"),
            record(topic, 0, time, "", ""),
            record(topic, 1, time, "other", text));
        try (KafkaProducer<byte[], byte[]> producer =
                Clients.bytesProducer("compression.type", codec, "linger.ms", "5", "acks", "all")) {
            sent.forEach(producer::send);
        }

        for (int partition = 0; partition < 2; partition++) {
            int wanted = partition;
            List<ProducerRecord<byte[], byte[]>> expected =
                sent.stream().filter(one -> one.partition() == wanted).collect(Collectors.toList());
            List<ConsumerRecord<byte[], byte[]>> got = Clients.readAll(topic, 2).stream()
                .filter(one -> one.partition() == wanted).collect(Collectors.toList());
            assertEquals(expected.size(), got.size());
            for (int i = 0; i < got.size(); i++) {
                assertSame(expected.get(i), got.get(i));
            }
        }
        assertEquals(id, Clients.segment(topic)[ATTRIBUTES_AT + 1] & 7);
    }

    private static void assertSame(ProducerRecord<byte[], byte[]> sent, ConsumerRecord<byte[], byte[]> got) {
        assertArrayEquals(sent.key(), got.key());
        assertArrayEquals(sent.value(), got.value());
        assertEquals(sent.timestamp(), got.timestamp());
        Header[] headers = sent.headers().toArray();
        assertEquals(headers.length, got.headers().toArray().length);
        for (int i = 0; i < headers.length; i++) {
            assertEquals(headers[i].key(), got.headers().toArray()[i].key());
            assertArrayEquals(headers[i].value(), got.headers().toArray()[i].value());
        }
    }

    @Test
    void anIdempotentProducerWritesEachRecordOnceAndInOrder() throws Exception {
        String topic = Clients.topic(1);
        List<String> sent = Clients.send(topic, 1, "v", 3000,
            "enable.idempotence", "true", "acks", "all", "batch.size", "500");

        List<String> got = Clients.readAll(topic, 1).stream()
            .map(one -> new String(one.value(), StandardCharsets.UTF_8)).collect(Collectors.toList());
        assertEquals(sent, got);
        assertTrue(ByteBuffer.wrap(Clients.segment(topic)).getLong(PRODUCER_ID_AT) >= 0);
    }

    /** A broker with transactions commits it; one without them says so, and nothing is left behind. */
    @Test
    @Timeout(value = 40, unit = TimeUnit.SECONDS)
    void aTransactionIsCommittedOrRefusedSoon() throws Exception {
        String topic = Clients.topic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        long expected = 0;
        try (KafkaProducer<String, String> producer = Clients.producer(
                "transactional.id", Clients.unique("transaction"), "max.block.ms", "20000")) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, 0, null, "paid"));
            producer.commitTransaction();
            // The record and the marker of the commit.
            expected = 2;
        } catch (org.apache.kafka.common.errors.TimeoutException silence) {
            throw silence;
        } catch (org.apache.kafka.common.KafkaException refused) {
            System.out.println("refused: " + refused);
        }
        long end = expected;
        Clients.until(() -> "the partition ends at " + end, () -> Map.of(partition, end).equals(Clients.ends(topic, 1)));
    }
}
