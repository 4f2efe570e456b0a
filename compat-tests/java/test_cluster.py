"""What the tools for the cluster itself say: leaders, reassignments, quorum, features, endpoints, producers, access rules."""

import json
import re

import pytest

from test_consoles import KEYS
from test_topics import partition_lines


@pytest.fixture
def plan(tmp_path):
    """Writes a JSON file that a tool reads."""

    def write(content: dict) -> str:
        path = tmp_path / "plan.json"
        path.write_text(json.dumps(content))
        return str(path)

    return write


def reassignment(topic: str, *replicas: int) -> dict:
    return {"version": 1, "partitions": [{"topic": topic, "partition": 0, "replicas": list(replicas)}]}


def words(text: str) -> dict[str, str]:
    """`Name: value` lines."""
    return dict(re.split(r":\s+", line, maxsplit=1) for line in text.splitlines() if re.match(r"\w+:\s", line))


@pytest.mark.parametrize("kind", ["preferred", "unclean"])
def test_an_election_finds_the_leader_that_is_there(tools, topic, kind):
    tools.create(topic, partitions=2)
    elect = lambda *arguments: tools.run("LeaderElectionCommand", "--election-type", kind, *arguments)
    done = elect("--topic", topic, "--partition", 1)
    assert f"Valid replica already elected for partitions {topic}-1" in done.text
    assert elect("--all-topic-partitions").code == 0
    assert [row["Leader"] for row in partition_lines(tools, topic)] == ["1", "1"]


def test_an_election_for_partitions_from_a_file(tools, topic, plan):
    tools.create(topic, partitions=3)
    path = plan({"partitions": [{"topic": topic, "partition": number} for number in (2, 0)]})
    done = tools.run("LeaderElectionCommand", "--election-type", "preferred", "--path-to-json-file", path)
    assert "Valid replica already elected" in done.text


def test_an_election_for_an_unknown_partition_fails(tools, topic):
    tools.create(topic)
    done = tools.run(
        "LeaderElectionCommand", "--election-type", "preferred", "--topic", topic, "--partition", 9, check=False
    )
    assert done.code == 1
    assert f"{topic}-9" in done.text and "UnknownTopicOrPartitionException" in done.text


def test_a_reassignment_to_the_only_broker_is_complete_at_once(tools, topic, plan):
    tools.create(topic)
    path = plan(reassignment(topic, 1))
    reassign = lambda *arguments: tools.run("reassign.ReassignPartitionsCommand", *arguments)
    assert f"Successfully started partition reassignment for {topic}-0" in reassign(
        "--reassignment-json-file", path, "--execute"
    ).text
    verified = reassign("--reassignment-json-file", path, "--verify").text
    assert f"Reassignment of partition {topic}-0 is completed." in verified
    assert "No partition reassignments found." in reassign("--list").text
    cancelled = reassign("--reassignment-json-file", path, "--cancel").text
    assert "None of the specified partition reassignments are active." in cancelled


def test_a_reassignment_is_proposed_for_the_brokers_there_are(tools, topic, plan):
    tools.create(topic, partitions=2)
    path = plan({"version": 1, "topics": [{"topic": topic}]})
    done = tools.run(
        "reassign.ReassignPartitionsCommand", "--topics-to-move-json-file", path, "--broker-list", 1, "--generate"
    )
    proposed = json.loads(done.text.split("Proposed partition reassignment configuration")[1].strip())
    assert [part["replicas"] for part in proposed["partitions"]] == [[1], [1]]


def test_a_reassignment_to_a_broker_that_is_not_there_is_refused(tools, topic, plan):
    tools.create(topic)
    done = tools.run(
        "reassign.ReassignPartitionsCommand",
        *("--reassignment-json-file", plan(reassignment(topic, 7)), "--execute"),
        check=False,
    )
    assert done.code == 1
    assert "7" in done.text
    assert [row["Replicas"] for row in partition_lines(tools, topic)] == ["1"]


def test_the_quorum_is_the_one_node(tools):
    status = words(tools.run("MetadataQuorumCommand", "describe", "--status").out)
    assert (status["LeaderId"], status["MaxFollowerLag"]) == ("1", "0")
    assert int(status["LeaderEpoch"]) > 0 and int(status["HighWatermark"]) > 0
    assert [voter["id"] for voter in json.loads(status["CurrentVoters"])] == [1]
    assert status["CurrentObservers"] == "[]"
    heading, *rows = tools.run("MetadataQuorumCommand", "describe", "--replication").lines
    assert heading.split()[0] == "NodeId"
    (row,) = (dict(zip(heading.split(), line.split())) for line in rows)
    assert (row["NodeId"], row["Lag"], row["Status"]) == ("1", "0", "Leader")


def test_features_are_described_and_stay_within_what_is_supported(tools):
    feature = lambda *arguments, **options: tools.run("FeatureCommand", *arguments, **options)
    described = feature("describe").text
    assert re.search(
        r"Feature: metadata.version\s+SupportedMinVersion: 3.3-IV3\s+SupportedMaxVersion: 4.3-IV0\s+"
        r"FinalizedVersionLevel: 4.3-IV0",
        described,
    )
    # The same level is no change, and the tool knows it; what the broker says is in the other two.
    for change in ("upgrade", "downgrade"):
        done = feature(change, "--feature", "metadata.version=7", check=False)
        assert done.code == 1 and "metadata.version" in done.text
    unknown = feature("upgrade", "--feature", "no.such.feature=1", check=False)
    assert unknown.code == 1
    assert feature("upgrade", "--feature", "metadata.version=30", "--dry-run").code == 0
    assert feature("describe").text.split("Epoch")[0] == described.split("Epoch")[0]


def test_the_cluster_tool_finds_the_id_and_the_endpoint(tools):
    assert re.fullmatch(r"Cluster ID: \S{22}", tools.cluster("cluster-id").lines[0])
    heading, row = (line.split() for line in tools.cluster("list-endpoints").lines)
    found = dict(zip(heading, row))
    host, port = tools.address.split(":")
    assert (found["ID"], found["HOST"], found["PORT"]) == ("1", host, port)


def test_the_producers_of_a_partition_are_listed(tools, topic):
    tools.create(topic)
    tools.produce(topic, KEYS)
    done = tools.run("TransactionsCommand", "describe-producers", "--topic", topic, "--partition", 0)
    heading, row = (line.split() for line in done.lines)
    found = dict(zip(heading, row))
    assert (found["ProducerEpoch"], found["LastSequence"]) == ("0", str(len(KEYS) - 1))
    assert found["CurrentTransactionStartOffset"] == "None"


def test_access_rules_need_an_authorizer(tools):
    done = tools.run("AclCommand", "--list", check=False)
    assert done.code == 1
    assert "SecurityDisabledException" in done.text


def test_a_topic_is_described_in_pages(tools, topic):
    tools.create(topic, partitions=5)
    for size in (1, 2, 5, 6):
        limit = ("--partition-size-limit-per-response", size)
        lines = tools.topics("--describe", "--topic", topic, *limit).lines[1:]
        assert [re.search(r"Partition: (\d+)", line)[1] for line in lines] == list("01234")


def test_the_versions_of_the_apis_are_listed(tools):
    text = tools.run("BrokerApiVersionsCommand").text
    for api in ("DescribeTopicPartitions(75): 0", "UpdateFeatures(57): 0 to 2", "SaslHandshake(17): 0 to 1"):
        assert api in text
    assert "GetTelemetrySubscriptions(71): UNSUPPORTED" in text
