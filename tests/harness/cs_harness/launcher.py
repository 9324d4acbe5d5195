"""The launcher under test."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from .process import HarnessError, Process, binary, pause
from .tee import TeeClient

LAUNCH_SECONDS = 30.0
FILE_SECONDS = 5.0
_FIELD = re.compile(r'([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|\S*)')


@dataclass(frozen=True)
class LogLine:
    """One line of the launcher's log, taken apart."""

    raw: str
    level: str
    message: str
    fields: Mapping[str, str]

    @staticmethod
    def parse(raw: str) -> LogLine:
        """Split `time=... level=INFO msg="..." key=value`; a line of another form becomes its own message."""
        fields = {}
        for key, value in _FIELD.findall(raw):
            fields.setdefault(key, _unquoted(value))
        if "msg" not in fields:
            return LogLine(raw, "", raw, {})
        return LogLine(raw, fields.pop("level", ""), fields.pop("msg"), fields)


class Launcher:
    """One run of cs-launcher."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        runtime_directory: Path,
        env: Mapping[str, str],
        wrapper: Sequence[str] = (),
    ) -> None:
        self.runtime_directory = runtime_directory
        self.token_file = runtime_directory / "attestation_verifier_claims_token"
        self.socket = runtime_directory / "teeserver.sock"
        self.tee = TeeClient(self.socket)
        self._arguments = list(arguments)
        self._env = dict(env)
        self._wrapper = list(wrapper)
        self._process: Process | None = None

    def __enter__(self) -> Self:
        command = [*self._wrapper, binary("cs-launcher"), *self._arguments]
        self._process = Process(command, name="cs-launcher", env=self._env, separate_stdout=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.stop()

    @property
    def command(self) -> list[str]:
        """What starts it, behind env(1)."""
        variables = [f"{name}={value}" for name, value in self._env.items()]
        return [*variables, *self._wrapper, str(binary("cs-launcher")), *map(str, self._arguments)]

    @property
    def process(self) -> Process:
        """The running process."""
        if self._process is None:
            raise HarnessError("the launcher has not been started")
        return self._process

    @property
    def log(self) -> list[LogLine]:
        """Everything logged so far."""
        return [LogLine.parse(line) for line in list(self.process.lines)]

    @property
    def log_text(self) -> str:
        """The log as one text."""
        return "\n".join(self.process.lines)

    @property
    def token(self) -> str:
        """The default token in the file."""
        return self.token_file.read_text()

    def wait_for(self, message: str, timeout: float = LAUNCH_SECONDS) -> LogLine:
        """Return the first log line whose message starts with the given text."""
        found = self.process.wait_for(lambda line: LogLine.parse(line).message.startswith(message), timeout, message)
        return LogLine.parse(found)

    def wait_token(self, timeout: float = LAUNCH_SECONDS) -> str:
        """Return the first default token as soon as it has been written to its file."""
        self.wait_for("successfully refreshed attestation token", timeout)
        deadline = time.monotonic() + FILE_SECONDS
        while not self.token_file.exists():  # the log may be a moment ahead of the file
            if time.monotonic() > deadline or not self.process.running:
                raise HarnessError(f"no token file{self.process.last_words()}")
            pause(0.005)
        return self.token

    def wait_ready(self, timeout: float = LAUNCH_SECONDS) -> Launcher:
        """Wait until the workload runs."""
        self.wait_for("workload task started", timeout)
        return self

    def terminate(self) -> None:
        """Send SIGTERM, which the launcher relays to the workload."""
        self.process.signal(signal.SIGTERM)

    def wait(self, timeout: float = LAUNCH_SECONDS) -> int:
        """Return the exit code."""
        code = self.process.wait(timeout)
        if "still at work behind the launch's end" in self.log_text:
            raise HarnessError(f"the launcher has ended what does not end{self.process.last_words()}")
        return code


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value[1:-1]
