"""A person who waits for an answer sees what for, and nobody else does."""

from __future__ import annotations

import os
import pty
import select
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness.csctl import csctl
from cs_harness.process import binary

SECONDS = 30.0
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n" + b'{"state":"ready"}'


class SlowLauncher:
    """Answers one request, when it is let."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.may_answer = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            self.may_answer.wait(SECONDS)
            connection.sendall(ANSWER)

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


@pytest.fixture
def launcher(folder: Path) -> Iterator[SlowLauncher]:
    """Yield a launcher that takes its time."""
    path = folder / "slow.sock"
    path.unlink(missing_ok=True)
    running = SlowLauncher(path)
    yield running
    running.close()


def read_until(terminal: int, text: bytes) -> bytes:
    """Return what is shown, up to a text."""
    seen = b""
    while text not in seen:
        assert select.select([terminal], [], [], SECONDS)[0], seen
        seen += os.read(terminal, 65536)
    return seen


def test_what_is_waited_for_is_shown_and_goes(launcher: SlowLauncher) -> None:
    """From the first second on, each second."""
    terminal, other_end = pty.openpty()
    command = [binary("csctl"), "status", "--socket", launcher.path]
    with subprocess.Popen(command, stdin=other_end, stdout=subprocess.PIPE, stderr=other_end) as process:
        os.close(other_end)
        read_until(terminal, b"waiting for the service, 1 s")
        read_until(terminal, b"\r\x1b[Kwaiting for the service, 2 s")
        launcher.may_answer.set()
        read_until(terminal, b"\r\x1b[K")
        assert process.stdout is not None
        assert process.stdout.read() == b"state\tready\n"
        assert process.wait(SECONDS) == 0
    os.close(terminal)


def test_a_program_sees_the_answer_alone(launcher: SlowLauncher) -> None:
    """However long it takes: half of a second more than a person waits for the first sign."""
    timer = threading.Timer(1.5, launcher.may_answer.set)
    timer.start()
    answer = csctl("status", "--socket", launcher.path)
    timer.join()
    assert (answer.code, answer.text, answer.error) == (0, "state\tready\n", "")
