"""Images that are not the one that was signed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import VmWorld
from cs_harness.process import run
from cs_harness.vm import BOOT_SECONDS
from support import push, shell_image, verified_claims

SECTOR = 512
TOKEN = "/run/container_launcher/attestation_verifier_claims_token"


@pytest.fixture
def copy(world: VmWorld) -> Iterator[Path]:
    """Yield a copy of the hardened image to spoil."""
    path = world.folder / "spoilt.raw"
    shutil.copy(world.images / "hardened.raw", path)
    yield path
    path.unlink()


def partition_start(image: Path, label: str) -> int:
    """Return where a partition begins, in bytes."""
    for line in run("sfdisk", "--dump", image).splitlines():
        if f'name="{label}"' in line:
            return int(line.partition("start=")[2].partition(",")[0]) * SECTOR
    raise AssertionError(f"{image} has no partition {label}")


def flip_bit(image: Path, offset: int) -> None:
    """Change one bit of the image."""
    with image.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


def tokens_issued(world: VmWorld) -> int:
    """Count the tokens that the verifier says it has issued."""
    return sum('msg="token issued"' in line for line in world.verifier.lines)


@pytest.mark.parametrize(
    ("label", "offset", "says"),
    [
        ("root", 1024 + 16, "dm-verity device has detected corruption|device-mapper: verity: .* is corrupted"),
        ("root-verity", 4096, "dm-verity device has detected corruption|does not belong to the root hash|is corrupted"),
    ],
)
def test_one_flipped_bit_keeps_the_machine_from_starting(
    world: VmWorld, copy: Path, label: str, offset: int, says: str
) -> None:
    """The kernel notices, stops and starts over; the launcher is never reached."""
    image = push(world.registry, shell_image(world.postbox.send("echo ran")))
    world.metadata.attributes = {"tee-image-reference": image.by_tag}
    flip_bit(copy, partition_start(copy, label) + offset)
    with world.machine(image=copy) as vm:
        vm.console.wait_for(says)
        vm.wait_reboot()
        assert "TEE container launcher" not in vm.console.text
    assert world.postbox.messages == []
    assert tokens_issued(world) == 0


def test_an_image_that_is_not_signed_is_not_started(world: VmWorld, copy: Path) -> None:
    """The firmware refuses a unified kernel image in which one bit has changed."""
    kernel_image = world.folder / "kernel.efi"
    shutil.copy(world.images / "hardened.efi", kernel_image)
    flip_bit(kernel_image, kernel_image.stat().st_size // 2)
    subprocess.run(["mcopy", "-o", "-i", f"{copy}@@{1 << 20}", kernel_image, "::/EFI/BOOT/BOOTX64.EFI"], check=True)
    with world.machine(image=copy) as vm:
        vm.console.wait_for("Access Denied|Security Violation")


def test_words_added_to_the_command_line_cost_the_token_its_name(world: VmWorld) -> None:
    """What the platform slips in is measured: the machine runs, but no token calls it a Confidential Space."""
    image = push(world.registry, shell_image(world.postbox.send(f"cat {TOKEN} /proc/cmdline")))
    world.metadata.attributes = {"tee-image-reference": image.by_tag}
    with world.machine(extra_command_line="an.added=word") as vm:
        token, _, command_line = world.postbox.wait(BOOT_SECONDS).partition("roothash=")
        vm.wait_shutdown()
    assert tokens_issued(world) == 1  # so the count above would have shown one
    assert "an.added=word" in command_line
    claims = verified_claims(world, token)
    assert claims["swname"] == "GCE"
    assert claims["dbgstat"] == "enabled"
    assert "support_attributes" not in claims["submods"]["confidential_space"]
