"""Encodes requests and decodes answers by the definitions in `schema/`. Relies on the standard library only.

A message is a dict with Kafka's field names. What a version does not have is left out; an unknown name is an error.
"""

import functools
import struct
import uuid
from dataclasses import dataclass, field
from pathlib import Path

SCHEMA = Path(__file__).resolve().parents[1] / "schema"
NUMBERS = {
    "int8": ">b",
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "float64": ">d",
}
ZERO_UUID = str(uuid.UUID(int=0))
VERSION_MAX = 32767
API_VERSIONS = 18
UNSUPPORTED_VERSION = 35


class Malformed(Exception):
    """An answer that does not follow its definition."""


@dataclass(frozen=True)
class Versions:
    low: int
    high: int

    @classmethod
    def of(cls, text: str) -> "Versions":
        """From `none`, `4`, `4+` or `4-7`."""
        if text == "none":
            return cls(1, 0)
        if text.endswith("+"):
            return cls(int(text[:-1]), VERSION_MAX)
        low, _, high = text.partition("-")
        return cls(int(low), int(high or low))

    def __contains__(self, version: int) -> bool:
        return self.low <= version <= self.high

    def __iter__(self):
        return iter(range(self.low, self.high + 1))


NEVER = Versions.of("none")


@dataclass
class Field:
    name: str
    kind: str
    """A simple type, `{}` for a structure, `[]` or `[]type` for an array."""
    versions: Versions
    nullable: Versions = NEVER
    default: str | None = None
    tag: int | None = None
    tagged: Versions = NEVER
    flexible: bool = True
    fields: list["Field"] = field(default_factory=list)

    @property
    def item(self) -> "Field":
        """The elements of an array."""
        kind = self.kind[2:] or "{}"
        return Field(self.name, kind, self.versions, fields=self.fields)

    def default_value(self, version: int):
        if self.default == "null" and version in self.nullable:
            return None
        if self.kind.startswith("[]"):
            return []
        if self.kind in NUMBERS:
            return int(self.default, 0) if self.default else 0
        return {
            "bool": self.default == "true",
            "string": self.default or "",
            "bytes": b"",
            "records": b"",
            "uuid": ZERO_UUID,
            "{}": {},
        }[self.kind]


@dataclass
class Message:
    versions: Versions
    flexible: Versions
    fields: list[Field]


@dataclass
class Api:
    name: str
    key: int
    request: Message
    response: Message


def parse_field(words: list[str]) -> Field:
    name, kind, versions, *rest = words
    options = dict(word.split("=", 1) for word in rest)
    return Field(
        name,
        kind,
        Versions.of(versions),
        nullable=Versions.of(options.get("null", "none")),
        default=options.get("default"),
        tag=int(options["tag"]) if "tag" in options else None,
        tagged=Versions.of(options.get("tagged", "none")),
        flexible=options.get("flexible") != "none",
    )


@functools.cache
def api(name: str) -> Api:
    path = SCHEMA / f"{name}.txt"
    if not path.exists():
        raise KeyError(f"no API is called {name}")
    first, *lines = path.read_text().splitlines()
    messages, open_fields = {}, []
    for line in lines:
        words = line.split()
        depth = (len(line) - len(line.lstrip())) // 2
        if depth == 0:
            kind, versions, flexible = words
            message = Message(Versions.of(versions), Versions.of(flexible.partition("=")[2]), [])
            messages[kind] = message
            open_fields = [message]
        else:
            added = parse_field(words)
            del open_fields[depth:]
            open_fields[-1].fields.append(added)
            open_fields.append(added)
    return Api(name, int(first.split()[1]), messages["request"], messages["response"])


def api_names() -> list[str]:
    return sorted(path.stem for path in SCHEMA.glob("*.txt"))


# --- writing ---------------------------------------------------------------------------------------------


def unsigned_varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def length(count: int | None, compact: bool, width: str) -> bytes:
    """`None` is the length of null."""
    if compact:
        return unsigned_varint(0 if count is None else count + 1)
    return struct.pack(width, -1 if count is None else count)


def encode_value(f: Field, value, version: int, flexible: bool) -> bytes:
    if f.kind in NUMBERS:
        return struct.pack(NUMBERS[f.kind], value)
    if f.kind == "bool":
        return bytes([bool(value)])
    if f.kind == "uuid":
        return uuid.UUID(value).bytes
    if f.kind == "{}":
        mark = b"\x01" if version in f.nullable else b""
        return b"\xff" if value is None else mark + encode_fields(f.fields, value, version, flexible)
    compact = flexible and f.flexible
    width = ">h" if f.kind == "string" else ">i"
    if value is None:
        return length(None, compact, width)
    if f.kind.startswith("[]"):
        items = [encode_value(f.item, item, version, flexible) for item in value]
        return length(len(items), compact, width) + b"".join(items)
    raw = value.encode() if isinstance(value, str) else value
    return length(len(raw), compact, width) + raw


def encode_fields(fields: list[Field], values: dict, version: int, flexible: bool) -> bytes:
    unknown = values.keys() - {f.name for f in fields}
    if unknown:
        raise KeyError(f"no field is called {', '.join(sorted(unknown))}")
    out, tagged = [], []
    for f in fields:
        if version not in f.versions:
            continue
        value = values[f.name] if f.name in values else f.default_value(version)
        if version not in f.tagged:
            out.append(encode_value(f, value, version, flexible))
        elif f.name in values:
            raw = encode_value(f, value, version, flexible)
            tagged.append((f.tag, unsigned_varint(f.tag) + unsigned_varint(len(raw)) + raw))
    if flexible:
        out.append(unsigned_varint(len(tagged)))
        out += [raw for _, raw in sorted(tagged)]
    return b"".join(out)


def encode_body(a: Api, version: int, values: dict) -> bytes:
    return encode_fields(a.request.fields, values, version, version in a.request.flexible)


def encode_header(a: Api, version: int, correlation: int, client: str | None) -> bytes:
    name = struct.pack(">h", -1) if client is None else struct.pack(">h", len(client.encode())) + client.encode()
    tags = b"\x00" if version in a.request.flexible else b""
    return struct.pack(">hhi", a.key, version, correlation) + name + tags


# --- reading ---------------------------------------------------------------------------------------------


class Reader:
    def __init__(self, data: bytes):
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise Malformed(f"{count} bytes at byte {self.at} of {len(self.data)}")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, width: str):
        return struct.unpack(width, self.take(struct.calcsize(width)))[0]

    def unsigned_varint(self) -> int:
        number = shift = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    def length(self, compact: bool, width: str) -> int | None:
        count = self.unsigned_varint() - 1 if compact else self.number(width)
        return None if count < 0 else count

    def tags(self):
        """(tag, bytes) of each tagged field."""
        for _ in range(self.unsigned_varint()):
            tag = self.unsigned_varint()
            yield tag, self.take(self.unsigned_varint())

    @property
    def rest(self) -> int:
        return len(self.data) - self.at


def decode_value(f: Field, reader: Reader, version: int, flexible: bool):
    if f.kind in NUMBERS:
        return reader.number(NUMBERS[f.kind])
    if f.kind == "bool":
        return reader.take(1) != b"\x00"
    if f.kind == "uuid":
        return str(uuid.UUID(bytes=reader.take(16)))
    if f.kind == "{}":
        if version in f.nullable and reader.number(">b") < 0:
            return None
        return decode_fields(f.fields, reader, version, flexible)
    count = reader.length(flexible and f.flexible, ">h" if f.kind == "string" else ">i")
    if count is None:
        return None
    if f.kind.startswith("[]"):
        return [decode_value(f.item, reader, version, flexible) for _ in range(count)]
    raw = reader.take(count)
    return raw.decode(errors="backslashreplace") if f.kind == "string" else raw


def decode_fields(fields: list[Field], reader: Reader, version: int, flexible: bool) -> dict:
    out = {}
    for f in fields:
        if version in f.versions and version not in f.tagged:
            out[f.name] = decode_value(f, reader, version, flexible)
    if flexible:
        by_tag = {f.tag: f for f in fields if version in f.tagged}
        for tag, raw in reader.tags():
            f = by_tag.get(tag)
            out[f.name if f else f"tag {tag}"] = (
                decode_value(f, Reader(raw), version, flexible) if f else raw
            )
    return out


def decode_answer(a: Api, version: int, data: bytes) -> dict:
    """The body behind the correlation id; bytes that are left over stand under `left over`."""
    reader = Reader(data)
    if a.key == API_VERSIONS and data[:2] == struct.pack(">h", UNSUPPORTED_VERSION):
        version = 0
    flexible = version in a.response.flexible
    if flexible and a.key != API_VERSIONS:
        list(reader.tags())
    out = decode_fields(a.response.fields, reader, version, flexible)
    if reader.rest:
        out["left over"] = reader.rest
    return out


def fields_of(message: Message, kinds: tuple[str, ...]) -> set[str]:
    """Names of the fields with one of these types, at any depth."""

    def walk(fields):
        for f in fields:
            if f.kind in kinds:
                yield f.name
            yield from walk(f.fields)

    return set(walk(message.fields))
