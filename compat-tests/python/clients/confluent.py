"""confluent-kafka (librdkafka)."""

from confluent_kafka import OFFSET_BEGINNING, OFFSET_INVALID, Consumer, KafkaError, KafkaException, Producer, TopicPartition

from clients.common import HEARTBEAT_MS, SECONDS_MAX, SESSION_MS, Member, Record


def record_of(message) -> Record:
    return Record(
        message.partition(),
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
        message.timestamp()[1],
        message.offset(),
    )


class Confluent:
    name = "confluent-kafka"
    strategies = ("range", "roundrobin", "cooperative-sticky")

    def __init__(self, address: str):
        self.address = address

    def produce(self, topic: str, records: list[Record], codec: str = "none", **settings) -> list[int]:
        """Returns the acknowledged offsets, in the order of the records."""
        options = {key.replace("_", "."): value for key, value in settings.items()}
        producer = Producer(
            {"bootstrap.servers": self.address, "compression.type": codec, "linger.ms": 20, "acks": "all", **options}
        )
        offsets = [None] * len(records)

        def reported(at):
            def report(error, message):
                if error is not None:
                    raise KafkaException(error)
                offsets[at] = message.offset()

            return report

        for at, r in enumerate(records):
            producer.produce(
                topic,
                key=r.key,
                value=r.value,
                headers=list(r.headers),
                partition=r.partition,
                timestamp=r.timestamp,
                on_delivery=reported(at),
            )
        assert producer.flush(SECONDS_MAX) == 0, "not everything was delivered"
        return offsets

    def read(self, topic: str, partitions: int) -> list[Record]:
        """Every record from the start to the end of each partition."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": "unused",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
            }
        )
        try:
            assigned = [TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(partitions)]
            ends = {p.partition: consumer.get_watermark_offsets(p, SECONDS_MAX)[1] for p in assigned}
            consumer.assign(assigned)
            found, reached = [], dict.fromkeys(ends, 0)
            while any(reached[p] < end for p, end in ends.items()):
                message = consumer.poll(SECONDS_MAX)
                assert message is not None, f"no message in {SECONDS_MAX} s"
                if message.error() is None:
                    found.append(record_of(message))
                    reached[message.partition()] = message.offset() + 1
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    # A control record at the end is passed without a message.
                    reached[message.partition()] = message.offset()
                else:
                    raise KafkaException(message.error())
            return found
        finally:
            consumer.close()

    def commit(self, group: str, topic: str, offsets: dict[int, int]) -> None:
        consumer = self._simple(group)
        try:
            done = consumer.commit(
                offsets=[TopicPartition(topic, p, o) for p, o in offsets.items()], asynchronous=False
            )
            assert all(p.error is None for p in done), done
        finally:
            consumer.close()

    def committed(self, group: str, topic: str, partitions: int) -> dict[int, int | None]:
        consumer = self._simple(group)
        try:
            found = consumer.committed([TopicPartition(topic, p) for p in range(partitions)], timeout=SECONDS_MAX)
            return {p.partition: None if p.offset == OFFSET_INVALID else p.offset for p in found}
        finally:
            consumer.close()

    def _simple(self, group):
        return Consumer({"bootstrap.servers": self.address, "group.id": group, "enable.auto.commit": False})

    def member(self, group: str, topic: str, strategy: str = "range", instance: str | None = None) -> Member:
        return ConfluentMember(self.address, group, topic, strategy, instance)


class ConfluentMember(Member):
    def __init__(self, address, group, topic, strategy, instance):
        super().__init__()
        self.topic = topic
        self.settings = {
            "bootstrap.servers": address,
            "group.id": group,
            "partition.assignment.strategy": strategy,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": SESSION_MS,
            "heartbeat.interval.ms": HEARTBEAT_MS,
            "fetch.wait.max.ms": 50,
        }
        if instance is not None:
            self.settings["group.instance.id"] = instance

    def poll_until_left(self) -> None:
        def gained(_, partitions):
            self.gained(p.partition for p in partitions)

        def lost(_, partitions):
            self.lost(p.partition for p in partitions)

        consumer = Consumer(self.settings)
        try:
            consumer.subscribe([self.topic], on_assign=gained, on_revoke=lost, on_lost=lost)
            while not self.left():
                message = consumer.poll(0.05)
                if message is None:
                    continue
                if message.error() is not None:
                    raise KafkaException(message.error())
                self.got(record_of(message))
        finally:
            consumer.close()
