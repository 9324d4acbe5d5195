"""The hardened image, from power on to power off, and what that costs."""

from __future__ import annotations

import re

from cs_harness import VmWorld
from report import report
from support import container_claims, push, shell_image, verified_claims

MEGABYTE = 1e6
MAX_IMAGE_BYTES = 250e6
TOKEN = "/run/container_launcher/attestation_verifier_claims_token"


def test_a_production_run(world: VmWorld) -> None:
    """The workload runs, its token says what runs on which image, and the machine powers itself off."""
    entry = next(image for image in world.reference_values if image["hardened"])
    predicted = entry["pcrs"]["sha256"]
    registers = " ".join(f"/sys/class/tpm/tpm0/pcr-sha256/{pcr}" for pcr in predicted)
    script = "; ".join(world.postbox.send(f"cat {files}") for files in (TOKEN, "/proc/meminfo", registers))
    image = push(world.registry, shell_image(script))
    world.metadata.attributes = {"tee-image-reference": image.by_tag}
    with world.machine() as vm:
        started = vm.console.wait_for('msg="workload task started"')
        token = world.postbox.wait()
        memory = world.postbox.wait(count=2)
        found = world.postbox.wait(count=3).lower().split()
        vm.console.wait_for('exit_code=0 exit_msg="workload finished successfully, shutting down the VM"')
        vm.wait_shutdown()
        boot = vm.console.text
    claims = verified_claims(world, token)
    assert claims["swname"] == "CONFIDENTIAL_SPACE"
    assert claims["dbgstat"] == "disabled-since-boot"
    assert claims["secboot"] is True
    assert claims["submods"]["confidential_space"]["support_attributes"] == ["LATEST", "STABLE", "USABLE"]
    assert claims["swversion"] == [str(entry["swversion"])]
    assert container_claims(claims)["image_digest"] == image.digest
    assert container_claims(claims)["env"]["HOSTNAME"] == world.metadata.instance.name
    assert found == list(predicted.values()), "what was predicted without a boot is not what was measured"
    assert "login" not in boot
    report("kernel start to workload start", f"{_number('uptime_sec=([0-9.]+)', started):.1f} s")
    report("memory in use while a shell runs", f"{_memory_in_use(memory) / MEGABYTE:.0f} MB")


def test_the_image_is_small(world: VmWorld) -> None:
    """The image stays below what an operator would notice when it is copied around."""
    size = (world.images / "hardened.raw").stat().st_size
    report("image file", f"{size / MEGABYTE:.0f} MB")
    assert size < MAX_IMAGE_BYTES


def _memory_in_use(meminfo: str) -> float:
    """Return the bytes that are neither free nor a cache that the kernel would give back (proc_meminfo(5))."""
    total, *given_back = (
        _number(rf"(?m)^{name}:\s+(\d+)", meminfo)
        for name in ("MemTotal", "MemFree", "Buffers", "Cached", "SReclaimable")
    )
    return (total - sum(given_back)) * 1024


def _number(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    assert match is not None, f"{pattern} is not in {text}"
    return float(match[1])
