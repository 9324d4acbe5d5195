"""A place where workloads can leave messages."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from .process import HarnessError, wait_until


class Postbox:
    """An HTTP server on loopback that workloads post text to; `known_as` is the address by which they know it."""

    def __init__(self, known_as: str | None = None) -> None:
        self._messages: list[str] = []
        self._changed = threading.Condition()
        self._known_as = known_as
        self.port = 0

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode(errors="replace")
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                with outer._changed:
                    outer._messages.append(text)
                    outer._changed.notify_all()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

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
        address = self._known_as or f"127.0.0.1:{self.port}"
        return f'wget -q -O /dev/null --post-data "$( {what} )" http://{address}/'
