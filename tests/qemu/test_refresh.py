"""A workload that keeps running while its token is refreshed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import VmWorld
from cs_harness.vm import BOOT_SECONDS
from support import push, shell_image, verified_claims

LIFETIME_SECONDS = 30
TOKENS = 3
# Posts each token that it finds in the file once.
WATCH = """seen=; count=0
while [ $count -lt {tokens} ]; do
  now=$(cat /run/container_launcher/attestation_verifier_claims_token)
  if [ "$now" != "$seen" ]; then seen=$now; count=$((count + 1)); {post}; fi
  sleep 1
done"""


@pytest.fixture(scope="module")
def world(folder: Path, images: Path) -> Iterator[VmWorld]:
    """Yield services whose tokens are short-lived."""
    with VmWorld(folder, images, token_lifetime_seconds=LIFETIME_SECONDS) as services:
        yield services


def test_tokens_are_refreshed_while_the_workload_runs(world: VmWorld) -> None:
    """The file holds a new valid token before the old one ends, again and again."""
    image = push(world.registry, shell_image(WATCH.format(tokens=TOKENS, post=world.postbox.send('echo "$now"'))))
    world.metadata.attributes = {"tee-image-reference": image.by_tag}
    with world.machine() as vm:
        claims = []
        for number in range(1, TOKENS + 1):
            claims.append(verified_claims(world, world.postbox.wait(BOOT_SECONDS, count=number).strip()))
        vm.wait_shutdown()
    for before, after in itertools.pairwise(claims):
        assert before["iat"] < after["iat"] < before["exp"]
