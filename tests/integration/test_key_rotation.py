"""Keys that come and go while tokens are issued, and relying parties that keep to the cache headers."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from cs_harness import HarnessError, Launcher, Verifier, World
from cs_harness.process import run
from support import push, shell_image

AUDIENCE = "https://rp.example"
# How much slower than usual all goes, to see the same with tokens of the length that a person would choose.
SLOWNESS = int(os.environ.get("CS_ROTATION_SLOWNESS", "1"))
TOKEN_SECONDS = 3 * SLOWNESS
LAST_SECONDS = max(1.5, TOKEN_SECONDS / 6)
PUBLICATION_SECONDS = 4 * SLOWNESS
KEY_SECONDS = 8 * SLOWNESS
# For how long tokens are verified while keys follow each other; an hour shows no more than some rounds do.
ROTATION_SECONDS = int(os.environ.get("CS_ROTATION_SECONDS", str(25 * SLOWNESS)))


class RelyingParty:
    """Verifies tokens with keys that it keeps for as long as their header allows, and not a moment less."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._keys: dict[str, Any] = {}
        self._fresh_until = 0.0
        self.key_ids: set[str] = set()

    def verify(self, token: str) -> None:
        """Raise unless the token is good."""
        if time.monotonic() >= self._fresh_until:
            body, headers = self._verifier.fetch("/.well-known/jwks.json")
            match = re.fullmatch(r"public, max-age=(\d+)", headers["Cache-Control"])
            assert match is not None
            self._fresh_until = time.monotonic() + int(match[1])
            self._keys = {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(json.loads(body)).keys}
        key_id = jwt.get_unverified_header(token)["kid"]
        assert key_id in self._keys, f"a token of a key that is not among those of {len(self._keys)} published"
        jwt.decode(token, self._keys[key_id], algorithms=["RS256"], audience=AUDIENCE, issuer=self._verifier.url)
        self.key_ids.add(key_id)


def ask(launcher: Launcher) -> str:
    """Return a token that was made for this call."""
    answer = launcher.tee.request("POST", body={"audience": AUDIENCE, "token_type": "OIDC"})
    assert answer.status == 200, answer.text
    return answer.text


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[World]:
    """Yield services whose keys last for seconds."""
    settings = {"key_publication_seconds": PUBLICATION_SECONDS, "key_lifetime_seconds": KEY_SECONDS}
    with World(folder, token_lifetime_seconds=TOKEN_SECONDS, verifier_settings=settings) as services:
        yield services


def change_keys(verifier: Verifier) -> None:
    """Do what a person may do at any time: have a new key sign soon, and take back one that never did."""
    verifier.manage_keys("promote", verifier.manage_keys("add").split()[0])
    verifier.manage_keys("retire", verifier.manage_keys("add").split()[0])


def test_keys_follow_each_other_by_themselves_and_by_command(world: World) -> None:
    """Every token verifies when it is made, and again right before it expires."""
    party = RelyingParty(world.verifier)
    image = push(world.registry, shell_image(f"trap 'exit 0' TERM; sleep {ROTATION_SECONDS + 300} & wait"))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher, ThreadPoolExecutor(1) as person:
        launcher.wait_ready()
        begin = time.monotonic()
        changes: list[Future[None]] = []
        waiting: list[tuple[float, str]] = []
        while time.monotonic() < begin + ROTATION_SECONDS:
            token = ask(launcher)
            party.verify(token)
            waiting.append((time.monotonic() + TOKEN_SECONDS - LAST_SECONDS, token))
            while waiting[0][0] <= time.monotonic():
                party.verify(waiting.pop(0)[1])
            # By turns: one rotation of the service's own, one of ours.
            if time.monotonic() > begin + 2 * KEY_SECONDS * (len(changes) + 0.5):
                changes.append(person.submit(change_keys, world.verifier))
        assert changes
        for change in changes:
            change.result()
        assert len(party.key_ids) >= ROTATION_SECONDS // (2 * KEY_SECONDS) + 1
        assert len(world.verifier.keys()["keys"]) <= 4


def test_keys_change_by_command_while_the_service_runs(world: World, folder: Path) -> None:
    """Publish, promote, retire: each counts at once, and what would take a living token's key away is refused."""
    settings = {"key_publication_seconds": PUBLICATION_SECONDS}
    with Verifier(
        folder / "by-command",
        world.authority,
        attestation_roots=[world.machine.attestation_root],
        reference_values=[],
        token_lifetime_seconds=60,
        settings=settings,
    ) as verifier:
        (first,) = verifier.key_states()
        second = verifier.manage_keys("add").split()[0]
        assert verifier.key_states() == {first: "signing", second: "published"}
        wait_until_published(verifier, {first, second})
        verifier.wait_for(f"a key is published.*key_id={second}")
        with pytest.raises(HarnessError, match=f"key {first} signs: promote another one first"):
            verifier.manage_keys("retire", first)
        assert re.match(r"signs from 20\d\d-", verifier.manage_keys("promote", second))
        assert verifier.key_states() == {first: "signing", second: "scheduled"}
        line = verifier.wait_for("another key signs tokens")
        assert f"key_id={second} before={first}" in line
        assert verifier.key_states() == {first: "retiring", second: "signing"}
        with pytest.raises(HarnessError, match=f"tokens of key {first} live until 20"):
            verifier.manage_keys("retire", first)
        verifier.manage_keys("retire", first, "--now")
        wait_until_published(verifier, {second})
        verifier.wait_for(f"a key is published no more.*key_id={first}")
        verifier.export(folder / "public")
        exported = json.loads((folder / "public/.well-known/jwks.json").read_text())
        assert exported == verifier.keys()
        discovery = json.loads((folder / "public/.well-known/openid-configuration").read_text())
        assert discovery["issuer"] == verifier.url


def test_a_restored_state_goes_on_where_it_was(world: World, folder: Path) -> None:
    """Backed up with tar while the service runs, unpacked elsewhere: the same keys, with their dates, and the same PKI."""

    def another(name: str) -> Verifier:
        return Verifier(
            folder / name,
            world.authority,
            attestation_roots=[world.machine.attestation_root],
            reference_values=[],
            pki=name == "lost",
        )

    backup = folder / "backup.tar"
    with another("lost") as lost:
        lost.manage_keys("promote", lost.manage_keys("add").split()[0])
        wait_until_published(lost, {*lost.key_states()})
        keys = lost.keys()
        root = lost.fetch("/.well-known/confidential_space_root.crt")[0]
        run("tar", "--create", "--file", backup, "--directory", folder / "lost/verifier/state", ".")
    restored = another("restored")
    state = folder / "restored/verifier/state"
    state.mkdir(parents=True)
    run("tar", "--extract", "--file", backup, "--directory", state)
    with restored:
        assert restored.keys() == keys
        assert sorted(restored.key_states().values()) == ["scheduled", "signing"]
        assert restored.fetch("/.well-known/confidential_space_root.crt")[0] == root


def wait_until_published(verifier: Verifier, key_ids: set[str]) -> None:
    """Wait until the service publishes exactly these; it hears of a change from the kernel."""
    deadline = time.monotonic() + 20
    while {key["kid"] for key in verifier.keys()["keys"]} != key_ids:
        assert time.monotonic() < deadline
        time.sleep(0.05)  # there is no event that a client could wait for
