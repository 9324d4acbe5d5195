"""A workload that takes all the memory and all the processes there are: the machine is the launcher's to the end."""

from __future__ import annotations

import re

from cs_harness import VmWorld
from cs_harness.vm import BOOT_SECONDS
from support import push, shell_image

TAKEN_SECONDS = 900.0
MEMORY_MIB = 1024


def test_out_of_memory(world: VmWorld) -> None:
    """The kernel ends what the workload has too much of, and nothing else, until it is the workload itself."""
    eat = "busybox dd if=/dev/zero of=/dev/null count=1 bs="
    some = f"{eat}700M"
    script = f"{some} & {some} & {some} & wait; {world.postbox.send('echo still here')}; exec {eat}850M"
    image = push(world.registry, shell_image(script))
    world.metadata.attributes = {"tee-image-reference": image.by_tag}
    with world.machine(memory_mib=MEMORY_MIB) as vm:
        vm.console.wait_for("Out of memory: Killed process", TAKEN_SECONDS)
        assert world.postbox.wait(TAKEN_SECONDS).strip() == "still here"
        assert "return_code=137" in vm.console.wait_for("workload task ended and returned non-zero", TAKEN_SECONDS)
        vm.console.wait_for('exit_code=1 exit_msg="workload or launcher error, shutting down the VM"')
        vm.wait_shutdown()
        killed = re.findall(r"Out of memory: Killed process \d+ \(([^)]*)\)", vm.console.text)
    assert set(killed) == {"busybox"}


def test_a_fork_bomb(world: VmWorld) -> None:
    """It ends at the machine's limit, or by the power button, and takes nobody with it."""
    script = f"{world.postbox.send('echo begun')}; while sleep 1000 & do :; done"
    image = push(world.registry, shell_image(script))
    world.metadata.attributes = {"tee-image-reference": image.by_tag}
    with world.machine(memory_mib=MEMORY_MIB) as vm:
        assert world.postbox.wait(BOOT_SECONDS, count=len(world.postbox.messages) + 1).strip() == "begun"
        vm.console.wait_for("workload task ended and returned non-zero", TAKEN_SECONDS)
        vm.console.wait_for('exit_code=1 exit_msg="workload or launcher error, shutting down the VM"')
        vm.wait_shutdown()
        killed = re.findall(r"Out of memory: Killed process \d+ \(([^)]*)\)", vm.console.text)
    assert set(killed) <= {"sh", "sleep", "busybox"}
