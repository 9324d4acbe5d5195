"""Google's APIs, as far as a machine calls them: behind a proxy, under their own names, with certificates of a test's CA."""

from __future__ import annotations

import http.client
import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import HTTPServer
from typing import TYPE_CHECKING, Any

from .process import HarnessError, wait_until
from .serving import Handler, Serving

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


class GoogleApis(Serving):
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
        server = world.authority.issue("google", hosts=list(self._answers))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.certificate, server.private_key)
        outer = self

        class Api(Handler):
            def do_POST(self) -> None:
                host, authorization = self.headers["Host"], self.headers["Authorization"]
                call = Call(host, self.path, authorization, json.loads(self.read_body()))
                status, answer = outer._take(call)
                self.reply(status, json.dumps(answer).encode())

        class Proxy(socketserver.StreamRequestHandler):
            """Takes a tunnel, at whose other end stands an API."""

            def handle(self) -> None:
                first = self.rfile.readline().decode().split()
                while self.rfile.readline().strip():
                    pass
                if first[:1] != ["CONNECT"] or first[1].removesuffix(":443") not in outer._answers:
                    self.wfile.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
                    return
                self.wfile.write(b"HTTP/1.1 200 Yes\r\n\r\n")
                with context.wrap_socket(self.request, server_side=True) as secure:
                    Api(secure, self.client_address, outer._api)

        self._api = HTTPServer(("127.0.0.1", 0), Api, bind_and_activate=False)
        super().__init__(Proxy)
        self.environment = {"HTTPS_PROXY": f"http://127.0.0.1:{self.port}"}

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
