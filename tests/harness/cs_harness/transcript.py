"""What the audience of a scene sees."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator


class AudienceLeft(Exception):
    """Nobody reads what is printed any more."""


class Transcript:
    """What the audience sees: coloured and alive on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._colour = self._terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def heading(self, text: str) -> None:
        """Begin a scene."""
        self._print(f"\n{self._paint('1;36', text)}")

    def line(self, text: str, indent: int = 3) -> None:
        """Say something."""
        self._print(" " * indent + text)

    def code(self, text: str) -> None:
        """Show what somebody types."""
        for number, line in enumerate(text.rstrip().splitlines()):
            self.line(("$ " if number == 0 else "  ") + line)

    def good(self, text: str) -> None:
        """Say that something went as it should."""
        self.line(self._paint("32", "as expected: ") + text)

    def bad(self, text: str) -> None:
        """Say that something did not."""
        self.line(self._paint("1;31", "NOT AS EXPECTED: ") + text)

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show that something is under way, then how long it took."""
        start = time.monotonic()
        if self._terminal:
            self._print(f"   {text} ...", end="")
        yield
        done = f"   {text:<58}{time.monotonic() - start:5.1f} s"
        self._print(f"\r\033[K{done}" if self._terminal else done)

    def check(self, good: bool, text: str) -> bool:
        """Say whether something that was checked is as it should be, and return it."""
        if good:
            self.good(text)
        else:
            self.bad(text)
        return good

    def _print(self, text: str, end: str = "\n") -> None:
        try:
            print(text, end=end, flush=True)
        except BrokenPipeError:
            # What is still in the buffer would be tried again, and complained of, at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise AudienceLeft from None

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour else text


class StepByStep:
    """Turns "now comes NAME" calls into steps of the transcript."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._current = contextlib.ExitStack()

    def __call__(self, name: str) -> None:
        self._current.close()
        self._current = contextlib.ExitStack()
        self._current.enter_context(self._transcript.step(name))

    def finish(self) -> None:
        """End the last step."""
        self._current.close()
