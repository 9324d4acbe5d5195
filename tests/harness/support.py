"""Workloads for the integration tests, and how they report."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import jwt
from cs_harness import HarnessError, Image, Layer, PushedImage, Registry, World, busybox_layer

ALLOW_CMD = {"tee.launch_policy.allow_cmd_override": "true"}
DEFAULT_AUDIENCE = "https://sts.googleapis.com"
STAY = "trap 'exit 0' TERM; sleep 300 & wait"

_BUSYBOX = busybox_layer().tar()


def shell_image(script: str = "exit 0", *, more_layers: Sequence[Layer] = (), **settings: Any) -> Image:
    """Return an image that runs a shell script."""
    return Image([_BUSYBOX, *more_layers], entrypoint=["/bin/sh", "-c", script], **settings)


def program_image(*entrypoint: str, **settings: Any) -> Image:
    """Return an image with busybox and an entrypoint."""
    return Image([_BUSYBOX], entrypoint=list(entrypoint), **settings)


def push(registry: Registry, image: Image, name: str = "workload", tag: str = "latest") -> PushedImage:
    """Push an image under a name of its own."""
    return registry.push(image, name, tag)


class Postbox:
    """A loopback HTTP server that workloads, which share the host's network, post text to."""

    def __init__(self) -> None:
        self._messages: list[str] = []
        self._changed = threading.Condition()

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

    def wait(self, timeout: float = 30.0) -> str:
        """Return the first message, waiting for it."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._messages, timeout):
                raise HarnessError(f"no message from the workload within {timeout} s")
            return self._messages[0]

    def send(self, what: str) -> str:
        """Return the shell command that posts the output of a shell command."""
        return f'wget -q -O /dev/null --post-data "$( {what} )" http://127.0.0.1:{self._server.server_address[1]}/'


def verified_claims(world: World, token: str, audience: str = DEFAULT_AUDIENCE) -> dict[str, Any]:
    """Check a token as a relying party does, with a library that is not ours, and return its claims."""
    keys = jwt.PyJWKSet.from_dict(world.verifier.keys())
    key_id = jwt.get_unverified_header(token)["kid"]
    (key,) = [each for each in keys.keys if each.key_id == key_id]
    return jwt.decode(token, key.key, algorithms=["RS256"], audience=audience, issuer=world.verifier.url)


def container_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the claims that is about the container."""
    return claims["submods"]["container"]
