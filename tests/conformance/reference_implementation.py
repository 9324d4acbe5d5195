"""The reference implementation of the public system, asked what it makes of evidence and logs."""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cs_harness import GoBetween, World, binary
from cs_harness.go_between import CHALLENGES, VERIFY

STOP_SECONDS = 10


def encoded(data: bytes) -> str:
    """Return bytes as JSON has them."""
    return base64.b64encode(data).decode()


def is_built(program: str) -> bool:
    """Tell whether a program of other people's code is there; where nothing may be skipped, it must be."""
    return binary(program).exists() or "CS_REQUIRE_SERVICES" in os.environ


class Appraiser:
    """A program that answers questions on evidence and logs: the reference's packages, or ours."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [binary(self._program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(STOP_SECONDS)

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a question, as the programs have them."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        return json.loads(self._process.stdout.readline())


def reference() -> Appraiser:
    """Return the reference implementation's."""
    return Appraiser("reference")


def ours() -> Appraiser:
    """Return that of our verifier."""
    return Appraiser("our_appraisal")


def about_evidence(evidence: Mapping[str, Any], nonce: str, root: Path, **more: object) -> dict[str, Any]:
    """Ask for container, boot and instance of a request to the verifier."""
    question = {"tpmAttestation": evidence["tpmAttestation"], "nonce": nonce, "root": root.read_text()}
    return {"evidence": question, **more}


def about_launch_log(log: bytes, bank: int, value: bytes, **more: object) -> dict[str, Any]:
    """Ask for the container of a launch log that was measured into PCR 13."""
    return {"launch_log": {"log": encoded(log), "bank": bank, "pcrs": {13: encoded(value)}}, **more}


def about_boot_log(log: bytes, bank: int, values: Mapping[int, bytes], **more: object) -> dict[str, Any]:
    """Ask what a boot log says that was measured into registers."""
    pcrs = {index: encoded(value) for index, value in values.items()}
    return {"boot_log": {"log": encoded(log), "bank": bank, "pcrs": pcrs}, **more}


class Recorder(GoBetween):
    """Keeps the evidence that a launcher sends, the nonce that it is bound to, and the token that it gets."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.evidence: dict[str, Any] | None = None
        self.nonce = ""
        self.token = ""

    def on_request(self, path: str, body: bytes) -> bytes | int:
        """Keep the evidence."""
        if path.endswith(VERIFY):
            self.evidence = json.loads(body)
        return body

    def on_answer(self, path: str, status: int, answer: bytes) -> bytes:
        """Keep nonce and token."""
        if path.endswith(CHALLENGES):
            self.nonce = json.loads(answer)["tpmNonce"]
        elif path.endswith(VERIFY) and status == http.client.OK:
            self.token = json.loads(answer)["attestationToken"]
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
