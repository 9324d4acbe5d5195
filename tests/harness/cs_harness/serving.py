"""Servers that play a part beside the real services, on loopback."""

from __future__ import annotations

import socketserver
import threading
import urllib.parse
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

POLL_SECONDS = 0.05


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 and says nothing on the terminal."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are written apart

    def read_body(self) -> bytes:
        """Return the request's body."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def reply(self, status: int, body: bytes = b"", header: Mapping[str, str] | None = None) -> None:
        """Answer; the Content-Length is that of the body, unless the header has another one."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(header or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def form_of(text: str) -> dict[str, str]:
    """Return the fields of a form or a query. Throws ValueError when one stands twice."""
    pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a field stands twice")
    return dict(pairs)


class Serving:
    """Serves on a thread of its own while it is entered; `port` is where."""

    def __init__(self, handler: type[socketserver.BaseRequestHandler], port: int = 0) -> None:
        is_http = issubclass(handler, BaseHTTPRequestHandler)
        kind = ThreadingHTTPServer if is_http else socketserver.ThreadingTCPServer
        self.server = kind(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        self.port: int = self.server.server_address[1]

    def start(self) -> Self:
        """Begin to serve."""
        loop = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": POLL_SECONDS}, daemon=True)
        loop.start()
        return self

    def stop(self) -> None:
        """End it; nobody listens at the port then."""
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
