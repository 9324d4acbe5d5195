"""A place where workloads can leave messages."""

from __future__ import annotations

import threading

from .process import HarnessError, wait_until
from .serving import Handler, Serving


class Postbox(Serving):
    """An HTTP server on loopback that workloads post text to; `known_as` is the address by which they know it."""

    def __init__(self, known_as: str | None = None) -> None:
        self._messages: list[str] = []
        self._changed = threading.Condition()
        outer = self

        class Box(Handler):
            def do_POST(self) -> None:
                text = self.read_body().decode(errors="replace")
                self.reply(200)
                with outer._changed:
                    outer._messages.append(text)
                    outer._changed.notify_all()

        super().__init__(Box)
        self._address = known_as or f"127.0.0.1:{self.port}"

    @property
    def messages(self) -> list[str]:
        """What has arrived so far."""
        with self._changed:
            return list(self._messages)

    def wait(self, timeout: float = 30.0, count: int = 1) -> str:
        """Return message number `count`, the first being 1, waiting for it."""
        with self._changed:
            if not wait_until(self._changed, lambda: len(self._messages) >= count, timeout):
                raise HarnessError(f"no message from the workload within {timeout} s")
            return self._messages[count - 1]

    def send(self, what: str) -> str:
        """Return the shell command that posts the output of a shell command."""
        return f'wget -q -O /dev/null --post-data "$( {what} )" http://{self._address}/'
