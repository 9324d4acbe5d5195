"""A registry that lets nobody in without a credential, which the operator brings."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import VmWorld
from cs_harness.registry import REGISTRY_ACCOUNT
from cs_harness.vm import BOOT_SECONDS
from cs_harness.vm_world import REGISTRY
from support import push, shell_image


@pytest.fixture(scope="module")
def world(folder: Path, images: Path) -> Iterator[VmWorld]:
    """Yield running services, the registry a private one."""
    with VmWorld(folder, images, private_registry=True) as services:
        yield services


def test_an_image_of_a_private_registry(world: VmWorld) -> None:
    """It runs, and its credential is nowhere on the console."""
    image = push(world.registry, shell_image(world.postbox.send("echo ran")))
    pair = base64.b64encode(":".join(REGISTRY_ACCOUNT).encode()).decode()
    config = json.dumps({"auths": {REGISTRY: {"auth": pair}}})
    world.metadata.attributes = {
        "tee-image-reference": image.by_tag,
        "tee-registry-auth": base64.b64encode(config.encode()).decode(),
    }
    with world.machine() as vm:
        assert world.postbox.wait(BOOT_SECONDS).strip() == "ran"
        vm.console.wait_for("exit_code=0")
        vm.wait_shutdown()
        for secret in (pair, REGISTRY_ACCOUNT[1]):
            assert secret not in vm.console.text
