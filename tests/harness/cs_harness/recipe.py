"""The documentation's recipes, as somebody types them who has read it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from .gcloud import Gcloud, GcloudError
from .process import REPOSITORY, HarnessError, wait_until
from .serving import Handler, Serving

DOCUMENT = REPOSITORY / "docs/data-collaborator.md"
PROGRAMS = REPOSITORY / "tests/harness/programs"
BLOCK_SECONDS = 120
_DONE, _END = "--done--", "--end--"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)


def section(heading: str, document: Path = DOCUMENT) -> str:
    """Return what stands below a heading, with what stands below that."""
    text = document.read_text()
    headings = list(_HEADING.finditer(text))
    for number, found in enumerate(headings):
        if found[2] == heading:
            ends = [other.start() for other in headings[number + 1 :] if len(other[1]) <= len(found[1])]
            return text[found.end() : ends[0] if ends else len(text)]
    raise HarnessError(f"{document} has no heading {heading!r}")


def blocks(heading: str, language: str = "sh", document: Path = DOCUMENT) -> list[str]:
    """Return the blocks of code of a language below a heading."""
    return [code for kind, code in _FENCE.findall(section(heading, document)) if kind == language]


class Shell:
    """One shell for the whole of a recipe, which ends at the first command that fails. `tell` hears what is typed."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        tell: Callable[[str], None],
        programs: Path = PROGRAMS,
    ) -> None:
        self._folder = folder
        self._environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder), **environment}
        self._tell = tell
        self._process: subprocess.Popen[str] | None = None
        self._changed = threading.Condition()
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["bash", "-euo", "pipefail"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=[self._process.stdout], daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def type(self, code: str) -> str:
        """Run some code, tell of it, and return what it prints."""
        self._tell(code)
        return self._run(code)

    def value(self, variable: str) -> str:
        """Return what a variable holds."""
        return self._run(f'echo "${variable}"').rstrip("\n")

    def fill_in(self, **variables: str) -> None:
        """Set what is the reader's own."""
        self._run("\n".join(f"{name}={shlex.quote(value)}" for name, value in variables.items()))

    def _run(self, code: str) -> str:
        process = self._process
        if process is None or process.stdin is None:
            raise HarnessError("the shell has not been started")
        with self._changed:
            self._lines = []
        process.stdin.write(f"{code}\nprintf '\\n%s\\n' {_DONE}\n")
        process.stdin.flush()
        with self._changed:
            wait_until(self._changed, lambda: self._lines[-1:] in ([_DONE], [_END]), BLOCK_SECONDS)
            printed = list(self._lines)
        if printed[-1:] != [_DONE]:
            raise HarnessError(f"the recipe fails at\n{code}\n" + "\n".join(printed))
        return "\n".join(printed[:-1]).removesuffix("\n")

    def _read(self, output: TextIO) -> None:
        for line in output:
            self._add(line.rstrip("\n"))
        self._add(_END)

    def _add(self, line: str) -> None:
        with self._changed:
            self._lines.append(line)
            self._changed.notify_all()


class GcloudServer(Serving):
    """Has the stand-in of Google Cloud's command line act on a cloud that is played in this process."""

    def __init__(self, command_line: Callable[[Path], Gcloud]) -> None:
        class Door(Handler):
            def do_POST(self) -> None:
                request = json.loads(self.read_body())
                try:
                    output, code = command_line(Path(request["folder"])).run(*request["words"]), 0
                except GcloudError as error:
                    output, code = f"ERROR: (gcloud) {error}\n", 1
                self.reply(200, json.dumps({"output": output, "code": code}).encode())

        super().__init__(Door)
        self.environment = {"GCLOUD_STAND_IN": str(self.port)}
