"""An operator who wants what the image does not allow."""

from __future__ import annotations

from cs_harness import VmWorld
from support import push, shell_image


def test_an_override_that_the_image_does_not_allow(world: VmWorld) -> None:
    """Nothing runs, nothing is attested, the console says which variable, and the machine powers off."""
    image = push(world.registry, shell_image(world.postbox.send("echo ran")))
    world.metadata.attributes = {"tee-image-reference": image.by_tag, "tee-env-KEY_URL": "https://attacker.example"}
    with world.machine() as vm:
        line = vm.console.wait_for("level=ERROR")
        assert "env var {KEY_URL [REDACTED]} is not allowed to be overridden on this image" in line
        vm.console.wait_for('exit_code=1 exit_msg="workload or launcher error, shutting down the VM"')
        vm.wait_shutdown()
        assert "attacker.example" not in vm.console.text
    assert world.postbox.messages == []
