"""csctl verifier, and explain with --service: what a verifier tells its operator, and nobody else."""

from __future__ import annotations

import http.client
import os
import socket
import stat
from pathlib import Path

import pytest
from cs_harness.csctl import CANNOT_TELL, YES, csctl
from machine import Launched


@pytest.fixture
def admin(machine: Launched) -> Path:
    """Return the socket for the operator."""
    return machine.config.parent / "state/admin.sock"


def ask(path: Path, target: str, method: str = "GET") -> tuple[int, str]:
    """Ask the socket itself."""
    connection = http.client.HTTPConnection("localhost", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    connection.request(method, target)
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_only_the_operator_may_ask(admin: Path) -> None:
    """By the socket's mode, and the folder's."""
    assert stat.S_IMODE(os.stat(admin).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(admin.parent).st_mode) == 0o700


def test_the_last_appraisals_are_shown(machine: Launched, admin: Path) -> None:
    """With what the machine was taken for."""
    instance = machine.world.metadata.instance
    answer = csctl("verifier", "appraisals", "--socket", admin, "--instance", str(instance.id))
    assert answer.code == YES
    assert answer.rows[0][1:] == [
        "token", f"{instance.name} {instance.id}", "CONFIDENTIAL_SPACE", "matched confidential-space-260100"
    ]
    document = csctl("verifier", "appraisals", "--socket", admin, "--json").json
    assert document["appraisals"][0]["outcome"] == "token"
    assert csctl("verifier", "appraisals", "--socket", admin, "--instance", "1").rows == []


def test_a_token_is_explained_by_who_gave_it(machine: Launched, admin: Path, tmp_path: Path) -> None:
    """From the token alone, as long as the verifier remembers."""
    token = tmp_path / "token.jwt"
    token.write_text(machine.launcher.tee.request("GET", "/v1/token").text)
    answer = csctl("explain", token, "--service", admin)
    assert (answer.code, answer.text) == (YES, 'image: it runs image "confidential-space-260100"\n')


def test_a_verifier_says_how_it_is(machine: Launched, admin: Path) -> None:
    """As a launcher does."""
    answer = csctl("status", "--socket", admin, "--json")
    assert answer.code == YES
    assert answer.json["issuer"] == machine.world.verifier.url and answer.json["images"] == 1
    assert answer.json["tokens"] >= 1


def test_what_is_not_there_is_told(admin: Path, tmp_path: Path) -> None:
    """Another resource, another method, no verifier."""
    assert ask(admin, "/v1/other")[0] == http.client.NOT_FOUND
    assert ask(admin, "/v1/appraisals?colour=red")[0] == http.client.BAD_REQUEST
    assert ask(admin, "/v1/appraisals", "DELETE")[0] == http.client.METHOD_NOT_ALLOWED
    answer = csctl("verifier", "appraisals", "--socket", tmp_path / "absent.sock")
    assert answer.code == CANNOT_TELL and "absent.sock" in answer.error
    answer = csctl("verifier", "appraisals", "--socket", admin, "--instance", "x")
    assert answer.code == CANNOT_TELL and "--instance" in answer.error
