"""Producers that ask for more than delivery: order without duplicates, and transactions."""

import asyncio
import time

import aiokafka
import kafka
import kafka.errors
import pytest
from aiokafka.errors import KafkaError as AioKafkaError
from confluent_kafka import KafkaException, Producer

from batches import partition_batches
from clients.common import Record

REFUSED_SECONDS_MAX = 30


def test_an_idempotent_producer_writes_each_record_once_and_in_order(broker, client, topic):
    written = [Record(0, None, b"%d" % i) for i in range(2000)]
    assert client.produce(topic, written, enable_idempotence=True) == list(range(2000))
    assert client.read(topic, 1) == written
    batches = partition_batches(broker.partition(topic, 0))
    assert len({batch.producer_id for batch in batches}) == 1
    assert batches[0].producer_id >= 0


def transaction_of_kafka_python(address: str, topic: str) -> None:
    producer = kafka.KafkaProducer(
        bootstrap_servers=address, transactional_id=topic, max_block_ms=20_000, request_timeout_ms=10_000
    )
    try:
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(topic, b"committed", partition=0).get(10)
        producer.commit_transaction()
    finally:
        producer.close(timeout=1)


def transaction_of_aiokafka(address: str, topic: str) -> None:
    async def transaction():
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=address, transactional_id=topic) as producer:
            async with producer.transaction():
                await producer.send_and_wait(topic, b"committed", partition=0)

    asyncio.run(asyncio.wait_for(transaction(), REFUSED_SECONDS_MAX + 5))


def transaction_of_confluent(address: str, topic: str) -> None:
    producer = Producer({"bootstrap.servers": address, "transactional.id": topic})
    producer.init_transactions(REFUSED_SECONDS_MAX + 5)
    producer.begin_transaction()
    producer.produce(topic, b"committed", partition=0)
    producer.commit_transaction(10)


TRANSACTIONS = {
    "kafka-python": (transaction_of_kafka_python, kafka.errors.KafkaError),
    "aiokafka": (transaction_of_aiokafka, AioKafkaError),
    "confluent-kafka": (transaction_of_confluent, KafkaException),
}


def test_a_transaction_is_committed_or_refused_and_never_hangs(broker, client, topic):
    """A broker that does not serve transactions has to say so; nothing of the transaction may stay behind then."""
    transaction, refusal = TRANSACTIONS[client.name]
    begin = time.monotonic()
    try:
        transaction(broker.address, topic)
    except refusal as reason:
        print(f"refused: {reason!r}")
        expected = []
    else:
        expected = [b"committed"]
    assert time.monotonic() - begin < REFUSED_SECONDS_MAX
    assert [record.value for record in client.read(topic, 1)] == expected
