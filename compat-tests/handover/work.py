"""What the owners of the directory write, each through stock clients and some requests of its own."""

import shutil
import subprocess
import time
import uuid
from pathlib import Path

from broker import die_with_parent, wait_until
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic
from confluent_kafka.admin import ResourceType
from harness.batches import build_batch
from harness.brokers import JVM
from kafka import KafkaProducer

import state
from asking import Asker, errors
from owners import House

WAIT = 30
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
ROLLING = {"segment.ms": "1000", "retention.ms": "-1"}
TOPICS = {
    "orders": (3, {"retention.ms": "-1", "max.message.bytes": "500000"}),
    "stamped": (1, {"message.timestamp.type": "LogAppendTime", "compression.type": "lz4"}),
    "rolled": (1, ROLLING),
    "compacted": (1, {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", **ROLLING}),
    "trimmed": (1, {}),
    "transactions": (1, {}),
    "open": (1, {}),
    "java": (1, {}),
    "pure": (1, {}),
    "kcat": (1, {}),
    "once": (1, {}),
    "same": (1, {}),
    "grown": (1, {}),
}
GROUPS = ["readers", "left", "turned", "modern", "in-transaction", "pending", "survivor", "gone"]
FEATURES = {"group.version": 1, "transaction.version": 2}
MINUTE_MS = 60_000
OUT_OF_ORDER, UNSTABLE = 45, 88


def ready(ask: Asker, topic: str, partitions: int) -> None:
    """Kafka answers before its partitions are there."""

    def found():
        led = [at for (name, at) in state.leader_epochs(ask) if name == topic]
        return len(led) == partitions

    wait_until(found, WAIT, f"{partitions} partitions of {topic}")


def switch_on(ask: Asker) -> None:
    """What a directory that Milena made does not ask for, and one that was formatted does."""
    updates = [{"Feature": name, "MaxVersionLevel": level, "UpgradeType": 1} for name, level in FEATURES.items()]
    ask.settled("UpdateFeatures", 1, timeoutMs=10_000, FeatureUpdates=updates)


class Work:
    def __init__(self, house: House, killed: bool):
        self.house = house
        self.killed = killed
        self.settings = {"bootstrap.servers": house.address, "broker.address.family": "v4", "log_level": 0}
        self.begin_ms = int(time.time() * 1000) - 1000 * MINUTE_MS
        self.sequence = 0
        self.seen: list[bytes] = []
        self.assigned = 0
        # These live as long as the test, whoever serves.
        self.once = Producer({**self.settings, "enable.idempotence": True, "reconnect.backoff.max.ms": 200})
        self.survivor = self.member("survivor", **{"reconnect.backoff.max.ms": 200})
        self.survivor.subscribe(["once"], on_assign=self.count_assignment)

    def close(self) -> None:
        self.survivor.close()

    def count_assignment(self, _consumer, _partitions) -> None:
        self.assigned += 1

    def begin(self, ask: Asker) -> None:
        admin = AdminClient(self.settings)
        new = [NewTopic(name, partitions, 1, config=config) for name, (partitions, config) in TOPICS.items()]
        for topic, future in admin.create_topics(new).items():
            future.result(WAIT)
            ready(ask, topic, TOPICS[topic][0])
        self.producer_id = ask.settled("InitProducerId", 4, TransactionalId=None, TransactionTimeoutMs=1000)["ProducerId"]
        self.repeat(ask, 0)

    def add(self, ask: Asker, owner: str, stage: int) -> None:
        """What every owner writes."""
        admin = AdminClient(self.settings)
        if owner == "kafka":
            switch_on(ask)
        self.write(owner, stage)
        self.compact(ask, stage)
        self.trim(admin, stage)
        self.repeat(ask, stage + 1)
        self.administrate(admin, ask, owner, stage)
        self.commit(ask, stage)
        self.join(ask, owner, stage)
        self.survive(stage)
        if owner == "kafka":
            self.transact(ask, stage)

    # --- records -----------------------------------------------------------------------------------------

    def write(self, owner: str, stage: int) -> None:
        for number, codec in enumerate(CODECS):
            text = f"{owner} {stage} {codec} ".encode() * 10
            now = self.begin_ms + (stage * 10 + number) * MINUTE_MS
            records = [(at, key, text, now + at) for at in (0, 1, 2) for key in (b"k%d" % at, None)]
            self.produce("orders", records, **{"compression.type": codec})
            self.produce("rolled", [(0, b"k", text, now)], **{"compression.type": codec})
            self.produce("stamped", [(0, None, text, now)], **{"compression.type": codec})
        pure = KafkaProducer(bootstrap_servers=self.house.address, compression_type="gzip")
        pure.send("pure", f"{owner} {stage}".encode(), key=b"k", headers=[("owner", owner.encode())]).get(WAIT)
        pure.close()
        if shutil.which("kcat"):
            command = ["kcat", "-P", "-b", self.house.address, "-t", "kcat", "-p", "0", "-z", "snappy", "-K:"]
            text = "".join(f"k{n}:{owner} {stage} {n}\n" for n in range(5))
            subprocess.run(command, input=text, text=True, check=True, timeout=WAIT)
        if stage < 2 and not self.killed:
            self.write_java("java", stage, owner == "kafka")

    def write_java(self, topic: str, stage: int, transactions: bool) -> None:
        source = Path(__file__).with_name("JavaWriter.java")
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
        words = [JVM[0], quiet, *JVM[1:], str(source), self.house.address, topic, str(stage), str(transactions).lower()]
        subprocess.run(words, check=True, timeout=60, preexec_fn=die_with_parent)

    def produce(self, topic: str, records: list[tuple], **settings) -> None:
        """`records` are (partition, key, value, timestamp)."""
        # All that is sent together is one batch, however slow the machine is; to flush does not wait for the time to be over.
        producer = Producer({**self.settings, "linger.ms": 5000, **settings})
        self.send(producer, topic, records)

    def send(self, producer: Producer, topic: str, records: list[tuple]) -> None:
        failed = []
        for partition, key, value, timestamp in records:
            headers = [("n", value), ("empty", b"")]
            told = {"on_delivery": lambda error, _: failed.append(error) if error else None}
            producer.produce(topic, value, key, partition, timestamp=timestamp, headers=headers, **told)
        producer.flush(WAIT)
        assert not failed and len(producer) == 0, failed

    def compact(self, ask: Asker, stage: int) -> None:
        """Each key again and again, some deleted in the end; until the cleaner has been there."""
        for number in range(6):
            now = self.begin_ms + (stage * 10 + number) * MINUTE_MS
            keys = [(0, b"key-%d" % key, b"%d-%d" % (stage, number), now) for key in range(5)]
            self.produce("compacted", [*keys, (0, b"gone", b"x" if number % 2 else None, now)])

        left = []

        def cleaned():
            left[:] = state.split(state.read(ask, "compacted", 0, 0, 0)["records"])
            return len(left) <= 3

        try:
            wait_until(cleaned, 90, "a compacted log")
        except AssertionError as error:
            raise AssertionError(f"stage {stage}: batches that end at {[state.next_offset(one) for one in left]}") from error

    def trim(self, admin: AdminClient, stage: int) -> None:
        now = self.begin_ms + stage * MINUTE_MS
        self.produce("trimmed", [(0, None, b"%d-%d" % (stage, n), now + n) for n in range(10)])
        where = TopicPartition("trimmed", 0, stage * 10 + 5)
        admin.delete_records([where])[where].result(WAIT)
        self.house.wait_for_start("trimmed-0", where.offset)

    def repeat(self, ask: Asker, number: int) -> None:
        """An idempotent producer whose answers got lost: what it sends again is not appended again."""
        end = state.list_offset(ask, "same", 0, state.LATEST)["Offset"]
        if number:
            # The offset of the first time, and nothing is appended.
            assert self.append(ask, number - 1) == (0, end - 2)
            assert self.append(ask, number + 1)[0] == OUT_OF_ORDER
            assert state.list_offset(ask, "same", 0, state.LATEST)["Offset"] == end
        assert self.append(ask, number) == (0, end)

    def append(self, ask: Asker, number: int) -> tuple[int, int]:
        """Error and offset of the producer's batch with this number."""
        records = [{"key": None, "value": b"%d-%d" % (number, n)} for n in (0, 1)]
        batch = {"records": records, "producer": self.producer_id, "epoch": 0, "sequence": number * 2}
        data = build_batch(batch, self.begin_ms + number)
        topic = {"Name": "same", "PartitionData": [{"Index": 0, "Records": data}]}
        answer = ask("Produce", 9, Acks=-1, TimeoutMs=10_000, TopicData=[topic])
        (found,) = answer["Responses"][0]["PartitionResponses"]
        return found["ErrorCode"], found["BaseOffset"]

    # --- administration ----------------------------------------------------------------------------------

    def administrate(self, admin: AdminClient, ask: Asker, owner: str, stage: int) -> None:
        self.configure(ask, state.TOPIC, "orders", "retention.bytes", str(10_000_000 + stage))
        self.configure(ask, state.TOPIC, "java", "retention.ms" if stage % 2 else "flush.ms", str(10_000_000 + stage))
        self.configure(ask, state.BROKER, "", "log.retention.ms", str(900_000_000 + stage))
        self.configure(ask, state.BROKER, "1", "max.connections.per.ip", str(1000 + stage))
        self.configure(ask, state.GROUP, "left", "consumer.session.timeout.ms", str(50_000 + stage))
        self.configure(ask, state.CLIENT_METRICS, "metrics", "interval.ms", str(60_000 + stage))
        made = NewTopic(f"made-{stage}", 2, 1, config={"segment.ms": str(60_000 + stage)})
        admin.create_topics([made])[made.topic].result(WAIT)
        ready(ask, made.topic, 2)
        self.produce(made.topic, [(1, None, owner.encode(), self.begin_ms)])
        if stage:
            gone = f"made-{stage - 1}"
            admin.delete_topics([gone])[gone].result(WAIT)
        admin.create_partitions([NewPartitions("grown", stage + 2)])["grown"].result(WAIT)
        ready(ask, "grown", stage + 2)
        self.produce("grown", [(stage + 1, None, owner.encode(), self.begin_ms)])

    def configure(self, ask: Asker, kind: int, name: str, key: str, value: str) -> None:
        change = {"Name": key, "ConfigOperation": 0, "Value": value}
        ask.settled("IncrementalAlterConfigs", 1, Resources=[{"ResourceType": kind, "ResourceName": name, "Configs": [change]}])

    # --- groups ------------------------------------------------------------------------------------------

    def commit(self, ask: Asker, stage: int) -> None:
        def offsets(group: str, offset: int, epoch: int, text: str) -> None:
            partition = {"PartitionIndex": 0, "CommittedOffset": offset, "CommittedLeaderEpoch": epoch}
            topics = [{"Name": "orders", "Partitions": [{**partition, "CommittedMetadata": text}]}]
            ask.settled("OffsetCommit", 8, GroupId=group, GenerationIdOrMemberEpoch=-1, Topics=topics)

        offsets("readers", stage + 1, 0, f"after {stage}")
        offsets("gone", stage, -1, "")
        if stage % 2:
            ask.settled("DeleteGroups", 2, GroupsNames=["gone"])

    def member(self, group: str, **settings) -> Consumer:
        usual = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
        return Consumer({**self.settings, **usual, **settings})

    def join(self, ask: Asker, owner: str, stage: int) -> None:
        """Members that come, commit and leave; one group changes its protocol with every owner."""
        newest = {"group.protocol": "consumer"}
        if stage == 0:
            # So that its cleaner has work, too.
            for key, value in [("segment.ms", "100"), ("min.cleanable.dirty.ratio", "0.01")]:
                self.configure(ask, state.TOPIC, "__consumer_offsets", key, value)
        self.visit("left")
        self.visit("turned", **(newest if owner == "kafka" else {}))
        if owner == "kafka":
            self.visit("modern", **newest)

    def visit(self, group: str, **settings) -> None:
        member = self.member(group, **settings)
        member.subscribe(["orders"])
        message = member.poll(WAIT)
        assert message is not None and not message.error(), f"{group}: {message and message.error()}"
        member.commit(message, asynchronous=False)
        member.close()

    def survive(self, stage: int) -> None:
        """A producer and a member of a group that work on, whoever serves: no record twice, and no new assignment."""
        value = b"%d" % stage
        self.send(self.once, "once", [(0, None, value, self.begin_ms)])
        message = self.survivor.poll(WAIT)
        while message is not None and message.error():
            message = self.survivor.poll(WAIT)
        assert message is not None, "the consumer that stays gets nothing"
        self.seen.append(message.value())
        self.survivor.commit(message, asynchronous=False)
        assert self.seen == [b"%d" % n for n in range(stage + 1)]
        assert self.assigned == 1, "the member that stays was thrown out"

    # --- transactions ------------------------------------------------------------------------------------

    def transact(self, ask: Asker, stage: int) -> None:
        """Only Kafka has them: one that ends well, one that is taken back, one of another producer that stays open."""
        now = self.begin_ms + stage * MINUTE_MS
        for name in ("commits", "aborts", "stays"):
            topic = "open" if name == "stays" else "transactions"
            settings = {"transactional.id": name, "compression.type": "zstd", "transaction.timeout.ms": 900_000}
            producer = Producer({**self.settings, **settings})
            # Of the one that stayed open the next one is told to end it.
            producer.init_transactions(WAIT)
            producer.begin_transaction()
            self.send(producer, topic, [(0, b"k", f"{name}-{stage}-{n}".encode(), now) for n in range(5)])
            group = self.member("pending" if name == "stays" else "in-transaction")
            where = TopicPartition("orders", 0, 10 * stage + 1)
            producer.send_offsets_to_transaction([where], group.consumer_group_metadata(), WAIT)
            group.close()
            if name == "stays":
                assert UNSTABLE in errors(state.stable(ask, "pending"))
                continue
            producer.commit_transaction(WAIT) if name == "commits" else producer.abort_transaction(WAIT)
