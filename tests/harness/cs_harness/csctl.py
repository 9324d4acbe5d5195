"""csctl, as a person and as a program use it."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .process import HarnessError, binary

YES, NO, WRONG_USE, CANNOT_TELL = range(4)
ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """What csctl printed, and what it ended with."""

    code: int
    text: str
    error: str

    @property
    def rows(self) -> list[list[str]]:
        """The lines, as a program reads them."""
        return [line.split("\t") for line in self.text.splitlines()]

    @property
    def json(self) -> Any:
        """The document that it printed."""
        return json.loads(self.text)


def csctl(*words: str | Path, stdin: bytes = b"") -> Answer:
    """Run it with its output in a pipe."""
    done = subprocess.run(
        [binary("csctl"), *map(str, words)], input=stdin, capture_output=True, check=False, timeout=ANSWER_SECONDS
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def csctl_at_terminal(*words: str | Path, no_color: bool = False) -> str:
    """Return what a person sees, escape sequences and all."""
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    if no_color:
        environment["NO_COLOR"] = "1"
    return run_at_terminal([str(binary("csctl")), *map(str, words)], environment)


def run_at_terminal(command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> str:
    """Return what a program writes to a terminal, to which its three streams go, until it has ended."""
    master, slave = pty.openpty()
    deadline = time.monotonic() + ANSWER_SECONDS
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=folder)
    os.close(slave)
    seen = b""
    try:
        while select.select([master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            seen += os.read(master, 65536)
    except OSError:  # EIO: the other end is closed
        process.wait(ANSWER_SECONDS)
        return seen.decode().replace("\r\n", "\n")
    finally:
        process.kill()  # nothing, once it has ended
        process.wait()
        os.close(master)
    raise HarnessError(f"{command[0]} still writes or waits after {ANSWER_SECONDS} s: {seen[-500:]!r}")
