// Records: codecs, headers, keys, nulls, idempotence; and what a client hears about transactions.

package clients

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

var messageScenarios = []Scenario{
	{"records_come_back_as_they_were_sent/none", nil, roundTrip("none", 0)},
	{"records_come_back_as_they_were_sent/gzip", nil, roundTrip("gzip", 1)},
	{"records_come_back_as_they_were_sent/snappy", nil, roundTrip("snappy", 2)},
	{"records_come_back_as_they_were_sent/lz4", nil, roundTrip("lz4", 3)},
	{"records_come_back_as_they_were_sent/zstd", nil, roundTrip("zstd", 4)},
	{"an_idempotent_producer_writes_each_record_once_and_in_order", []Feature{Idempotence}, idempotence},
	{"a_transaction_is_committed_or_refused_soon", []Feature{Transactions}, transaction},
}

// The head of a record batch, as it lies on the disk: attributes (int16) and producer id (int64).
const (
	attributesAt = 21
	producerIDAt = 43
	codecMask    = 0x07
)

func (h *House) firstBatch(topic string) []byte {
	h.Helper()
	segment, err := broker.segment(topic, 0)
	h.check(err)
	if len(segment) < producerIDAt+8 {
		h.Fatalf("the segment has %d bytes", len(segment))
	}
	return segment
}

func roundTrip(codec string, id int) func(*House) {
	return func(h *House) {
		topic := h.topic(2)
		at := time.UnixMilli(time.Now().UnixMilli() - 5000)
		text := bytes.Repeat([]byte("a line that compresses well; "), 40)
		binary := []byte{0, 0xff, 0xfe, '\n', 0x80}
		sent := []Record{
			{Key: []byte("key"), Value: text, Time: at},
			{Key: binary, Value: binary, Headers: []Header{{"h", []byte("1")}, {"h", []byte("2")}, {"empty", []byte{}}, {"ü", binary}}, Time: at},
			{Key: nil, Value: []byte("no key"), Time: at.Add(time.Second)},
			{Key: []byte("deleted"), Value: nil, Headers: []Header{{"why", []byte("gone")}}, Time: at},
			{Key: []byte{}, Value: []byte{}, Time: at},
			{Partition: 1, Key: []byte("other"), Value: text, Time: at},
		}
		h.check(h.Produce(h.ctx, topic, codec, false, sent))

		got := h.readAll(topic, 2)
		same(h, len(got), len(sent), "number of records")
		for i, record := range got {
			h.sameRecord(record, sent[i])
		}
		attributes := h.firstBatch(topic)[attributesAt : attributesAt+2]
		same(h, int(attributes[1])&codecMask, id, "codec of the batch on the disk")
	}
}

func (h *House) sameRecord(got, sent Record) {
	h.Helper()
	same(h, got.Partition, sent.Partition, "partition")
	h.sameBytes(got.Key, sent.Key, "key")
	h.sameBytes(got.Value, sent.Value, "value")
	same(h, got.Time.UnixMilli(), sent.Time.UnixMilli(), "timestamp")
	same(h, len(got.Headers), len(sent.Headers), "number of headers")
	for i, header := range got.Headers {
		same(h, header.Key, sent.Headers[i].Key, "key of a header")
		if !bytes.Equal(header.Value, sent.Headers[i].Value) {
			h.Fatalf("header %s: got %q, sent %q", header.Key, header.Value, sent.Headers[i].Value)
		}
	}
}

func (h *House) sameBytes(got, sent []byte, what string) {
	h.Helper()
	if !h.Lacks(NullValues) && (got == nil) != (sent == nil) {
		h.Fatalf("%s: got null %v, sent null %v", what, got == nil, sent == nil)
	}
	if !bytes.Equal(got, sent) {
		h.Fatalf("%s: got %q, sent %q", what, got, sent)
	}
}

func idempotence(h *House) {
	topic := h.topic(1)
	sent := values("v", 3000, 1)
	h.check(h.Produce(h.ctx, topic, "lz4", true, sent))

	got := h.readAll(topic, 1)
	same(h, len(got), len(sent), "number of records")
	for i, record := range got {
		same(h, string(record.Value), string(sent[i].Value), "value in its place")
		same(h, record.Offset, int64(i), "offset")
	}
	id := int64(binary.BigEndian.Uint64(h.firstBatch(topic)[producerIDAt:]))
	if id < 0 {
		h.Fatalf("the batch on the disk has the producer id %d", id)
	}
}

// A broker with transactions commits it; one without them says so, and nothing is left behind.
func transaction(h *House) {
	topic := h.topic(1)
	begin := time.Now()
	err := h.Transaction(h.ctx, topic, unique("transaction"), Record{Value: []byte("paid")})
	if took := time.Since(begin); took > 20*time.Second {
		h.Fatalf("an answer after %v", took)
	}
	if err == nil {
		h.until("the record and the marker of its commit are there", func() (bool, string) {
			ends, err := h.Offsets(h.ctx, topic, 1, latest)
			return err == nil && ends[0] == 2, fmt.Sprint(ends, err)
		})
		return
	}
	if h.Code(err) == 0 {
		h.Fatalf("an error without one of Kafka's codes: %v", err)
	}
	ends, listed := h.Offsets(h.ctx, topic, 1, latest)
	h.check(listed)
	same(h, ends[0], 0, fmt.Sprintf("end of the partition after %v", err))
}
