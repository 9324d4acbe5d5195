"""Peers that mean ill, each a process of its own: `flood.py ROLE HOST PORT SECONDS [SOCKET]`.

They come from 127.0.0.2, so that they are another peer than the honest clients of 127.0.0.1. With SOCKET, the path of a
Unix socket, they go there instead.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import selectors
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CONNECTIONS = 10_000
ATTACKER = "127.0.0.2"
PIECE = b"x" * 16384
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Target:
    """Where to connect, and until when."""

    def __init__(self, host: str, port: int, seconds: float, path: str | None) -> None:
        self.host, self.port, self.path = host, port, path
        self.end = time.monotonic() + seconds
        self.tls = ssl.create_default_context()
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE

    def plain(self) -> socket.socket:
        if self.path:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(10)
            connection.connect(self.path)
            return connection
        return socket.create_connection((self.host, self.port), timeout=10, source_address=(ATTACKER, 0))

    def speaking(self) -> socket.socket:
        return self.plain() if self.path else self.tls.wrap_socket(self.plain())

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.end


def hold(target: Target, count: int, connect: Callable[[], socket.socket], pause: float = 0) -> None:
    """Hold as many connections, and open a new one for each on which something comes or that is closed."""
    with selectors.DefaultSelector() as selector:
        while target.goes_on:
            while target.goes_on and len(selector.get_map()) < count:
                try:
                    connection = connect()
                except OSError:
                    time.sleep(0.01)
                    break
                selector.register(connection, selectors.EVENT_READ)
            for key, _ in selector.select(0.1):
                selector.unregister(key.fileobj)
                key.fileobj.close()
            time.sleep(pause)


def silent(target: Target) -> None:
    """As many connections as there may be, on which nothing is said."""
    hold(target, CONNECTIONS, target.plain)


def hold_with(target: Target, opening: bytes) -> None:
    """Say the same on many connections; how fast they can be opened is not the question here."""

    def connect() -> socket.socket:
        connection = target.speaking()
        connection.sendall(opening)
        return connection

    hold(target, 64, connect, pause=0.1)


def fields(target: Target) -> None:
    """Heads of nothing but small fields, as many as there may be and more, of requests that do not end."""
    heads = [b"POST %s HTTP/1.1\r\nHost: x\r\n" % place + b"a:\r\n" * count for place in PLACES for count in (98, 2000)]
    ends = b"Content-Length: 9\r\n\r\n1"
    side_by_side([lambda head=head: hold_with(target, head + ends) for head in heads])


def tokens(target: Target) -> None:
    """Custom tokens with as many nonces as there may be, which the verifier refuses, and more."""
    works = []
    for count in (1000, 20000):
        body = json.dumps({"audience": "a", "token_type": "OIDC", "nonces": [""] * count}, separators=(",", ":")).encode()
        head = b"POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        works.append(lambda request=head + body: hold_with(target, request))
    side_by_side(works)


GREEDY = 200
CUSTOM_TOKEN = json.dumps({"audience": "https://greedy.example", "token_type": "OIDC"}).encode()
CUSTOM_REQUEST = b"POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(CUSTOM_TOKEN) + CUSTOM_TOKEN


def ask_for_ever(target: Target) -> None:
    """One custom token after the other."""
    while target.goes_on:
        with contextlib.suppress(OSError), target.plain() as connection:
            connection.settimeout(None)
            while target.goes_on:
                connection.sendall(CUSTOM_REQUEST)
                if not connection.recv(1 << 16):
                    break


def greedy(target: Target) -> None:
    """As many processes, each of which asks for one custom token after the other."""
    for _ in range(GREEDY):
        if os.fork() == 0:
            libc = ctypes.CDLL(None)
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            ask_for_ever(target)
            os._exit(0)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def hoarder(target: Target) -> None:
    """One process that waits for as many custom tokens at a time."""
    side_by_side([lambda: ask_for_ever(target)] * GREEDY)


def repeat(target: Target, head: bytes, piece: bytes) -> None:
    """Send `head`, then `piece` until the server has had enough; then again."""
    while target.goes_on:
        with contextlib.suppress(OSError), target.speaking() as connection:
            connection.sendall(head)
            while target.goes_on:
                connection.sendall(piece)


CHUNKED = b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
PLACES = (b"/healthz", b"/v1/token", b"/v1/projects/p/locations/l/challenges")


def trailers(target: Target) -> None:
    """Trailer fields and chunk extensions without an end, on some connections at a time."""
    starts = [(CHUNKED % place + tail, piece) for place in PLACES for tail, piece in ((b"0\r\n", b"A: b\r\n" * 2000), (b"1;", PIECE))]
    side_by_side([lambda start=start: repeat(target, *start) for start in starts])


def giants(target: Target) -> None:
    """Bodies as large as there may be, on as many connections as there may be."""
    heads = [b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (place, size) for place in PLACES for size in (1 << 34, 1 << 24, 65536)]
    side_by_side([lambda head=head: repeat(target, head, PIECE) for head in heads * 4])


def slow(target: Target) -> None:
    """Many heads at a byte a second."""
    head = b"GET /healthz HTTP/1.1\r\nHost: " + b"x" * 100
    connections: list[socket.socket] = []
    while target.goes_on:
        while len(connections) < 200 and target.goes_on:
            with contextlib.suppress(OSError):
                connections.append(target.speaking())
        position = int(time.monotonic()) % len(head)
        for connection in list(connections):
            try:
                connection.send(head[position : position + 1])
            except OSError:
                connections.remove(connection)
                connection.close()
        time.sleep(1)


def challenges(target: Target) -> None:
    """Challenges, which nobody will use."""
    request = b"POST /v1/projects/p/locations/l/challenges HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    while target.goes_on:
        with contextlib.suppress(OSError), target.speaking() as connection:
            while target.goes_on:
                connection.sendall(request * 16)
                if not connection.recv(1 << 16):
                    break


def uploads(target: Target) -> None:
    """All that a request may hold, in one key."""
    upload(target, b'{"', b"k", b'":1}')


def numbers(target: Target) -> None:
    """All that a request may hold, in one number."""
    upload(target, b'{"a":', b"1", b"}")


def upload(target: Target, begin: bytes, filler: bytes, end: bytes) -> None:
    """Verify requests for challenges that were asked for; the refusal is left untaken."""
    size = 8 << 20
    held: list[socket.socket] = []
    while target.goes_on:
        with contextlib.suppress(OSError, ValueError, KeyError):
            connection = target.speaking()
            connection.sendall(b"POST /v1/projects/p/locations/l/challenges HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
            answer = connection.recv(1 << 16)
            name = json.loads(answer.partition(b"\r\n\r\n")[2])["name"]
            head = f"POST /v1/{name}:verifyConfidentialSpace HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
            connection.sendall(head.encode() + begin + filler * (size - len(begin) - len(end)) + end)
            held.append(connection)
        while len(held) > 300:
            held.pop(0).close()


@contextlib.contextmanager
def let_loose(
    roles: list[str], seconds: float, host: str = "", port: int = 0, path: Path | None = None
) -> Iterator[None]:
    """Have peers of these roles at work, each a process of its own, until the block ends."""
    arguments = [host, str(port), str(seconds), *([str(path)] if path else [])]
    with contextlib.ExitStack() as stack:
        attackers = {}
        for role in roles:
            attacker = subprocess.Popen([sys.executable, __file__, role, *arguments], stderr=subprocess.DEVNULL)
            stack.callback(attacker.wait)
            stack.callback(attacker.kill)
            attackers[role] = attacker
        yield
        assert [role for role, attacker in attackers.items() if attacker.poll() is not None] == []


def side_by_side(works: list) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    role, host, port, seconds = sys.argv[1:5]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    target = Target(host, int(port), float(seconds), sys.argv[5] if len(sys.argv) > 5 else None)
    roles = (silent, fields, tokens, trailers, giants, slow, challenges, uploads, numbers, greedy, hoarder)
    {each.__name__: each for each in roles}[role](target)


if __name__ == "__main__":
    main()
