"""An independent reading of the canonical event log of a launch, to check the launcher's and the verifier's against."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

CONTENT_TYPE = 80
PCR = 13
RECORD_NUMBER, PCR_INDEX, DIGESTS = 0, 1, 3
ALGORITHMS = {0x04: "sha1", 0x0B: "sha256", 0x0C: "sha384", 0x0D: "sha512"}
EVENT_NAMES = (
    "ImageRef",
    "ImageDigest",
    "RestartPolicy",
    "ImageID",
    "Arg",
    "EnvVar",
    "OverrideArg",
    "OverrideEnv",
    "LaunchSeparator",
    "MemoryMonitor",
)


@dataclass(frozen=True)
class Event:
    """One measured fact: its name and what it says."""

    name: str
    content: bytes

    def content_tlv(self) -> bytes:
        """Return the bytes that are hashed."""
        return tlv(CONTENT_TYPE, tlv(EVENT_NAMES.index(self.name), self.content))


def tlv(kind: int, value: bytes) -> bytes:
    """Encode type, big-endian length and value."""
    return struct.pack(">BI", kind, len(value)) + value


def split_tlvs(data: bytes) -> list[tuple[int, bytes]]:
    """Decode a sequence of TLVs; a truncated one is an error."""
    result = []
    while data:
        kind, length = struct.unpack_from(">BI", data)
        value = data[5 : 5 + length]
        if len(value) != length:
            raise ValueError("a TLV reaches beyond the end")
        result.append((kind, value))
        data = data[5 + length :]
    return result


def expected_events(
    *,
    reference: str,
    digest: str,
    config_digest: str,
    args: Sequence[str],
    env: Sequence[str],
    restart_policy: str = "Never",
    override_env: Sequence[str] = (),
    override_args: Sequence[str] = (),
    memory_monitor: bool = False,
) -> list[Event]:
    """Return the events of a launch in the order in which a launcher measures them."""
    texts = [("ImageRef", reference), ("ImageDigest", digest), ("RestartPolicy", restart_policy)]
    texts.append(("ImageID", config_digest))
    texts += [("Arg", value) for value in args]
    texts += [("EnvVar", value) for value in env]
    texts += [("OverrideEnv", value) for value in override_env]
    texts += [("OverrideArg", value) for value in override_args]
    events = [Event(name, value.encode()) for name, value in texts]
    return [*events, Event("MemoryMonitor", bytes([memory_monitor])), Event("LaunchSeparator", b"")]


def replay(events: Iterable[Event], bank: str = "sha256") -> bytes:
    """Return the value that a PCR has after the events."""
    value = bytes(hashlib.new(bank).digest_size)
    for event in events:
        digest = hashlib.new(bank, event.content_tlv()).digest()
        value = hashlib.new(bank, value + digest).digest()
    return value


def encode(events: Iterable[Event], bank: str = "sha256") -> bytes:
    """Return the log of events that were measured in one bank."""
    (algorithm,) = [number for number, name in ALGORITHMS.items() if name == bank]
    log = b""
    for number, event in enumerate(events):
        digest = hashlib.new(bank, event.content_tlv()).digest()
        log += tlv(RECORD_NUMBER, struct.pack(">Q", number)) + tlv(PCR_INDEX, bytes([PCR]))
        log += tlv(DIGESTS, tlv(algorithm, digest)) + event.content_tlv()
    return log


def decode(log: bytes) -> list[Event]:
    """Decode a log strictly: record numbers, register and every digest are checked."""
    fields = split_tlvs(log)
    if len(fields) % 4:
        raise ValueError("a record is incomplete")
    events = []
    for number in range(len(fields) // 4):
        record_number, register, digests, content = fields[4 * number : 4 * number + 4]
        if record_number != (RECORD_NUMBER, struct.pack(">Q", number)):
            raise ValueError(f"record {number} has another number")
        if register != (PCR_INDEX, bytes([PCR])):
            raise ValueError(f"record {number} is not about PCR {PCR}")
        if digests[0] != DIGESTS or content[0] != CONTENT_TYPE:
            raise ValueError(f"record {number} has fields of other types")
        ((kind, value),) = split_tlvs(content[1])
        event = Event(EVENT_NAMES[kind], value)
        check_digests(event, split_tlvs(digests[1]), number)
        events.append(event)
    return events


def check_digests(event: Event, digests: Sequence[tuple[int, bytes]], number: int) -> None:
    """Compare every digest of a record with the hash of its content."""
    algorithms: Mapping[int, str] = ALGORITHMS
    if not digests or len({kind for kind, _ in digests}) != len(digests):
        raise ValueError(f"record {number} has no digests, or one twice")
    for kind, value in digests:
        if hashlib.new(algorithms[kind], event.content_tlv()).digest() != value:
            raise ValueError(f"record {number}: the {algorithms[kind]} digest is not that of the content")
