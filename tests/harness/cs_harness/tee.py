"""A client of the TEE server, as small as a workload would write it."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of a response."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        # To wait for room among those that are not accepted yet: a socket of Python's with a timeout fails at once.
        whole, rest = divmod(self.timeout, 1)
        bound = struct.pack("ll", int(whole), int(rest * 1e6))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, bound)
        self.sock.connect(str(self._path))
        self.sock.settimeout(self.timeout)


class TeeClient:
    """Talks HTTP over the launcher's Unix socket, one connection a request."""

    def __init__(self, path: Path, timeout: float = 30.0) -> None:
        self.path = path
        self._timeout = timeout

    def request(
        self,
        method: str = "GET",
        target: str = "/v1/token",
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request; a body that is neither bytes nor str is sent as JSON."""
        connection = _UnixConnection(self.path, self._timeout)
        try:
            data = body if body is None or isinstance(body, bytes | str) else json.dumps(body)
            connection.request(method, target, data, {"Content-Type": "application/json", **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def custom_token(self, audience: str, *nonces: str, token_type: str = "OIDC") -> Answer:
        """Ask for a token with an audience and nonces of our own."""
        options = {"audience": audience, "token_type": token_type, "nonces": list(nonces)}
        return self.request("POST", "/v1/token", options)
