"""`-L`, creation of topics by use, and the errors for what is not there."""

from broker import Broker, wait_until
from conftest import PARTITIONS
from kcat import Kcat


def test_the_listing_names_broker_topics_and_partitions(kcat, topic, broker):
    kcat.produce(topic, ["x"])
    listing = kcat.metadata()
    assert [b["name"] for b in listing["brokers"]] == [broker.address]
    (node,) = (b["id"] for b in listing["brokers"])
    assert listing["controllerid"] == node
    (listed,) = (t for t in listing["topics"] if t["topic"] == topic)
    assert listed["partitions"] == [
        {"partition": i, "leader": node, "replicas": [{"id": node}], "isrs": [{"id": node}]}
        for i in range(PARTITIONS)
    ]


def test_the_listing_of_one_topic_holds_no_other(kcat, topic):
    kcat.produce(topic, ["x"])
    kcat.produce(f"{topic}-other", ["x"])
    assert [t["topic"] for t in kcat.metadata("-t", topic)["topics"]] == [topic]


def test_producing_to_a_missing_topic_creates_it(kcat, topic):
    kcat.produce(topic, ["x"])
    assert kcat.payloads(topic) == ["x"]


def test_asking_for_a_missing_topic_creates_it(kcat, topic):
    def listed():
        (answer,) = kcat.metadata("-t", topic)["topics"]
        return len(answer["partitions"]) == PARTITIONS

    wait_until(listed, 20, "the topic to be there")
    assert kcat.consume(topic) == []


def test_consuming_a_missing_topic_does_not_create_it(kcat, topic):
    done = kcat.run("-C", "-t", topic, "-e", check=False)
    assert done.returncode == 1
    assert b"Unknown topic or partition" in done.stderr
    assert topic not in [t["topic"] for t in kcat.metadata()["topics"]]


def test_a_topic_name_with_a_forbidden_character_is_refused(kcat):
    done = kcat.run("-P", "-t", "not/a/name", stdin=b"x\n", check=False)
    assert done.returncode == 1
    assert b"Invalid topic" in done.stderr


def test_a_broker_without_automatic_creation_refuses_a_missing_topic(tmp_path):
    with Broker(tmp_path, auto_create_topics_enable="false") as broker:
        kcat = Kcat(broker.address)
        settings = ["-X", "message.timeout.ms=5000", "-X", "topic.metadata.propagation.max.ms=0"]
        done = kcat.run("-P", "-t", "missing", *settings, stdin=b"x\n", check=False)
        assert done.returncode == 1
        assert b"Unknown topic" in done.stderr
        assert kcat.metadata()["topics"] == []
