"""What differs from run to run is replaced by placeholders that keep identity; what has no order is sorted.

Texts for people are never kept: only whether there is one (null, empty, text).
"""

import base64
import re
import time
import uuid

from harness import batches
from harness.protocol import ZERO_UUID, Api, Malformed, fields_of

PROSE = {"ErrorMessage", "BatchIndexErrorMessage", "Documentation"}
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHORT_IDS, SHORT_ID = {"MemberId"}, re.compile(r"[\w-]{22}")
NUMBERED = {"ProducerId": "producer", "SessionId": "session"}
GIVEN = {"ClusterId": "CLUSTER", "FinalizedFeaturesEpoch": "EPOCH"}
# What only one API calls so, or only one has without a rule that could be compared.
GIVEN_BY = {
    "DescribeLogDirs": {"LogDir": "DIRECTORY", "TotalBytes": "BYTES", "UsableBytes": "BYTES"},
    "DescribeQuorum": {"HighWatermark": "END", "LogEndOffset": "END", "Port": "PORT"},
    "GetTelemetrySubscriptions": {"SubscriptionId": "SUBSCRIPTION"},
}
NEAR_MS = 600_000

# Lists that Kafka fills from hash maps: by API and path, what orders their elements.
UNORDERED = {
    "CreatePartitions": {"Results": "Name"},
    "CreateTopics": {"Topics": "Name"},
    "DeleteRecords": {"Topics": "Name", "Topics.Partitions": "PartitionIndex"},
    "DeleteTopics": {"Responses": ("Name", "TopicId", "ErrorCode")},
    "DescribeConfigs": {"Results": ("ResourceType", "ResourceName")},
    "DescribeProducers": {"Topics.Partitions.ActiveProducers": "ProducerId"},
    "ListGroups": {"Groups": "GroupId"},
    "JoinGroup": {"Members": ("GroupInstanceId", "Metadata")},
    "DescribeGroups": {"Groups": "GroupId", "Groups.Members": ("GroupInstanceId", "MemberMetadata", "MemberAssignment")},
    "DeleteGroups": {"Results": "GroupId"},
    "DescribeLogDirs": {"Results.Topics": "Name", "Results.Topics.Partitions": "PartitionIndex"},
    "AlterReplicaLogDirs": {"Results": "TopicName", "Results.Partitions": "PartitionIndex"},
    "Produce": {"Responses": ("Name", "TopicId"), "Responses.PartitionResponses": ("Index", "ErrorCode")},
    "ListOffsets": {"Topics": "Name", "Topics.Partitions": ("PartitionIndex", "ErrorCode")},
}
# Such lists whose elements have a name of their own: they become maps, so that a path says which one differs.
NAMED = {
    "ApiVersions": {"ApiKeys": "ApiKey", "SupportedFeatures": "Name", "FinalizedFeatures": "Name"},
    "CreateTopics": {"Topics.Configs": "Name"},
    "DescribeConfigs": {"Results.Configs": "Name"},
}


def sort_key(names, element) -> tuple:
    if isinstance(names, str):
        names = (names,)
    return tuple(str(element.get(name, "")) for name in names) if isinstance(element, dict) else (str(element),)


def by_name(elements: list, name: str):
    """A map from name to the rest; the list itself where two have the same name."""
    found = {str(element[name]): {k: v for k, v in element.items() if k != name} for element in elements}
    return dict(sorted(found.items())) if len(found) == len(elements) else elements


class Normal:
    """Placeholders of one run of a scenario."""

    def __init__(self, run: str, port: int, base_time: int, given: str = ""):
        """`given`: a text with the ids that the scenario made up; they stay as they are."""
        self._run, self._port, self._base_time = run, port, base_time
        self._seen: dict[str, dict] = {"id": {found: found for found in [ZERO_UUID, *UUID.findall(given)]}}

    def topic(self, name: str, topic_id: str) -> None:
        """From now on the id stands as that of this topic; a name may come to another id."""
        known = self._seen["id"]
        first = f"id of {name.replace(self._run, 'RUN')}"
        known[topic_id] = f"{first} (2)" if first in known.values() else first

    def answer(self, api: Api, answer, sort: dict):
        """`sort`: further lists without order, as in `UNORDERED`."""
        if not isinstance(answer, dict):
            return answer
        self._named = NAMED.get(api.name, {})
        self._records = fields_of(api.response, ("records",))
        self._ids = fields_of(api.response, ("uuid",))
        self._given = GIVEN | GIVEN_BY.get(api.name, {})
        return self._fields(answer, UNORDERED.get(api.name, {}) | sort, "")

    def _placeholder(self, kind: str, value) -> str:
        seen = self._seen.setdefault(kind, {})
        count = sum(placeholder.startswith(f"{kind} ") for placeholder in seen.values())
        return seen.setdefault(value, f"{kind} {count + 1}")

    def _fields(self, fields: dict, unordered: dict, path: str) -> dict:
        out = {}
        for name, value in fields.items():
            at = f"{path}.{name}" if path else name
            if isinstance(value, list):
                items = [
                    self._fields(item, unordered, at) if isinstance(item, dict) else self._value(name, item)
                    for item in value
                ]
                if at in unordered:
                    items.sort(key=lambda element: sort_key(unordered[at], element))
                out[name] = by_name(items, self._named[at]) if at in self._named else items
            elif isinstance(value, dict):
                out[name] = self._fields(value, unordered, at)
            else:
                out[name] = self._value(name, value)
        return out

    def _value(self, name: str, value):
        if name in PROSE:
            return "text" if value else value
        if isinstance(value, bytes) and name in self._records:
            return self._batches(value)
        if isinstance(value, bytes):
            return self._octets(value)
        if isinstance(value, str) and name in self._ids:
            return self._placeholder("id", value)
        if isinstance(value, str) and name in SHORT_IDS and SHORT_ID.fullmatch(value):
            return self._placeholder("id", str(uuid.UUID(bytes=base64.urlsafe_b64decode(value + "=="))))
        if isinstance(value, str) and name in self._given:
            return self._given[name]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._number(name, value)
        return value

    def text(self, value: str) -> str:
        value = value.replace(self._run, "RUN")
        return UUID.sub(lambda found: self._placeholder("id", found[0]), value)

    def _number(self, name: str, value: int):
        if name in NUMBERED and value > 0 or name == "ProducerId" and value == 0:
            return self._placeholder(NUMBERED[name], value)
        if name in self._given and value not in (-1, 0):
            return self._given[name]
        if name == "Port" and value == self._port:
            return "PORT"
        return self._time(value) if value > 10**11 else value

    def _time(self, value: int):
        if abs(value - self._base_time) < 1_000_000:
            return f"T{value - self._base_time:+d}"
        if abs(value - time.time() * 1000) < NEAR_MS:
            return "NOW"
        return value

    def _octets(self, value: bytes):
        value = value.replace(self._run.encode(), b"RUN")
        try:
            text = value.decode("ascii")
            return text if text.isprintable() else f"0x{value.hex()}"
        except UnicodeDecodeError:
            return f"0x{value.hex()}"

    def _batches(self, value: bytes):
        try:
            found = batches.read_batches(value)
        except Malformed as error:
            return f"unreadable: {error}"
        return [self._batch(batch) if isinstance(batch, dict) else batch for batch in found]

    def _batch(self, batch: dict) -> dict:
        out = dict(batch)
        for name in ("max timestamp", "ProducerId"):
            if name in out:
                out[name] = self._number(name, out[name])
        out["records"] = [self._record(record) for record in batch["records"]]
        return out

    def _record(self, record: dict) -> str:
        """Short: offset, time, key, value, headers."""
        show = lambda value: "null" if value is None else self._octets(value)
        text = f"{record['offset']} {self._time(record['timestamp'])} {show(record['key'])}={show(record['value'])}"
        return text + "".join(f" {show(name)}:{show(value)}" for name, value in record.get("headers", []))
