"""A machine of the harness that has launched a workload, and what it gave away of itself."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cs_harness import Image, Launcher, World
from cs_harness.go_between import VERIFY, GoBetween
from support import STAY, push, shell_image


class Listener(GoBetween):
    """Keeps the last request for a token that went by; the service knows its URL as one of its own."""

    request = b""

    def on_request(self, path: str, body: bytes) -> bytes | int:
        """Note it."""
        if path.endswith(VERIFY):
            self.request = body
        return body

    def on_answer(self, path: str, status: int, answer: bytes) -> bytes:
        """Pass it on, the offer to bind requests and all."""
        return answer


@dataclass(frozen=True)
class Launched:
    """Files of one launch: the request for its token, evidence for a challenge of the workload's, the boot log."""

    world: World
    launcher: Launcher
    request: Path
    evidence: Path
    boot_log: Path
    config: Path
    image: Image

    @property
    def reference_values(self) -> Path:
        """The verifier's."""
        return self.world.verifier.reference_values

    def write_layout(self, folder: Path) -> Path:
        """Write the workload's image as an OCI image layout."""
        return self.image.build().write_layout(folder / "layout")


@contextlib.contextmanager
def launched(folder: Path, prepare: Callable[[World], None] = lambda world: None) -> Iterator[Launched]:
    """Run a workload, and catch what goes by; `prepare` may change the machine ahead of its boot."""
    with World(folder, pki=True) as world, Listener(world) as listener:
        prepare(world)
        world.verifier.settings["endpoints"] = [world.verifier.url, listener.url]
        config = world.verifier.write_configuration()
        world.verifier.reload()
        image = shell_image(STAY)
        pushed = push(world.registry, image)
        options = {"--verifier": listener.url, "--verifier-ca": None}
        with world.launcher({"tee-image-reference": pushed.by_tag}, options=options) as launcher:
            launcher.wait_ready()
            request, evidence = folder / "request.json", folder / "evidence.json"
            request.write_bytes(listener.request)
            challenge = base64.b64encode(os.urandom(32)).decode()
            answer = launcher.tee.request("POST", "/v1/evidence", {"challenge": challenge})
            json.loads(answer.text)
            evidence.write_text(answer.text)
            yield Launched(world, launcher, request, evidence, world.machine.boot_log, config, image)
