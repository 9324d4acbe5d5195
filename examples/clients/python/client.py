#!/usr/bin/env python3
"""Ask the launcher for an attestation token, and print it.

    client.py                        the default token
    client.py AUDIENCE [NONCE]...    a token for one relying party, with the nonces that it chose
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import time

SOCKET = os.environ.get("TEE_SOCKET", "/run/container_launcher/teeserver.sock")
ATTEMPTS = 5
SECONDS = 330  # a request may wait for others for five minutes
MAX_TOKEN_BYTES = 1 << 20
PASSES = (408, 429, 500, 503)  # what may be otherwise the next time


class Launcher(http.client.HTTPConnection):
    """A connection to the launcher's socket."""

    def __init__(self) -> None:
        super().__init__("localhost", timeout=SECONDS)

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)


def ask(options: dict[str, object] | None) -> tuple[int, str, float]:
    """Return status and body of the answer, and after how many seconds to ask again if need be."""
    launcher = Launcher()
    try:
        if options is None:
            launcher.request("GET", "/v1/token")
        else:
            launcher.request("POST", "/v1/token", json.dumps(options), {"Content-Type": "application/json"})
        answer = launcher.getresponse()
        wait = answer.headers.get("Retry-After", "")
        return answer.status, answer.read(MAX_TOKEN_BYTES).decode(), float(wait) if wait.isdigit() else 1.0
    finally:
        launcher.close()


def token(options: dict[str, object] | None) -> str:
    """Return a token. What passes is waited for; anything else is an error with the launcher's own words."""
    for attempt in range(1, ATTEMPTS + 1):
        status, body, seconds = ask(options)
        if status == 200:
            return body
        if status not in PASSES or attempt == ATTEMPTS:
            raise SystemExit(f"client: the launcher answered {status}: {body.strip()}")
        time.sleep(seconds)
    raise AssertionError


def main() -> None:
    """Ask for what the command line says."""
    audience, *nonces = sys.argv[1:] or [None]
    options = None if audience is None else {"audience": audience, "token_type": "OIDC", "nonces": nonces}
    try:
        print(token(options))
    except (OSError, http.client.HTTPException) as error:
        raise SystemExit(f"client: {SOCKET}: {error}") from None


if __name__ == "__main__":
    main()
