"""What one broker wrote, the other has: records, topics with ids and configurations, committed offsets, what producers
are known by. Every owner adds to it before the next one comes."""

import pytest
from batches import partition_batches
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from owners import House

WAIT = 30
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
KEPT = {"orders": 3, "compacted": 1, "trimmed": 1, "transactions": 1, "once": 1, "ids": 1}
CONFIGS = {"orders": {"retention.ms": "-1", "max.message.bytes": "500000"}, "compacted": {"cleanup.policy": "compact"}}


class View:
    """A client's view of whoever serves."""

    def __init__(self, house: House):
        self.house = house
        self.settings = {"bootstrap.servers": house.address, "broker.address.family": "v4"}
        self.admin = AdminClient(self.settings)

    def create(self, topic: str, partitions: int, config: dict[str, str]) -> None:
        new = NewTopic(topic, partitions, 1, config=config)
        self.admin.create_topics([new])[topic].result(WAIT)

    def produce(self, topic: str, messages: list[tuple], **settings) -> None:
        """`messages` are (partition, key, value)."""
        producer = Producer({**self.settings, **settings})
        failed = []
        for partition, key, value in messages:
            headers = [("n", value), ("empty", b"")]
            producer.produce(topic, value, key, partition, on_delivery=collect(failed), headers=headers)
        producer.flush(WAIT)
        assert not failed and len(producer) == 0, failed

    def commit(self, group: str, offsets: dict[tuple[str, int], int]) -> None:
        wanted = [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]
        request = [ConsumerGroupTopicPartitions(group, wanted)]
        self.admin.alter_consumer_group_offsets(request)[group].result(WAIT)

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        request = [ConsumerGroupTopicPartitions(group)]
        found = self.admin.list_consumer_group_offsets(request)[group].result(WAIT)
        return {(one.topic, one.partition): one.offset for one in found.topic_partitions}

    def configure(self, topic: str, key: str, value: str) -> None:
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        self.admin.incremental_alter_configs([resource])[resource].result(WAIT)

    def configs(self, topic: str) -> dict[str, str]:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        found = self.admin.describe_configs([resource])[resource].result(WAIT)
        # 1: set for this topic.
        return {name: entry.value for name, entry in found.items() if int(entry.source) == 1}

    def topics(self) -> dict[str, tuple]:
        """Name → id and partitions."""
        names = list(self.admin.list_topics(timeout=WAIT).topics)
        found = self.admin.describe_topics(TopicCollection(names))
        described = {name: future.result(WAIT) for name, future in found.items()}
        return {name: (str(topic.topic_id), len(topic.partitions)) for name, topic in described.items()}

    def records(self, topic: str, partition: int) -> dict:
        """Log start and end, and what a reader of committed records finds between them."""
        settings = {"group.id": "view", "enable.auto.commit": False, "isolation.level": "read_committed"}
        consumer = Consumer({**self.settings, **settings, "enable.partition.eof": True})
        try:
            where = TopicPartition(topic, partition)
            start, end = consumer.get_watermark_offsets(where, timeout=WAIT)
            consumer.assign([TopicPartition(topic, partition, start)])
            found = []
            while True:
                message = consumer.poll(WAIT)
                assert message is not None, f"{topic}-{partition} does not reach its end"
                if message.error():
                    assert message.error().name() == "_PARTITION_EOF", message.error()
                    break
                # Of a compressed batch the records below the start come, too.
                found.append((message.offset(), message.key(), message.value(), message.headers(), message.timestamp()))
            return {"start": start, "end": end, "records": found}
        finally:
            consumer.close()

    def everything(self) -> dict:
        topics = self.topics()
        own = {name: partitions for name, (_, partitions) in topics.items() if not name.startswith("__")}
        return {
            "topics": topics,
            "configs": {name: self.configs(name) for name in own},
            "records": {(name, at): self.records(name, at) for name, partitions in own.items() for at in range(partitions)},
            "committed": {group: self.committed(group) for group in ("readers", "others")},
        }


def collect(failed: list):
    return lambda error, _: failed.append(error) if error else None


def begin(view: View) -> None:
    for topic, partitions in KEPT.items():
        view.create(topic, partitions, CONFIGS.get(topic, {}))


def add(view: View, owner: str, stage: int, once: Producer) -> None:
    """What every owner writes."""
    for codec in CODECS:
        messages = [(at, b"k%d" % at, f"{owner} {stage} {codec} {at}".encode()) for at in (0, 1, 2)]
        view.produce("orders", messages, **{"compression.type": codec})
    view.produce("compacted", [(0, b"key", b"%d" % stage), (0, b"gone", None if stage % 2 else b"x")])
    view.produce("trimmed", [(0, None, b"%d-%d" % (stage, n)) for n in range(10)])
    where = TopicPartition("trimmed", 0, stage * 10 + 5)
    view.admin.delete_records([where])[where].result(WAIT)
    view.house.wait_for_start("trimmed-0", where.offset)
    view.produce("ids", [(0, None, b"%d" % stage)], **{"enable.idempotence": True})
    failed = []
    once.produce("once", b"%d" % stage, partition=0, on_delivery=collect(failed))
    once.flush(WAIT)
    assert not failed, failed
    view.commit("readers", {("orders", at): stage * 3 + at for at in (0, 1, 2)})
    view.configure("orders", "retention.bytes", str(10_000_000 + stage))
    view.create(f"made-{stage}", 2, {"segment.ms": str(60_000 + stage)})
    view.produce(f"made-{stage}", [(1, None, owner.encode())])
    if stage:
        gone = f"made-{stage - 1}"
        view.admin.delete_topics([gone])[gone].result(WAIT)


def transact(view: View) -> None:
    """Only Kafka has transactions: one that ends well, one that is taken back, one of another producer that stays open."""
    for ends_well in (True, False):
        producer = Producer({**view.settings, "transactional.id": f"ends-{ends_well}"})
        producer.init_transactions(WAIT)
        producer.begin_transaction()
        for n in range(5):
            producer.produce("transactions", f"{ends_well}-{n}".encode(), partition=0)
        producer.flush(WAIT)
        producer.commit_transaction(WAIT) if ends_well else producer.abort_transaction(WAIT)


def compare(found: dict, expected: dict) -> None:
    for part, wanted in expected.items():
        if part == "topics":
            # An internal topic may be made by whoever needs it first.
            known = {name: topic for name, topic in found[part].items() if name in wanted or not name.startswith("__")}
            assert known == wanted
        else:
            for key in {**wanted, **found[part]}:
                assert found[part].get(key) == wanted.get(key), f"{part} of {key}"


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
@pytest.mark.parametrize("dynamic", [False, True], ids=["voters", "standalone"])
def test_what_one_broker_wrote_the_other_has(tmp_path, dynamic, killed):
    house = House(tmp_path / "house", dynamic)
    try:
        house.hand_to("kafka", killed)
        view = View(house)
        once = Producer({**view.settings, "enable.idempotence": True, "reconnect.backoff.max.ms": 200})
        begin(view)
        transact(view)
        view.commit("others", {("orders", 0): 1})
        add(view, "kafka", 0, once)
        for stage, owner in enumerate(["milena", "kafka", "milena"], 1):
            left = view.everything()
            house.hand_to(owner, killed)
            view = View(house)
            compare(view.everything(), left)
            assert not list(house.data.glob("*-stray"))
            add(view, owner, stage, once)
        values = [value for _, _, value, _, _ in view.records("once", 0)["records"]]
        assert values == [b"%d" % stage for stage in range(4)]
        house.end(killed=False)
        producers = [batch.producer_id for batch in partition_batches(house.data / "ids-0")]
        assert len(set(producers)) == len(producers) == 4, producers
    finally:
        house.end(killed=True)
