"""What never comes, and what comes wrong: each ends in the outcome that the contract names, with a line that tells why.

Two machines wait five minutes for what never comes while the other tests run; the last tests see what became of them.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator

import pytest
from cs_harness import Layer, MetadataServer, VirtualMachine, VmWorld
from support import push, shell_image

LONGER_THAN_THE_BOUND = 600.0
NETWORK, METADATA = "network", "metadata server"


@pytest.fixture(scope="module")
def waiting(world: VmWorld) -> Iterator[dict[str, VirtualMachine]]:
    """Yield a machine without a network and one without a metadata server."""
    silent = MetadataServer(world.folder / "no-metadata")  # never started
    with contextlib.ExitStack() as stack:
        machines = {
            NETWORK: stack.enter_context(world.machine(network_is_up=False)),
            METADATA: stack.enter_context(world.machine(metadata=silent)),
        }
        for what, vm in machines.items():
            vm.console.wait_for(f'msg="waiting for the {what}"')
        yield machines


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize(
    ("document", "says"),
    [("{", "not valid JSON"), ('{"tee-image-reference": 5}', "tee-image-reference: expected a string")],
)
def test_a_metadata_document_that_is_wrong(world: VmWorld, document: str, says: str) -> None:
    """The field and the reason stand on the console; the machine powers off."""
    metadata = MetadataServer(world.folder / f"wrong-metadata-{len(document)}", raw_attributes=document)
    with metadata, world.machine(metadata=metadata) as vm:
        assert says in vm.console.wait_for("level=ERROR")
        vm.console.wait_for("exit_code=1")
        vm.wait_shutdown()


def test_no_state_disk(world: VmWorld) -> None:
    """The check at the start finds no state volume; a reboot may find one."""
    image = push(world.registry, shell_image())
    world.metadata.attributes = {"tee-image-reference": image.by_tag}
    with world.machine(state_disk_mib=None) as vm:
        line = vm.console.wait_for("level=ERROR")
        assert "/var/lib/containerd is not a mount point" in line
        assert "serial number cs-state" in line
        vm.console.wait_for("exit_code=3")
        vm.wait_reboot()


def test_no_tpm(world: VmWorld) -> None:
    """The contract asks for a reboot whenever the TPM can't be opened."""
    image = push(world.registry, shell_image())
    world.metadata.attributes = {"tee-image-reference": image.by_tag}
    with world.machine(tpm=None) as vm:
        assert "TPM" in vm.console.wait_for("level=ERROR")
        vm.console.wait_for('exit_code=3 exit_msg="rebooting VM"')
        vm.wait_reboot()


def test_a_state_disk_that_is_too_small_for_the_image(world: VmWorld) -> None:
    """A full disk fails the pull, in words, and powers the machine off."""
    filler = Layer().file("filler", os.urandom(64 << 20))
    image = push(world.registry, shell_image(more_layers=[filler]))
    world.metadata.attributes = {"tee-image-reference": image.by_tag}
    with world.machine(state_disk_mib=80) as vm:
        line = vm.console.wait_for("level=ERROR")
        assert "cannot pull the image" in line
        assert re.search("no space left on device|more than the disk has room for", line)
        vm.console.wait_for("exit_code=1")
        vm.wait_shutdown()


@pytest.mark.parametrize("what", [NETWORK, METADATA])
def test_what_never_comes(waiting: dict[str, VirtualMachine], what: str) -> None:
    """After five minutes the launcher gives up, names what it waited for, and the machine powers off."""
    vm = waiting[what]
    assert f"{what}: not reached within 300 s" in vm.console.wait_for("level=ERROR", LONGER_THAN_THE_BOUND)
    vm.console.wait_for("exit_code=1")
    vm.wait_shutdown()
