"""A machine that was started with a wrong clock gets the right time by the network."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from cs_harness import VmWorld
from cs_harness.time_network import TimeNetwork
from cs_harness.vm import BOOT_SECONDS
from support import push, shell_image

# Ahead, by less than a token lives: the launch itself is not in question.
OFF = timedelta(minutes=20)
CLOSE_SECONDS = 60.0


def test_a_wrong_clock_is_set_by_the_one_that_dhcp_names(world: VmWorld, folder: Path) -> None:
    """The workload sees the wrong time until the network comes that knows it."""
    halfway = time.time() + OFF.total_seconds() / 2
    script = "; ".join(
        [
            world.postbox.send("date +%s"),
            f"while [ $(date +%s) -gt {halfway:.0f} ]; do sleep 1; done",
            world.postbox.send("date +%s"),
        ]
    )
    image = push(world.registry, shell_image(script))
    world.metadata.attributes = {"tee-image-reference": image.by_tag}
    with TimeNetwork(folder) as network, world.machine(time_network=network, clock_is_off_by=OFF) as vm:
        before = int(world.postbox.wait(BOOT_SECONDS)) - time.time()
        vm.set_network(up=True, name="time")
        after = int(world.postbox.wait(BOOT_SECONDS, count=2)) - time.time()
        vm.console.wait_for("exit_code=0")
        vm.wait_shutdown()
    assert before > OFF.total_seconds() / 2
    assert abs(after) < CLOSE_SECONDS
