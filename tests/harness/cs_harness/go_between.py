"""Who stands between launcher and verifier, and what he may do there."""

from __future__ import annotations

import ssl
import threading
import urllib.error
import urllib.request
from types import TracebackType
from typing import TYPE_CHECKING

from .process import HarnessError, wait_until
from .serving import Handler, Serving

if TYPE_CHECKING:
    from .world import World

BINDING = b"requestBinding"
VERIFY = ":verifyConfidentialSpace"
CHALLENGES = "/challenges"
COME_BACK = {"Retry-After": "1"}


class GoBetween(Serving):
    """Passes on what it is asked, at `url`. Evidence can't be bound to a service with another URL, so it hides the offer."""

    def __init__(self, world: World) -> None:
        outer = self
        trusted = ssl.create_default_context(cafile=str(world.authority.certificate))

        class Relay(Handler):
            def pass_on(self) -> None:
                body = self.read_body()
                changed = outer.on_request(self.path, body)
                if isinstance(changed, int):
                    self.reply(changed, header=COME_BACK)
                    return
                target = f"{world.verifier.url}{self.path}"
                request = urllib.request.Request(target, changed or None, method=self.command)
                request.add_header("Content-Type", "application/json")
                try:
                    with urllib.request.urlopen(request, context=trusted) as response:
                        status, answer = response.status, response.read()
                except urllib.error.HTTPError as error:
                    status, answer = error.code, error.read()
                self.reply(status, outer.on_answer(self.path, status, answer), COME_BACK)

            do_GET = do_POST = pass_on

        super().__init__(Relay)
        self.url = f"http://127.0.0.1:{self.port}"

    def on_request(self, path: str, body: bytes) -> bytes | int:
        """Return what is asked instead of `body`, or a status to answer with at once."""
        return body

    def on_answer(self, path: str, status: int, answer: bytes) -> bytes:
        """Return what is answered instead of `answer`."""
        return answer.replace(BINDING, b"somethingElse")


class HoldingVerifier(GoBetween):
    """Holds requests whose path ends with `path` until it is told to let them go."""

    def __init__(self, world: World, path: str) -> None:
        super().__init__(world)
        self._path = path
        self._changed = threading.Condition()
        self._held = 0
        self._may_pass = False

    def on_request(self, path: str, body: bytes) -> bytes | int:
        """Hold it."""
        if path.endswith(self._path):
            with self._changed:
                self._held += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._may_pass)
        return body

    def wait_held(self, timeout: float = 30.0, count: int = 1) -> None:
        """Return once so many requests are held."""
        with self._changed:
            if not wait_until(self._changed, lambda: self._held >= count, timeout):
                raise HarnessError(f"{self._path} was asked for {self._held} times within {timeout} s")

    def let_go(self) -> None:
        """Let all pass, those that are held and those to come."""
        with self._changed:
            self._may_pass = True
            self._changed.notify_all()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go()
        super().__exit__(kind, error, trace)
