"""kafka-python."""

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from clients.common import SECONDS_MAX, KeywordMember, Member, Record, record_of

ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
    "cooperative-sticky": CooperativeStickyAssignor,
}

# kafka-python 3.0.12 can lose its assignment when a poll ends between the answers of JoinGroup and SyncGroup.
POLL_MS = 1000


class KafkaPython:
    name = "kafka-python"
    strategies = tuple(ASSIGNORS)

    def __init__(self, address: str):
        self.address = address

    def produce(self, topic: str, records: list[Record], codec: str = "none", **settings) -> list[int]:
        """Returns the acknowledged offsets, in the order of the records."""
        compression = None if codec == "none" else codec
        producer = KafkaProducer(
            bootstrap_servers=self.address, compression_type=compression, linger_ms=20, acks="all", **settings
        )
        try:
            sent = [
                producer.send(
                    topic,
                    key=r.key,
                    value=r.value,
                    headers=list(r.headers),
                    partition=r.partition,
                    timestamp_ms=r.timestamp,
                )
                for r in records
            ]
            return [future.get(SECONDS_MAX).offset for future in sent]
        finally:
            producer.close()

    def read(self, topic: str, partitions: int) -> list[Record]:
        """Every record from the start to the end of each partition."""
        consumer = KafkaConsumer(bootstrap_servers=self.address, fetch_max_wait_ms=50)
        try:
            assigned = [TopicPartition(topic, p) for p in range(partitions)]
            consumer.assign(assigned)
            ends = consumer.end_offsets(assigned)
            consumer.seek_to_beginning(*assigned)
            found = []
            while any(consumer.position(p) < ends[p] for p in assigned):
                for batch in consumer.poll(1000).values():
                    found += map(record_of, batch)
            return found
        finally:
            consumer.close()

    def commit(self, group: str, topic: str, offsets: dict[int, int]) -> None:
        consumer = KafkaConsumer(bootstrap_servers=self.address, group_id=group, enable_auto_commit=False)
        try:
            consumer.assign([TopicPartition(topic, p) for p in offsets])
            consumer.commit({TopicPartition(topic, p): OffsetAndMetadata(o, "", -1) for p, o in offsets.items()})
        finally:
            consumer.close()

    def committed(self, group: str, topic: str, partitions: int) -> dict[int, int | None]:
        consumer = KafkaConsumer(bootstrap_servers=self.address, group_id=group, enable_auto_commit=False)
        try:
            return {p: consumer.committed(TopicPartition(topic, p)) for p in range(partitions)}
        finally:
            consumer.close()

    def member(self, group: str, topic: str, strategy: str = "range", instance: str | None = None) -> Member:
        return PureMember(self.address, group, topic, ASSIGNORS[strategy], instance)


class PureMember(KeywordMember):
    def poll_until_left(self) -> None:
        member = self

        class Listener(ConsumerRebalanceListener):
            def on_partitions_assigned(self, assigned):
                member.gained(p.partition for p in assigned)

            def on_partitions_revoked(self, revoked):
                member.lost(p.partition for p in revoked)

            def on_partitions_lost(self, lost):
                member.lost(p.partition for p in lost)

        consumer = KafkaConsumer(**self.settings)
        try:
            consumer.subscribe([self.topic], listener=Listener())
            while not self.left():
                for batch in consumer.poll(POLL_MS).values():
                    for message in batch:
                        self.got(record_of(message))
        finally:
            consumer.close()
