"""Somebody in front of a registry, who says and does what a test wants."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message

from .registry import PushedImage, Registry
from .serving import Handler, Serving


@dataclass(frozen=True)
class Asked:
    """A request: its path with the query, and its header."""

    path: str
    header: Message


@dataclass(frozen=True)
class Answer:
    """What is sent, once `after` has happened; then `cut` closes the connection.

    Its Content-Length is that of the body unless the header has another one.
    """

    status: int
    header: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: bool = False
    after: threading.Event | None = None


class RegistryFront(Serving):
    """Hands requests on to the registry, unless `interfere` answers them; without a registry, all are for `interfere`.

    `asked` is what has come.
    """

    def __init__(self, registry: Registry | None, interfere: Callable[[Asked], Answer | None]) -> None:
        outer = self
        self._registry = registry
        self._interfere = interfere
        self._lock = threading.Lock()
        self._asked: list[Asked] = []

        class Front(Handler):
            def answer(self) -> None:
                asked = Asked(self.path, self.headers)
                with outer._lock:
                    outer._asked.append(asked)
                    answer = outer._interfere(asked)
                answer = answer or outer.hand_on(self.command, asked)
                if answer.after is not None:
                    answer.after.wait()
                self.reply(answer.status, answer.body, answer.header)
                self.close_connection = self.close_connection or answer.cut

            do_GET = do_HEAD = answer

        super().__init__(Front)
        self.address = f"127.0.0.1:{self.port}"

    @property
    def asked(self) -> list[Asked]:
        """What has come so far."""
        with self._lock:
            return list(self._asked)

    def reference(self, image: PushedImage) -> str:
        """Return the image's reference by tag, as it is called here."""
        return f"{self.address}/{image.repository.partition('/')[2]}:{image.tag}"

    def hand_on(self, method: str, asked: Asked) -> Answer:
        """Have the registry answer."""
        if self._registry is None:
            return Answer(http.client.NOT_FOUND)
        connection = http.client.HTTPConnection("127.0.0.1", self._registry.port, timeout=30)
        try:
            header = {name: value for name, value in asked.header.items() if name.lower() != "host"}
            connection.request(method, asked.path, headers=header)
            response = connection.getresponse()
            named = ("Content-Type", "Content-Length", "Content-Range", "Docker-Content-Digest", "WWW-Authenticate")
            kept = {name: response.headers[name] for name in named if name in response.headers}
            return Answer(response.status, kept, response.read())
        finally:
            connection.close()
