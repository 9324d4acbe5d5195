"""The reference implementation of the public system, asked what it makes of evidence and logs."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cs_harness import GoBetween, World, binary
from cs_harness.go_between import CHALLENGES, VERIFY

PROGRAM = "reference"
STOP_SECONDS = 10


def encoded(data: bytes) -> str:
    """Return bytes as JSON has them."""
    return base64.b64encode(data).decode()


class Reference:
    """Its packages, in a process that answers questions."""

    @staticmethod
    def is_built() -> bool:
        """Tell whether it is there; where nothing may be skipped, it must be."""
        return binary(PROGRAM).exists() or "CS_REQUIRE_SERVICES" in os.environ

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [binary(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(STOP_SECONDS)

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        return json.loads(self._process.stdout.readline())

    def appraise(self, evidence: Mapping[str, Any], nonce: str, root: Path) -> dict[str, Any]:
        """Return container, boot and instance of a request to the verifier, or an error."""
        question = {"tpmAttestation": evidence["tpmAttestation"], "nonce": nonce, "root": root.read_text()}
        return self._ask({"evidence": question})

    def launch_log(self, log: bytes, bank: int, value: bytes) -> dict[str, Any]:
        """Return the container of a launch log that was measured into PCR 13, or an error."""
        return self._ask({"launch_log": {"log": encoded(log), "bank": bank, "pcrs": {13: encoded(value)}}})

    def boot_log(self, log: bytes, bank: int, values: Mapping[int, bytes]) -> dict[str, Any]:
        """Return what a boot log says that was measured into registers, or an error."""
        pcrs = {index: encoded(value) for index, value in values.items()}
        return self._ask({"boot_log": {"log": encoded(log), "bank": bank, "pcrs": pcrs}})


class Recorder(GoBetween):
    """Keeps the evidence that a launcher sends, and the nonce that it is bound to."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.evidence: dict[str, Any] | None = None
        self.nonce = ""

    def on_request(self, path: str, body: bytes) -> bytes | int:
        """Keep the evidence."""
        if path.endswith(VERIFY):
            self.evidence = json.loads(body)
        return body

    def on_answer(self, path: str, status: int, answer: bytes) -> bytes:
        """Keep the nonce."""
        if path.endswith(CHALLENGES):
            self.nonce = json.loads(answer)["tpmNonce"]
        return super().on_answer(path, status, answer)


def differences(claims: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Say where the claims of a token differ from what the reference makes of the evidence that led to it."""
    if "error" in found:
        return [f"the reference refuses the evidence: {found['error']}"]
    container = dict(found["container"])
    memory = container.pop("memory_enabled")
    ours = {name: claims["submods"]["container"][name] for name in container}
    pairs = {
        "container": (ours, container),
        "memory": (claims["submods"]["confidential_space"]["monitoring_enabled"]["memory"], memory),
        "gce": (claims["submods"]["gce"], found["instance"]),
        "secboot": (claims["secboot"], found["boot"]["secure_boot"]),
    }
    return [f"{name}: {mine!r}, the reference says {theirs!r}" for name, (mine, theirs) in pairs.items() if mine != theirs]
