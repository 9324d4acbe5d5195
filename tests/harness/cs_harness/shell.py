"""A person at the serial line of a machine."""

from __future__ import annotations

import base64
import itertools

from .process import HarnessError
from .vm import Console

ANSWER_SECONDS = 90.0
READY_SECONDS = 240.0
TYPING_INTERVAL_SECONDS = 5.0


class Shell:
    """Runs commands in root's shell on the serial line and returns what they print."""

    def __init__(self, console: Console, interpreter: str = "bash") -> None:
        self._console = console
        self._interpreter = interpreter
        self._numbers = itertools.count(1)

    def wait_ready(self) -> Shell:
        """Type until somebody answers: what is typed before the shell reads is lost."""
        for _ in range(int(READY_SECONDS / TYPING_INTERVAL_SECONDS)):
            try:
                self.run("true", TYPING_INTERVAL_SECONDS)
            except HarnessError:
                continue
            return self
        raise HarnessError(f"the shell does not answer{self._console.last_words()}")

    def run(self, command: str, timeout: float = ANSWER_SECONDS) -> str:
        """Return the output of a command; another exit code than 0 is an error.

        The output comes as base64 between two marks, so that neither the echo of what was typed nor what the machine
        itself writes to the line can be taken for it.
        """
        number = next(self._numbers)
        begin, end = f"<{number}", f"{number}>"
        seen = len(self._console.lines)
        typed = base64.b64encode(command.encode()).decode()
        self._console.send(
            f'o=$(echo {typed} | base64 -d | {self._interpreter} 2>&1); r=$?; printf "\\n%s%s\\n%s\\n%s%s\\n" '
            f'"<" {number} "$(printf %s "$o" | base64 -w 100)" "$r:{number}" ">"'
        )
        line = self._console.wait_for(rf"^\d+:{end}$", timeout, after=seen)
        lines = self._console.lines[seen:]
        encoded = lines[lines.index(begin) + 1 : lines.index(line)]
        code = int(line.partition(":")[0])
        output = base64.b64decode("".join(word for word in encoded if _is_base64(word))).decode(errors="replace")
        if code != 0:
            raise HarnessError(f"{command}: exit code {code}: {output}")
        return output


def _is_base64(line: str) -> bool:
    return all(character.isalnum() or character in "+/=" for character in line)
