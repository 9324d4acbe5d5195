"""A workload that fails under the policy OnFailure: the machine reboots, and the second run does better."""

from __future__ import annotations

from cs_harness import VmWorld
from cs_harness.vm import BOOT_SECONDS
from support import push, shell_image


def test_on_failure_the_machine_reboots_and_runs_again(world: VmWorld) -> None:
    """Exit code 3, a reboot, a fresh PCR 13 and a second launch that ends well."""
    image = push(world.registry, shell_image(f"{world.postbox.send('echo first')}; exit 1"))
    world.metadata.attributes = {"tee-image-reference": image.by_tag, "tee-restart-policy": "OnFailure"}
    with world.machine() as vm:
        assert world.postbox.wait(BOOT_SECONDS) == "first"
        push(world.registry, shell_image(world.postbox.send("echo second")))  # the same tag
        vm.console.wait_for('exit_code=3 exit_msg="rebooting VM"')
        first_boot = len(vm.console.lines)
        vm.wait_reboot()
        assert world.postbox.wait(BOOT_SECONDS, count=2) == "second"
        vm.console.wait_for("exit_code=0", after=first_boot)
        vm.wait_shutdown()
