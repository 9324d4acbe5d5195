"""The hardened machine as a workload sees it that wishes it harm."""

from __future__ import annotations

import json
from pathlib import Path

from cs_harness import Layer, VmWorld
from cs_harness.process import run
from support import push, shell_image

MAX_COMMAND_LINE = 2047
TCP_LISTEN = "0A"
DHCP_CLIENT = 68
FIRST_OF_CLIENTS = 32768  # ip_local_port_range; who asks for the time has one, and the firewall lets in answers only


def test_a_workload_gets_nowhere(world: VmWorld, folder: Path) -> None:
    """Kernel settings, mounts, key rings, sockets, devices, descriptors and the shared folder are out of its reach."""
    probe = folder / "probe"
    run("gcc", "-Wall", "-Werror", "-static", "-o", probe, Path(__file__).with_name("probe.c"))
    layer = Layer().file("probe", probe.read_bytes(), 0o755)
    script = "; ".join(
        [
            world.postbox.send("/probe"),
            world.postbox.send("cat /proc/net/tcp /proc/net/tcp6"),
            world.postbox.send("cat /proc/net/udp /proc/net/udp6"),
            world.postbox.send("cat /proc/cmdline"),
            world.postbox.send("cat /proc/sys/kernel/modules_disabled /proc/sys/kernel/kexec_load_disabled"),
            world.postbox.send("cat /proc/self/status"),
        ]
    )
    image = push(world.registry, shell_image(script, more_layers=[layer]))
    world.metadata.attributes = {"tee-image-reference": image.by_tag}
    with world.machine() as vm:
        vm.console.wait_for("exit_code=0")
        vm.wait_shutdown()
    probed, tcp, udp, command_line, locks, status = world.postbox.messages
    assert probed.split("\n") == ["probed"]
    assert [row for row in _rows(tcp) if row[3] == TCP_LISTEN] == [], "somebody listens"
    assert {_port(row) for row in _rows(udp) if _port(row) < FIRST_OF_CLIENTS} <= {DHCP_CLIENT}, "somebody listens"
    assert len(command_line) <= MAX_COMMAND_LINE
    entry = next(image for image in world.reference_values if image["hardened"])
    assert command_line.strip() == entry["kernel_command_line"], json.dumps(entry, indent=2)
    assert locks.split() == ["1", "1"], "kernel modules or another kernel could be loaded"
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status


def _rows(table: str) -> list[list[str]]:
    """Return the rows of a table below /proc/net without its header."""
    return [line.split() for line in table.splitlines() if line.strip() and "local_address" not in line]


def _port(row: list[str]) -> int:
    return int(row[1].rpartition(":")[2], 16)
