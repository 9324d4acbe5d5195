"""Network, metadata server and verifier that come minutes after the machine, one after the other."""

from __future__ import annotations

from cs_harness import MetadataServer, VmWorld
from cs_harness.vm import BOOT_SECONDS
from support import push, shell_image

AWAY_SECONDS = 120


def test_the_launcher_waits_for_what_comes_late(world: VmWorld) -> None:
    """Each absence is told on the console, none ends the launch, and the workload runs at last."""
    image = push(world.registry, shell_image(world.postbox.send("echo ran")))
    metadata = MetadataServer(world.folder / "late-metadata", attributes={"tee-image-reference": image.by_tag})
    metadata.share_keys(world.metadata)
    world.verifier.stop()
    with world.machine(metadata=metadata, network_is_up=False) as vm:
        vm.console.wait_for('msg="waiting for the network"')
        vm.console.wait_for(_waited("network", AWAY_SECONDS))
        vm.set_network(up=True)
        vm.console.wait_for('msg="the network is there"')
        vm.console.wait_for('msg="waiting for the metadata server"')
        with metadata:
            vm.console.wait_for('msg="the metadata server is there"')
            vm.console.wait_for('msg="waiting for the verifier"')
            world.verifier.start()
            vm.console.wait_for('msg="the verifier is there"')
            assert world.postbox.wait(BOOT_SECONDS) == "ran"
            vm.console.wait_for("exit_code=0")
            vm.wait_shutdown()


def _waited(what: str, seconds: int) -> str:
    """Return a pattern for the line that tells of having waited that long; a line comes every 15 s."""
    return f'msg="waiting for the {what}" waited_sec=({"|".join(str(seconds + more) for more in range(15))}) '
