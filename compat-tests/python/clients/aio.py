"""aiokafka."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from clients.common import SECONDS_MAX, KeywordMember, Member, Record, record_of

ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
}


def run(coroutine):
    """A whole asyncio program with a bound."""
    return asyncio.run(asyncio.wait_for(coroutine, SECONDS_MAX))


class AioKafka:
    name = "aiokafka"
    strategies = tuple(ASSIGNORS)

    def __init__(self, address: str):
        self.address = address

    def produce(self, topic: str, records: list[Record], codec: str = "none", **settings) -> list[int]:
        """Returns the acknowledged offsets, in the order of the records."""
        return run(self._produce(topic, records, None if codec == "none" else codec, settings))

    async def _produce(self, topic, records, compression, settings):
        async with AIOKafkaProducer(
            bootstrap_servers=self.address, compression_type=compression, linger_ms=20, acks="all", **settings
        ) as producer:
            sent = [
                await producer.send(
                    topic,
                    key=r.key,
                    value=r.value,
                    headers=list(r.headers),
                    partition=r.partition,
                    timestamp_ms=r.timestamp,
                )
                for r in records
            ]
            return [(await future).offset for future in sent]

    def read(self, topic: str, partitions: int) -> list[Record]:
        """Every record from the start to the end of each partition."""
        return run(self._read(topic, partitions))

    async def _read(self, topic, partitions):
        async with AIOKafkaConsumer(
            bootstrap_servers=self.address, fetch_max_wait_ms=50, auto_offset_reset="earliest"
        ) as consumer:
            assigned = [TopicPartition(topic, p) for p in range(partitions)]
            consumer.assign(assigned)
            ends = await consumer.end_offsets(assigned)
            found = []
            while any([await consumer.position(p) < ends[p] for p in assigned]):
                for batch in (await consumer.getmany(timeout_ms=1000)).values():
                    found += map(record_of, batch)
            return found

    def commit(self, group: str, topic: str, offsets: dict[int, int]) -> None:
        async def commit():
            async with self._simple(group) as consumer:
                consumer.assign([TopicPartition(topic, p) for p in offsets])
                await consumer.commit({TopicPartition(topic, p): o for p, o in offsets.items()})

        run(commit())

    def committed(self, group: str, topic: str, partitions: int) -> dict[int, int | None]:
        async def committed():
            async with self._simple(group) as consumer:
                assigned = [TopicPartition(topic, p) for p in range(partitions)]
                consumer.assign(assigned)
                return {p.partition: await consumer.committed(p) for p in assigned}

        return run(committed())

    def _simple(self, group):
        return AIOKafkaConsumer(bootstrap_servers=self.address, group_id=group, enable_auto_commit=False)

    def member(self, group: str, topic: str, strategy: str = "range", instance: str | None = None) -> Member:
        return AioMember(self.address, group, topic, ASSIGNORS[strategy], instance)


class AioMember(KeywordMember):
    def poll_until_left(self) -> None:
        asyncio.run(self._poll())

    async def _poll(self) -> None:
        member = self

        class Listener(ConsumerRebalanceListener):
            def on_partitions_assigned(self, assigned):
                member.gained(p.partition for p in assigned)

            def on_partitions_revoked(self, revoked):
                member.lost(p.partition for p in revoked)

        consumer = AIOKafkaConsumer(**self.settings)
        consumer.subscribe([self.topic], listener=Listener())
        async with consumer:
            while not self.left():
                for batch in (await consumer.getmany(timeout_ms=50)).values():
                    for message in batch:
                        self.got(record_of(message))
