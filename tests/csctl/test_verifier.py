"""csctl verifier, and explain with --service: what a verifier tells its operator, and nobody else."""

from __future__ import annotations

import http.client
import json
import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from cs_harness.csctl import CANNOT_TELL, NO, YES, csctl
from cs_harness.process import binary
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


def test_a_configuration_that_serves_is_sound(machine: Launched) -> None:
    """The one by which the machine got its token."""
    answer = csctl("verifier", "check", machine.config)
    assert (answer.code, answer.rows[-1]) == (YES, ["a verifier starts with it"])
    document = csctl("verifier", "check", machine.config, "--json").json
    assert document["starts"] is True and document["errors"] == []


def test_all_that_is_wrong_with_a_configuration_is_told(machine: Launched, tmp_path: Path) -> None:
    """With the names of the files, and a start says the same of the first."""
    config = json.loads(machine.config.read_text())
    absent, broken = tmp_path / "absent.json", tmp_path / "broken.json"
    broken.write_text("{")
    config |= {"state_directory": str(tmp_path / "state"), "deny_list": str(absent), "reference_values": str(broken)}
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    answer = csctl("verifier", "check", file)
    assert answer.code == NO
    assert [row[0] for row in answer.rows] == ["error", "error", "no verifier starts with it"]
    assert "broken.json" in answer.rows[0][1] and "absent.json" in answer.rows[1][1]
    command = [binary("cs-verifier"), "serve", "--config", file]
    started = subprocess.run(command, check=False, capture_output=True, text=True)
    assert started.returncode == 1 and "broken.json" in started.stderr


def test_an_entry_that_can_never_match_is_told(machine: Launched, tmp_path: Path) -> None:
    """It stands behind one that asks for the same."""
    config = json.loads(machine.config.read_text())
    values = json.loads(Path(config["reference_values"]).read_text())
    values["images"].append(values["images"][0] | {"name": "twin"})
    file, of_two = tmp_path / "config.json", tmp_path / "values.json"
    of_two.write_text(json.dumps(values))
    file.write_text(json.dumps(config | {"state_directory": str(tmp_path / "state"), "reference_values": str(of_two)}))
    answer = csctl("verifier", "check", file)
    assert answer.code == YES
    assert answer.rows[0][0] == "warning" and "image twin can never match" in answer.rows[0][1]
    command = [binary("cs-verifier"), "serve", "--check", "--config", file]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0 and "image twin can never match" in checked.stderr
    assert not (tmp_path / "state").exists()


def test_a_configuration_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    """That is no answer."""
    answer = csctl("verifier", "check", tmp_path / "absent.json")
    assert answer.code == CANNOT_TELL and "absent.json" in answer.error
