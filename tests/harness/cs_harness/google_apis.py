"""Google's APIs, as far as a machine calls them: behind a proxy, under their own names, with certificates of a test's CA."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .cloud_front import CloudFront
from .process import HarnessError, wait_until
from .serving import Handler

if TYPE_CHECKING:
    from .world import World

IAM = "iamcredentials.googleapis.com"
LOGGING = "logging.googleapis.com"
MONITORING = "monitoring.googleapis.com"


@dataclass(frozen=True)
class Call:
    """One request."""

    host: str
    path: str
    authorization: str
    body: dict[str, Any]


class GoogleApis(CloudFront):
    """`calls` is what they were asked; `refusal` is a status and a message that they all answer with, once it is set.

    They do not answer while `may_answer` is clear.
    """

    def __init__(self, world: World) -> None:
        self.refusal: tuple[int, str] | None = None
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._world = world
        self._calls: list[Call] = []
        self._changed = threading.Condition()
        self._answers: dict[str, Callable[[Call], Mapping[str, Any]]] = {
            IAM: self._id_token,
            LOGGING: lambda call: {},
            MONITORING: lambda call: {},
        }
        outer = self

        class Api(Handler):
            def do_POST(self) -> None:
                host, authorization = self.headers["Host"], self.headers["Authorization"]
                call = Call(host, self.path, authorization, json.loads(self.read_body()))
                status, answer = outer._take(call)
                self.reply(status, json.dumps(answer).encode())

        super().__init__(world.authority, "google", dict.fromkeys(self._answers, Api))

    @property
    def options(self) -> dict[str, Any]:
        """Options of a launcher that trusts them."""
        return {"--google-ca": self._world.authority.certificate}

    def calls(self, host: str) -> list[Call]:
        """Return what one of them was asked so far."""
        with self._changed:
            return [call for call in self._calls if call.host == host]

    def wait_for(self, host: str, found: Callable[[Call], bool], timeout: float = 30.0) -> Call:
        """Return the first request for which `found` holds."""
        with self._changed:

            def matching() -> list[Call]:
                return [call for call in self._calls if call.host == host and found(call)]

            if not wait_until(self._changed, lambda: bool(matching()), timeout):
                raise HarnessError(f"{host} was not asked for it within {timeout} s")
            return matching()[0]

    def _take(self, call: Call) -> tuple[int, Mapping[str, Any]]:
        with self._changed:
            self._calls.append(call)
            self._changed.notify_all()
        self.may_answer.wait()
        if self.refusal is not None:
            status, message = self.refusal
            return status, {"error": {"code": status, "message": message}}
        return http.client.OK, self._answers[call.host](call)

    def _id_token(self, call: Call) -> Mapping[str, Any]:
        account = call.path.split("/")[-1].removesuffix(":generateIdToken").replace("%40", "@")
        return {"token": self._world.metadata.identity_token(str(call.body["audience"]), account)}
