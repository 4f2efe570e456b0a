"""Record batches (magic 2) from data and back to data. Wrong ones are made on purpose: nothing is checked when building.

A batch is a dict: `records`, and optionally `codec`, `timestamp`, `max timestamp`, `attributes`, `producer`, `epoch`, `sequence`,
`base`, `count`, `last delta`, `crc`, `length`, `magic`, `leader epoch`, `body` (hex, instead of the encoded records).
A record is a dict: `key`, `value`, `headers` (a list of pairs), `timestamp` and `delta` (offset delta).
"""

import gzip
import struct

import cramjam

from harness.protocol import Malformed, Reader

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
HEAD = struct.Struct(">qiibI")
BODY = struct.Struct(">hiqqqhii")
XERIAL = b"\x82SNAPPY\x00" + struct.pack(">ii", 1, 1)
LOG_APPEND_TIME, TRANSACTIONAL, CONTROL = 0x08, 0x10, 0x20


def crc_table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        yield value


TABLE = list(crc_table())


def crc32c(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 255] ^ value >> 8
    return value ^ 0xFFFFFFFF


def compress(codec: str, data: bytes) -> bytes:
    if codec == "gzip":
        return gzip.compress(data, mtime=0)
    if codec == "snappy":
        block = bytes(cramjam.snappy.compress_raw(data))
        return XERIAL + struct.pack(">i", len(block)) + block
    if codec == "lz4":
        return bytes(cramjam.lz4.compress(data))
    if codec == "zstd":
        return bytes(cramjam.zstd.compress(data))
    return data


def decompress(codec: str, data: bytes) -> bytes:
    if codec == "gzip":
        return gzip.decompress(data)
    if codec == "snappy" and data.startswith(XERIAL[:8]):
        out, at = b"", len(XERIAL)
        while at < len(data):
            (size,) = struct.unpack_from(">i", data, at)
            out += bytes(cramjam.snappy.decompress_raw(data[at + 4 : at + 4 + size]))
            at += 4 + size
        return out
    if codec == "snappy":
        return bytes(cramjam.snappy.decompress_raw(data))
    if codec == "lz4":
        return bytes(cramjam.lz4.decompress(data))
    if codec == "zstd":
        return bytes(cramjam.zstd.decompress(data))
    return data


# --- building --------------------------------------------------------------------------------------------


def varint(number: int) -> bytes:
    number = (number << 1 ^ number >> 63) & 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def sized(data: bytes | None) -> bytes:
    return varint(-1) if data is None else varint(len(data)) + data


def build_record(index: int, record: dict, base_timestamp: int) -> bytes:
    headers = record.get("headers", [])
    body = b"\x00" + varint(record.get("timestamp", base_timestamp) - base_timestamp)
    body += varint(record.get("delta", index)) + sized(record.get("key")) + sized(record.get("value"))
    body += varint(len(headers)) + b"".join(sized(name) + sized(value) for name, value in headers)
    return varint(len(body)) + body


def build_batch(batch: dict, timestamp: int) -> bytes:
    """`timestamp` is what records without one get. Keys and values are bytes or None already."""
    records = batch.get("records", [])
    base_timestamp = batch.get("timestamp", timestamp)
    times = [record.get("timestamp", base_timestamp) for record in records]
    body = b"".join(build_record(index, record, base_timestamp) for index, record in enumerate(records))
    codec = batch.get("codec", "none")
    body = compress(codec, body) if "body" not in batch else batch["body"]
    count = batch.get("count", len(records))
    checked = (
        BODY.pack(
            batch.get("attributes", 0) | CODECS.index(codec),
            batch.get("last delta", len(records) - 1),
            base_timestamp,
            batch.get("max timestamp", max(times, default=base_timestamp)),
            batch.get("producer", -1),
            batch.get("epoch", -1),
            batch.get("sequence", -1),
            count,
        )
        + body
    )
    head = HEAD.pack(
        batch.get("base", 0),
        batch.get("length", len(checked) + 9),
        batch.get("leader epoch", -1),
        batch.get("magic", 2),
        batch.get("crc", crc32c(checked)),
    )
    return head + checked


# --- reading ---------------------------------------------------------------------------------------------


def read_varint(reader: Reader) -> int:
    number = reader.unsigned_varint()
    return number >> 1 ^ -(number & 1)


def read_sized(reader: Reader) -> bytes | None:
    size = read_varint(reader)
    return None if size < 0 else reader.take(size)


def read_record(reader: Reader, base_offset: int, base_timestamp: int) -> dict:
    inner = Reader(reader.take(read_varint(reader)))
    inner.take(1)
    timestamp = base_timestamp + read_varint(inner)
    record = {"offset": base_offset + read_varint(inner), "timestamp": timestamp}
    record["key"], record["value"] = read_sized(inner), read_sized(inner)
    headers = [[read_sized(inner), read_sized(inner)] for _ in range(read_varint(inner))]
    if headers:
        record["headers"] = headers
    return record


def read_batch(data: bytes) -> dict:
    """A whole batch as data, without what has its usual value."""
    base, size, leader_epoch, magic, crc = HEAD.unpack_from(data)
    attributes, last_delta, base_timestamp, max_timestamp, producer, epoch, sequence, count = BODY.unpack_from(
        data, HEAD.size
    )
    codec = CODECS[attributes & 7] if attributes & 7 < len(CODECS) else str(attributes & 7)
    out = {"base": base, "last delta": last_delta, "leader epoch": leader_epoch, "magic": magic, "codec": codec}
    if attributes & ~7:
        out["attributes"] = attributes & ~7
    if crc != crc32c(data[HEAD.size :]):
        out["crc"] = "wrong"
    if producer != -1:
        out |= {"ProducerId": producer, "epoch": epoch, "sequence": sequence}
    out["max timestamp"] = max_timestamp
    reader = Reader(decompress(codec, data[HEAD.size + BODY.size :]))
    out["records"] = [read_record(reader, base, base_timestamp) for _ in range(count)]
    return out


def read_batches(data: bytes) -> list:
    """Every batch; a piece at the end that is not a whole batch stands there as its length."""
    found, at = [], 0
    while at < len(data):
        if at + HEAD.size + BODY.size > len(data):
            return [*found, f"{len(data) - at} bytes"]
        size = 12 + struct.unpack_from(">i", data, at + 8)[0]
        if at + size > len(data):
            return [*found, f"{len(data) - at} bytes of a larger batch"]
        try:
            found.append(read_batch(data[at : at + size]))
        except (Malformed, struct.error) as error:
            found.append(f"unreadable: {error}")
        at += size
    return found
