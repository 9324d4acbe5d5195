"""Clients of the workload's socket that do not wait for their answer (case S 26)."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from pathlib import Path

from cs_harness import HoldingVerifier, World
from cs_harness.go_between import VERIFY
from cs_harness.process import pause
from support import STAY, push, shell_image, verified_claims

AUDIENCE = "https://rp.example"
PLACES = 8  # custom tokens that are got at a time


def ends_of(path: Path) -> list[str]:
    """Return the sockets that the server has at a path: the one that listens, and an end of each connection."""
    return [line for line in Path("/proc/net/unix").read_text().splitlines() if line.endswith(f" {path}")]


def test_clients_that_leave_during_their_attestation_leave_nothing(world: World) -> None:
    """More of them than there are places: the next one gets its token, and none of their connections is left."""
    image = push(world.registry, shell_image(STAY))
    attributes = {"tee-image-reference": image.by_tag, "tee-disable-gca-refresh": "true"}
    with (
        HoldingVerifier(world, VERIFY) as verifier,
        world.launcher(attributes, options={"--verifier": verifier.url}) as launcher,
    ):
        launcher.wait_for("workload task started")
        body = json.dumps({"audience": AUDIENCE, "token_type": "OIDC", "nonces": ["0123456789"]})
        request = f"POST /v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        with contextlib.ExitStack() as stack:
            for _ in range(PLACES + 1):
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.connect(str(launcher.socket))
                client.sendall(request)
            verifier.wait_held(count=PLACES)
        verifier.let_go()
        verified_claims(world, launcher.tee.custom_token(AUDIENCE, "afterwards-1").text, AUDIENCE)
        deadline = time.monotonic() + 10
        while len(ends := ends_of(launcher.socket)) > 1:
            assert time.monotonic() < deadline, ends
            pause(0.05)
