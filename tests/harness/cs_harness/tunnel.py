"""An HTTP proxy that makes tunnels (RFC 9110, section 9.3.6)."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping

from .serving import Serving


class Tunnel(Serving):
    """Leads to ports of this host, by the names that clients ask for; `asked` is what they asked for."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self.asked: list[str] = []
        outer = self

        class Proxy(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                method, _, rest = self.rfile.readline().decode().partition(" ")
                wanted = rest.partition(" ")[0]
                while self.rfile.readline().strip():
                    pass
                outer.asked.append(wanted)
                if method != "CONNECT" or wanted not in ports:
                    self.wfile.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
                    return
                self.wfile.write(b"HTTP/1.1 200 Yes\r\n\r\n")
                with socket.create_connection(("127.0.0.1", ports[wanted])) as far:
                    back = threading.Thread(target=_copy, args=(far.recv, self.connection), daemon=True)
                    back.start()
                    _copy(self.rfile.read1, far)
                    back.join()

        super().__init__(Proxy)
        self.environment = {"HTTPS_PROXY": f"http://127.0.0.1:{self.port}"}


def _copy(read: Callable[[int], bytes], to: socket.socket) -> None:
    """Hand on what comes, and then that no more does."""
    with contextlib.suppress(OSError):  # either end may have gone
        while piece := read(65536):
            to.sendall(piece)
        to.shutdown(socket.SHUT_WR)
