"""What an image's author lets an operator do without a word: on a debug machine, and on a hardened one."""

from __future__ import annotations

from cs_harness import VmWorld
from cs_harness.shell import Shell
from support import STAY, push, shell_image, verified_claims

TOKEN = "/run/container_launcher/attestation_verifier_claims_token"
WISHES = {
    "tee-container-log-redirect": "true",
    "tee-monitoring-enable": "memoryOnly",
    "tee-cmd": '["x"]',
    "tee-env-NAME": "value",
    "tee-mount": "type=tmpfs,source=tmpfs,destination=/data,size=1048576",
    "tee-added-capabilities": '["CAP_SYS_TIME"]',
    "tee-cgroup-ns": "true",
}
# Of every image, whatever the machine: a label has to allow it.
NEVER_WITHOUT_A_LABEL = (
    "CMD is not allowed to be overridden on this image",
    "env var {NAME [REDACTED]} is not allowed to be overridden on this image",
    "destination mount points are not allowed",
    "additional capabilities are not allowed",
    "cgroups usage is not allowed",
)


def test_a_hardened_machine_refuses_all_that_no_label_allows(world: VmWorld) -> None:
    """All of it in one error."""
    image = push(world.registry, shell_image(world.postbox.send("echo ran")))
    world.metadata.attributes = {"tee-image-reference": image.by_tag, **WISHES}
    with world.machine() as vm:
        line = vm.console.wait_for("level=ERROR")
        for words in (
            *NEVER_WITHOUT_A_LABEL,
            "logging redirection only allowed on debug environment by image",
            "spec configured for memoryOnly but policy is none",
        ):
            assert words in line
        vm.console.wait_for("exit_code=1")
        vm.wait_shutdown()
    assert world.postbox.messages == []


def test_a_debug_machine_allows_output_and_monitoring(world: VmWorld) -> None:
    """Lines on the console, metrics on a socket for the machine's own people, and a token that says so."""
    image = push(world.registry, shell_image(f"echo words of a workload; {world.postbox.send(f'cat {TOKEN}')}; {STAY}"))
    allowed = ("tee-container-log-redirect", "tee-monitoring-enable")
    world.metadata.attributes = {"tee-image-reference": image.by_tag, **{name: WISHES[name] for name in allowed}}
    with world.machine("debug") as vm:
        vm.console.wait_for("^words of a workload")
        claims = verified_claims(world, world.postbox.wait())
        shell = Shell(vm.console).wait_ready()
        socket = shell.run("stat --format='%F %U %a' /run/cs-launcher/metrics.sock").strip()
    assert claims["submods"]["confidential_space"]["monitoring_enabled"] == {"memory": True}
    assert socket == "socket cs-launcher 660"
