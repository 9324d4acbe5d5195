"""A proxy at whose other end stand clouds that are played: clients call them by their own names, over TLS."""

from __future__ import annotations

import contextlib
import fnmatch
import http.client
import socketserver
import ssl
import urllib.request
from collections.abc import Callable, Mapping
from http.server import HTTPServer
from pathlib import Path

from .certificates import CertificateAuthority
from .serving import Handler, Serving

TUNNEL_PORT = ":443"
MAX_BODY_BYTES = 8 << 20
FETCH_SECONDS = 20
_OF_ONE_HOP = {"connection", "content-length", "expect", "keep-alive", "transfer-encoding"}


class CloudFront(Serving):
    """Takes tunnels to the hosts of `routes` (patterns such as `*.s3.example`), and refuses any other.

    Whoever has `environment` in its environment and trusts the authority needs nothing else to reach them.
    """

    def __init__(self, authority: CertificateAuthority, name: str, routes: Mapping[str, type[Handler]]) -> None:
        self._authority = authority
        server = authority.issue(name, hosts=list(routes))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.certificate, server.private_key)
        behind = HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)

        class Tunnel(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                words = self.rfile.readline().decode(errors="replace").split()
                while self.rfile.readline().strip():
                    pass
                target = words[1].removesuffix(TUNNEL_PORT) if words[:1] == ["CONNECT"] and len(words) > 1 else ""
                api = next((routes[pattern] for pattern in routes if fnmatch.fnmatchcase(target, pattern)), None)
                if api is None:
                    self.wfile.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
                    return
                self.wfile.write(b"HTTP/1.1 200 Yes\r\n\r\n")
                # Clients may leave in the middle of anything.
                with (
                    contextlib.suppress(ssl.SSLError, ConnectionError),
                    context.wrap_socket(self.request, server_side=True) as secure,
                ):
                    api(secure, self.client_address, behind)

        super().__init__(Tunnel)
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {"HTTPS_PROXY": self.url}

    def fetch(self, url: str) -> bytes:
        """Return what is at a URL, as one of the clouds would get it from another."""
        context = ssl.create_default_context(cafile=str(self._authority.certificate))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({"https": self.url}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(url, timeout=FETCH_SECONDS) as answer:
            return answer.read(MAX_BODY_BYTES)


def relay(
    request: Handler,
    connection: http.client.HTTPConnection,
    body: bytes,
    reword: Callable[[bytes], bytes] | None = None,
) -> None:
    """Answer a request with what somebody else says to it, reworded; its header is passed on as it is."""
    connection.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers.items():
        if name.lower() not in _OF_ONE_HOP:
            connection.putheader(name, value)
    if body or "Content-Length" in request.headers:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    content = answer.read()
    if reword is not None:
        content = reword(content)
    header = {name: value for name, value in answer.getheaders() if name.lower() not in _OF_ONE_HOP}
    if request.command == "HEAD":
        header["Content-Length"] = answer.getheader("Content-Length", "0")
    request.reply(answer.status, content, header)


def relaying_to(port: int, context: ssl.SSLContext) -> type[Handler]:
    """Return what passes every request on to a TLS server on this machine."""

    class Relay(Handler):
        def do_GET(self) -> None:
            self._pass_on()

        def do_HEAD(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            body = self.read_body()
            server = http.client.HTTPSConnection("127.0.0.1", port, timeout=FETCH_SECONDS, context=context)
            with contextlib.closing(server):
                relay(self, server, body)

    return Relay


def serving_files(folder: Path, prefix: str) -> type[Handler]:
    """Return what serves the files of a folder below a path, as a bucket does."""
    folder = folder.resolve()

    class Files(Handler):
        def do_GET(self) -> None:
            path = (folder / self.path.removeprefix(prefix).lstrip("/")).resolve()
            if not self.path.startswith(prefix + "/") or folder not in path.parents or not path.is_file():
                self.reply(http.client.NOT_FOUND)
                return
            self.reply(http.client.OK, path.read_bytes())

    return Files
