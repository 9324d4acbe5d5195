"""csctl, as a person and as a program use it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .process import binary

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
    master, slave = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    if no_color:
        environment["NO_COLOR"] = "1"
    process = subprocess.Popen([binary("csctl"), *map(str, words)], stdout=slave, stdin=slave, env=environment)
    os.close(slave)
    seen = b""
    try:
        while piece := os.read(master, 65536):
            seen += piece
    except OSError:  # EIO: the other end is closed
        pass
    process.wait(ANSWER_SECONDS)
    os.close(master)
    return seen.decode().replace("\r\n", "\n")
