"""Reference values that others publish and sign: whose they are, which version, and until when (with openssl as signer)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cs_harness import TeeClient, World
from cs_harness.machine import boot_log_path
from cs_harness.process import run
from cs_harness.verifier import reference_value, unverified_claims

FAILED = 'msg="reload failed, nothing has changed"'


class Publisher:
    """A team that signs its documents as docs/verifier.md tells it to."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.secret, self.keys, self.document = (folder / f"{name}{end}" for end in (".key", ".pem", ".json"))
        self.signature = folder / f"{name}.json.sig"
        self.make_key()

    def make_key(self) -> None:
        """Make a key, with the public one beside those that there are."""
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", self.secret)
        public = run("openssl", "pkey", "-in", self.secret, "-pubout")
        self.keys.write_text((self.keys.read_text() if self.keys.exists() else "") + public)

    def publish(self, version: int, *images: dict[str, object], expires: str | None = None) -> None:
        """Write a document and its signature."""
        document = {"publisher": self.name, "version": version, "images": images}
        self.document.write_text(json.dumps(document | ({"expires": expires} if expires else {})))
        run(
            *("openssl", "pkeyutl", "-sign", "-inkey", self.secret, "-rawin"),
            *("-in", self.document, "-out", self.signature),
        )

    def setting(self) -> dict[str, str]:
        """Return the entry of the verifier's configuration."""
        return {"name": self.name, "keys": str(self.keys), "document": str(self.document)}


@pytest.fixture(scope="module")
def teams(folder: Path) -> list[Publisher]:
    """Return two publishers, of which the first knows the image that is launched."""
    teams = [Publisher(folder / "publishers", name) for name in ("image-team", "other-team")]
    teams[0].publish(7, reference_value(boot_log_path()))
    teams[1].publish(1)
    return teams


@pytest.fixture(scope="module")
def world(folder: Path, teams: list[Publisher]) -> Iterator[World]:
    """Yield services whose verifier has no reference values of its own."""
    settings = {"reference_publishers": [team.setting() for team in teams]}
    with World(folder / "published", verifier_settings=settings) as world:
        world.verifier.reference_values.write_text('{"images": []}')
        assert 'msg="reloaded"' in world.verifier.reload()
        yield world


def claims(workload: TeeClient) -> dict[str, Any]:
    """Return the claims of a new token."""
    answer = workload.request(headers={"Cache-Control": "no-cache"})
    assert answer.status == 200, answer.text
    return unverified_claims(answer.text)


def vouched_for_by(workload: TeeClient) -> object:
    """Return what the token says of the entry that matched."""
    return claims(workload)["submods"]["confidential_space"].get("reference_value")


def entry(version: int, publisher: str = "image-team") -> dict[str, object]:
    """Return what a token says of the image."""
    return {"name": "confidential-space-260100", "publisher": publisher, "version": version}


def test_the_token_names_publisher_and_version(world: World, teams: list[Publisher], workload: TeeClient) -> None:
    """A new version counts from the next reload on, an old one never again, not even after a restart."""
    team = teams[0]
    image = reference_value(boot_log_path())
    assert vouched_for_by(workload) == entry(7)
    team.publish(8, image)
    assert 'msg="reloaded"' in world.verifier.reload()
    assert vouched_for_by(workload) == entry(8)
    team.publish(7, image)
    line = world.verifier.reload()
    assert FAILED in line
    assert "version 7 of its reference values is older than version 8" in line
    assert vouched_for_by(workload) == entry(8)
    team.publish(8, image, {**image, "name": "more"})
    assert "version 8 of its reference values is not the one that has been in use" in world.verifier.reload()
    team.publish(7, image)
    world.verifier.stop()
    world.verifier.start_until("is older than version 8, which has been in use")
    world.verifier.stop()
    team.publish(9, image)
    world.verifier.start()
    assert vouched_for_by(workload) == entry(9)


def test_every_byte_of_document_and_signature_counts(world: World, teams: list[Publisher], workload: TeeClient) -> None:
    """Whichever is changed, nothing changes but the log."""
    team = teams[0]
    for file in (team.document, team.signature):
        before = file.read_bytes()
        for position in range(0, len(before), max(1, len(before) // 24)):
            changed = bytearray(before)
            changed[position] ^= 1
            file.write_bytes(changed)
            line = world.verifier.reload()
            assert FAILED in line
            assert 'is not signed by publisher \\"image-team\\"' in line
        file.write_bytes(before)
    assert vouched_for_by(workload) == entry(9)


def test_a_publisher_signs_for_itself_alone(world: World, teams: list[Publisher], workload: TeeClient) -> None:
    """Another one's document is no good in its place, and its own is good with the next key."""
    first, second = teams
    kept = first.document.read_bytes(), first.signature.read_bytes()
    first.document.write_bytes(second.document.read_bytes())
    first.signature.write_bytes(second.signature.read_bytes())
    assert "is not signed by publisher" in world.verifier.reload()
    first.document.write_bytes(kept[0])
    first.signature.write_bytes(kept[1])
    first.make_key()
    first.publish(10, reference_value(boot_log_path()))
    assert 'msg="reloaded"' in world.verifier.reload()
    assert vouched_for_by(workload) == entry(10)


def test_what_one_deprecates_another_does_not_save(world: World, teams: list[Publisher], workload: TeeClient) -> None:
    """A deprecated image is unknown, whoever vouches for it elsewhere."""
    second = teams[1]
    second.publish(2, {**reference_value(boot_log_path()), "deprecated": True})
    assert 'msg="reloaded"' in world.verifier.reload()
    assert claims(workload)["swname"] == "GCE"
    second.publish(3)
    assert 'msg="reloaded"' in world.verifier.reload()
    assert claims(workload)["swname"] == "CONFIDENTIAL_SPACE"


def test_a_document_expires_while_the_service_runs(world: World, teams: list[Publisher], workload: TeeClient) -> None:
    """From then on its images vouch for nothing."""
    soon = int(time.time()) + 5
    teams[0].publish(
        11, reference_value(boot_log_path()), expires=datetime.fromtimestamp(soon, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    assert 'msg="reloaded"' in world.verifier.reload()
    world.verifier.wait_for("version 11 of publisher image-team expires at")
    assert vouched_for_by(workload) == entry(11)
    time.sleep(max(0.0, soon - time.time()))
    assert claims(workload)["swname"] == "GCE"
