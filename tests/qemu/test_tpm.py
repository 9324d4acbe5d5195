"""A machine with a TPM that no cloud has certified."""

from __future__ import annotations

from cs_harness import VmWorld
from support import push, shell_image


def test_a_tpm_that_nobody_has_certified(world: VmWorld) -> None:
    """Trying again would not help: the machine powers off."""
    image = push(world.registry, shell_image())
    world.metadata.attributes = {"tee-image-reference": image.by_tag, "tee-restart-policy": "Always"}
    with world.machine(tpm="blank") as vm:
        assert "failed to find AKCert on this VM" in vm.console.wait_for("level=ERROR")
        vm.console.wait_for("exit_code=1")
        vm.wait_shutdown()
