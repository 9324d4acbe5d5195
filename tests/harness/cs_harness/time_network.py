"""A network in which somebody knows what time it is: one machine, a DHCP server that names a clock, and that clock.

Formats: RFC 826 (ARP), RFC 2131 and 2132 (DHCP), RFC 5905 (NTP).
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from typing import Self

# Addresses of documentation (RFC 5737).
CLOCK = IPv4Address("192.0.2.123")
MACHINE = IPv4Address("192.0.2.10")
MASK = IPv4Address("255.255.255.0")
CLOCK_MAC = bytes.fromhex("525400c10c4b")
ARP, IPV4, UDP = 0x0806, 0x0800, 17
DHCP_SERVER, DHCP_CLIENT, NTP = 67, 68, 123
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
DHCP_MAGIC = bytes.fromhex("63825363")
DHCP_OPTIONS_AT = 240
SECONDS_FROM_1900_TO_1970 = 2208988800


class TimeNetwork:
    """Serves QEMU's "stream" network back end: Ethernet frames, each behind its length."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "time.sock"
        self._listener = socket.socket(socket.AF_UNIX)
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._listener.bind(str(self.path))
        self._listener.listen(1)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._thread.join()
        self.path.unlink(missing_ok=True)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            self._connections.append(connection)
            frames = connection.makefile("rb")
            while len(length := frames.read(4)) == 4:
                frame = frames.read(int.from_bytes(length, "big"))
                answer = _answer(frame)
                if answer is not None:
                    connection.sendall(len(answer).to_bytes(4, "big") + answer)


def _answer(frame: bytes) -> bytes | None:
    """Return the frame that goes back, if any."""
    sender, kind, content = frame[6:12], int.from_bytes(frame[12:14], "big"), frame[14:]
    if kind == ARP:
        answer = _arp(content)
    elif kind == IPV4 and content[9] == UDP:
        answer = _udp(content)
    else:
        answer = None
    return None if answer is None else sender + CLOCK_MAC + frame[12:14] + answer


def _udp(packet: bytes) -> bytes | None:
    header = (packet[0] & 0x0F) * 4
    port, service = struct.unpack_from("!HH", packet, header)
    message = packet[header + 8 :]
    if service == NTP:
        return _datagram(NTP, port, _ntp(message))
    offer = _dhcp(message) if service == DHCP_SERVER else None
    return None if offer is None else _datagram(DHCP_SERVER, DHCP_CLIENT, offer)


def _arp(request: bytes) -> bytes | None:
    """Answer for the clock; a machine that asks for its own address looks whether somebody else has it."""
    if request[24:28] != CLOCK.packed:
        return None
    return request[:6] + b"\0\2" + CLOCK_MAC + CLOCK.packed + request[8:18]


def _dhcp(request: bytes) -> bytes | None:
    answers = {DISCOVER: OFFER, REQUEST: ACK}
    kind = answers.get(_options(request[DHCP_OPTIONS_AT:]).get(53, b"\0")[0])
    if kind is None:
        return None
    head = bytes([2, *request[1:3], 0]) + request[4:16] + MACHINE.packed + CLOCK.packed + request[24:44]
    answer = {
        53: bytes([kind]),
        54: CLOCK.packed,
        51: (3600).to_bytes(4, "big"),
        1: MASK.packed,
        42: CLOCK.packed,
    }
    fields = b"".join(bytes([code, len(value)]) + value for code, value in answer.items())
    return head.ljust(DHCP_OPTIONS_AT - len(DHCP_MAGIC), b"\0") + DHCP_MAGIC + fields + b"\xff"


def _options(field: bytes) -> dict[int, bytes]:
    options = {}
    while field and field[0] != 255:
        if field[0] == 0:
            field = field[1:]
            continue
        options[field[0]] = field[2 : 2 + field[1]]
        field = field[2 + field[1] :]
    return options


def _ntp(request: bytes) -> bytes:
    """Return the time, from a clock of stratum 1."""
    now = int((time.time() + SECONDS_FROM_1900_TO_1970) * 2**32).to_bytes(8, "big")
    head = bytes([4 << 3 | 4, 1, request[2], 0xEC]) + bytes(8) + b"TEST"
    return head + now + request[40:48] + now + now


def _datagram(source: int, destination: int, message: bytes) -> bytes:
    """Return an IPv4 packet to the machine; a UDP checksum of 0 is none (RFC 768)."""
    udp = struct.pack("!HHHH", source, destination, 8 + len(message), 0) + message
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, UDP, 0) + CLOCK.packed + MACHINE.packed
    total = sum(struct.unpack("!10H", head))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + (total ^ 0xFFFF).to_bytes(2, "big") + head[12:] + udp
