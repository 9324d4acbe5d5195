"""What a workload writes, on the machine's console and in its journal; and what an operator can add to its container."""

from __future__ import annotations

import json

from cs_harness import VmWorld
from cs_harness.shell import Shell
from support import STAY, push, shell_image

JOURNAL = "journalctl --no-pager --output=json SYSLOG_IDENTIFIER=tee-container"


def test_raw_output_on_the_console_of_a_hardened_machine(world: VmWorld) -> None:
    """Where the image's author always lets it out; no line of JSON comes with it."""
    image = push(
        world.registry,
        shell_image("echo words to read; echo and of an error >&2", labels={"tee.launch_policy.log_redirect": "always"}),
    )
    world.metadata.attributes = {"tee-image-reference": image.by_tag, "tee-container-log-redirect": "serial"}
    with world.machine() as vm:
        vm.console.wait_for("words to read")
        vm.console.wait_for("exit_code=0")
        vm.wait_shutdown()
        assert "and of an error" in vm.console.text
        assert '"severity"' not in vm.console.text


def test_a_debug_machine_with_all_that_an_operator_can_ask_for(world: VmWorld) -> None:
    """Lines in the journal with fields of their own, raw ones on the console; mounts, groups and capabilities inside."""
    script = "; ".join(
        [
            "echo told to all",
            "echo a mistake >&2",
            world.postbox.send(
                "mkdir /sys/fs/cgroup/own && echo made; grep -c ' /data tmpfs ' /proc/mounts; "
                "grep ' /dev/shm ' /proc/mounts | grep -o size=128k; grep CapEff /proc/self/status"
            ),
            STAY,
        ]
    )
    labels = {
        "tee.launch_policy.allow_mount_destinations": "/data",
        "tee.launch_policy.allow_capabilities": "true",
        "tee.launch_policy.allow_cgroups": "true",
    }
    image = push(world.registry, shell_image(script, labels=labels))
    world.metadata.attributes = {
        "tee-image-reference": image.by_tag,
        "tee-container-log-redirect": "true",
        "tee-mount": "type=tmpfs,source=tmpfs,destination=/data,size=1048576",
        "tee-dev-shm-size-kb": "128",
        "tee-cgroup-ns": "true",
        "tee-added-capabilities": json.dumps(["CAP_SYS_TIME"]),
    }
    with world.machine("debug") as vm:
        vm.console.wait_for("told to all")
        made, mounts, size, capabilities = world.postbox.wait().splitlines()
        shell = Shell(vm.console).wait_ready()
        entries = [json.loads(line) for line in shell.run(JOURNAL).splitlines() if line.startswith("{")]
    assert (made, mounts, size) == ("made", "1", "size=128k")
    assert int(capabilities.split()[1], 16) & 1 << 25
    by_text = {entry["TEE_MESSAGE"]: entry for entry in entries}
    for text, stream, priority, severity in (
        ("told to all", "stdout", "6", "INFO"),
        ("a mistake", "stderr", "3", "ERROR"),
    ):
        entry = by_text[text]
        assert (entry["TEE_STREAM"], entry["PRIORITY"]) == (stream, priority)
        assert entry["_SYSTEMD_UNIT"] == "cs-launcher.service"
        assert json.loads(entry["MESSAGE"]) == {"severity": severity, "message": text}
