"""Boot event logs (TCG PC Client Platform Firmware Profile, section 10) as events that a test may change."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HASHES = {0x4: "sha1", 0xB: "sha256", 0xC: "sha384", 0xD: "sha512"}


@dataclass
class Event:
    """One event of a crypto agile log."""

    pcr: int
    type: int
    digests: dict[int, bytes]
    data: bytes

    def measure(self, data: bytes | None = None) -> None:
        """Have its digests be those of its data, or of something else."""
        measured = self.data if data is None else data
        self.digests = {algorithm: hashlib.new(HASHES[algorithm], measured).digest() for algorithm in self.digests}


def read(log: bytes) -> tuple[bytes, list[Event]]:
    """Return the head of a log, and the events behind it."""
    (size,) = struct.unpack_from("<I", log, 28)
    head = log[: 32 + size]
    (count,) = struct.unpack_from("<I", head, 32 + 24)
    sizes = dict(struct.unpack_from("<HH", head, 32 + 28 + 4 * i) for i in range(count))
    events = []
    at = len(head)
    while at < len(log):
        pcr, kind, count = struct.unpack_from("<III", log, at)
        at += 12
        digests = {}
        for _ in range(count):
            (algorithm,) = struct.unpack_from("<H", log, at)
            digests[algorithm] = log[at + 2 : at + 2 + sizes[algorithm]]
            at += 2 + sizes[algorithm]
        (size,) = struct.unpack_from("<I", log, at)
        events.append(Event(pcr, kind, digests, log[at + 4 : at + 4 + size]))
        at += 4 + size
    return head, events


def write(head: bytes, events: list[Event]) -> bytes:
    """Return the log again."""
    log = head
    for event in events:
        log += struct.pack("<III", event.pcr, event.type, len(event.digests))
        for algorithm, digest in event.digests.items():
            log += struct.pack("<H", algorithm) + digest
        log += struct.pack("<I", len(event.data)) + event.data
    return log


def with_sha256_alone(head: bytes, events: list[Event]) -> tuple[bytes, list[Event]]:
    """Return a log as of a TPM with that bank only."""
    sha256 = 0xB
    spec = head[32 : 32 + 24] + struct.pack("<IHHB", 1, sha256, 32, 0)
    only = [Event(each.pcr, each.type, {sha256: each.digests[sha256]}, each.data) for each in events]
    return head[:28] + struct.pack("<I", len(spec)) + spec, only


def changed(log: Path, folder: Path, change: Callable[[list[Event]], None]) -> Path:
    """Return a file with the log after `change` has been at its events."""
    head, events = read(log.read_bytes())
    assert write(head, events) == log.read_bytes()
    change(events)
    path = folder / "changed-boot.bin"
    path.write_bytes(write(head, events))
    return path


def replace_measured(events: list[Event], pcr: int, old: bytes, new: bytes) -> None:
    """Replace a text in every event of a register whose data were measured, as if that had been measured."""
    found = False
    for event in events:
        if event.pcr == pcr and old in event.data:
            event.data = event.data.replace(old, new)
            event.measure()
            found = True
    assert found
