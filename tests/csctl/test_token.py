"""csctl token, evidence get and status: a launcher's socket, and a token of each kind."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from cs_harness.csctl import CANNOT_TELL, NO, WRONG_USE, YES, Answer, csctl
from machine import Launched

KINDS = ("OIDC", "PKI", "AWS_PRINCIPALTAGS", "LIMITED_AWS")
AUDIENCE = "https://rp.example"


@pytest.fixture(scope="module")
def jwks(machine: Launched, folder: Path) -> Path:
    """Return the verifier's keys as a file."""
    path = folder / "keys.json"
    path.write_text(json.dumps(machine.world.verifier.keys()))
    return path


def token(machine: Launched, tmp_path: Path, kind: str = "OIDC") -> Path:
    """Return a token of a kind as a file."""
    body: dict[str, Any] = {"audience": AUDIENCE, "token_type": kind, "nonces": ["0123456789"]}
    if kind == "AWS_PRINCIPALTAGS":
        body["aws_principal_tag_options"] = {}
    answer = machine.launcher.tee.request("POST", "/v1/token", body)
    assert answer.status == HTTPStatus.OK, answer.text
    path = tmp_path / "token.jwt"
    path.write_text(answer.text)
    return path


def failed(answer: Answer) -> list[str]:
    """Return the names of the checks that failed."""
    return [check["check"] for check in answer.json["checks"] if check["result"] == "failed"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_of_each_kind_is_shown_and_verified(machine: Launched, jwks: Path, tmp_path: Path, kind: str) -> None:
    """With the keys or the root that it takes; every claim proves something."""
    path = token(machine, tmp_path, kind)
    shown = csctl("token", "show", path)
    assert shown.code == YES
    rows = {row[0]: row[1:] for row in shown.rows}
    assert rows["aud"][0] == AUDIENCE and rows["eat_nonce"][0] == "0123456789"
    assert all(row[1] for row in rows.values()), [name for name, row in rows.items() if not row[1]]
    document = csctl("token", "show", "--json", path).json
    assert document["verified"] is False and document["header"]["alg"] == "RS256"
    root = machine.world.folder / "verifier/state/pki/root.pem"
    keys = ("--pki-root", root) if kind == "PKI" else ("--jwks", jwks)
    answer = csctl("token", "verify", path, *keys, "--issuer", machine.world.verifier.url, "--audience", AUDIENCE)
    assert answer.code == YES, answer
    assert {row[0] for row in answer.rows} == {"passed"} and len(answer.rows) == 5


def test_keys_are_fetched_from_the_issuer(machine: Launched, tmp_path: Path) -> None:
    """By discovery, over TLS."""
    where = ("--issuer", machine.world.verifier.url, "--ca", machine.world.authority.certificate)
    assert csctl("token", "verify", token(machine, tmp_path), *where).code == YES
    answer = csctl("token", "verify", token(machine, tmp_path), "--issuer", machine.world.verifier.url)
    assert answer.code == CANNOT_TELL and "TLS" in answer.error  # nobody vouches for it


def test_each_thing_that_is_wrong_is_named(machine: Launched, jwks: Path, tmp_path: Path) -> None:
    """And nothing else."""
    path = token(machine, tmp_path)

    def verify(*words: str | Path) -> Answer:
        return csctl("token", "verify", path, "--jwks", jwks, "--json", *words)

    assert failed(verify("--issuer", "https://other.example")) == ["issuer"]
    assert failed(verify("--audience", "https://other.example")) == ["audience"]
    assert failed(verify("--at", "2099-01-01T00:00:00Z")) == ["not after"]
    assert failed(verify("--at", "2001-01-01T00:00:00Z")) == ["not before"]
    head, claims, signature = path.read_text().split(".")
    path.write_text(".".join([head, claims, signature[:-8] + "AAAAAAAA"]))
    answer = verify()
    assert failed(answer) == ["signature"] and answer.code == NO
    pki = token(machine, tmp_path, "PKI")
    assert failed(csctl("token", "verify", pki, "--jwks", jwks, "--json")) == ["signature"]


def test_the_launcher_is_asked_where_no_file_is_named(machine: Launched, jwks: Path, tmp_path: Path) -> None:
    """As from inside a workload."""
    socket = ("--socket", machine.launcher.socket)
    default = csctl("token", "show", "--json", *socket)
    assert default.json["claims"]["aud"] == "https://sts.googleapis.com"
    assert csctl("token", "verify", "--jwks", jwks, *socket).code == YES
    watched = csctl("token", "watch", "--count", "1", *socket)
    assert watched.code == YES and watched.rows[0][2:] == ["CONFIDENTIAL_SPACE", "disabled-since-boot"]
    status = csctl("status", *socket)
    assert status.code == YES and ["state", "ready"] in status.rows
    assert csctl("status", "--json", *socket).json["state"] == "ready"
    evidence = csctl("evidence", "get", "--challenge", "0102", *socket)
    assert evidence.code == YES
    path = tmp_path / "evidence.json"
    path.write_text(evidence.text)
    assert csctl("evidence", "show", "--json", path).json["workload_challenge"] == "0102"
    assert csctl("evidence", "verify", path, "--config", machine.config).code == YES


def test_a_token_comes_from_standard_input(machine: Launched, tmp_path: Path) -> None:
    """With white space around it."""
    text = token(machine, tmp_path).read_bytes()
    assert csctl("token", "show", "-", "--json", stdin=b"\n " + text + b"\n").json["claims"]["aud"] == AUDIENCE


def test_wrong_input_is_one_line(machine: Launched, jwks: Path, tmp_path: Path) -> None:
    """And exit code 2 or 3."""
    file = tmp_path / "file"
    good = token(machine, tmp_path).read_text()
    for text in ("", "a", "a.b", "a.b.c", good[:-400].rpartition(".")[0], good + ".x", "\x1b[2J." * 3):
        file.write_text(text)
        for words in (("show", file), ("verify", file, "--jwks", jwks)):
            answer = csctl("token", *words)
            assert (answer.code, answer.text, answer.error.count("\n")) == (CANNOT_TELL, "", 1), (text, answer)
            assert "\x1b" not in answer.error
    file.write_text("{}")
    for words in (("--jwks", file), ("--pki-root", file), ("--jwks", tmp_path / "absent"), ("--issuer", "ftp://x")):
        answer = csctl("token", "verify", tmp_path / "token.jwt", *words)
        assert (answer.code, answer.error.count("\n")) == (CANNOT_TELL, 1), answer
    assert csctl("token", "verify", tmp_path / "token.jwt").code == WRONG_USE
    assert csctl("token", "verify", tmp_path / "token.jwt", "--jwks", jwks, "--pki-root", file).code == WRONG_USE
    for words in (("token", "show"), ("status",), ("evidence", "get")):
        answer = csctl(*words, "--socket", tmp_path / "absent.sock")
        assert (answer.code, answer.error.count("\n")) == (CANNOT_TELL, 1)
        assert "absent.sock" in answer.error
