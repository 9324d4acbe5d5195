"""What systemd's stub makes of an image."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from cs_harness.signed_image import (
    ROOT_HASH,
    SECTIONS,
    TABLE,
    Signer,
    image_of,
    unsigned_image,
)
from predictions.error import PredictionError
from predictions.unified_kernel_image import UnifiedKernelImage


def test_initial_ram_disk(signer: Signer) -> None:
    image = image_of(signer, {".pcrsig": b"{}", ".ucode": b"microcode"})

    def archive(file: str, name_size: bytes, size: bytes, content: bytes) -> bytes:
        zero = b"00000000"
        folder = b"070701" + b"00000001" + b"0000416d" + zero * 2 + b"00000001" + zero * 6 + b"00000007" + zero
        header = (
            b"070701" + b"00000002" + b"00008124" + zero * 2 + b"00000001" + zero + size + zero * 4 + name_size + zero
        )
        trailer = b"070701" + zero * 4 + b"00000001" + zero * 6 + b"0000000B" + zero + b"TRAILER!!!\0\0\0\0"
        name = file.encode() + b"\0"
        return folder + b".extra\0\0\0\0" + header + name + bytes(-(110 + len(name)) % 4) + content + trailer

    expected = b"microcode\0\0\0" + b"initrd of 21 bytes...\0\0\0"
    expected += archive(".extra/tpm2-pcr-signature.json", b"0000001f", b"00000002", b"{}\0\0")
    expected += archive(".extra/os-release", b"00000012", b"00000008", b"ID=test\n")
    assert image.initial_ram_disk() == expected


def test_initial_ram_disk_is_an_archive(tmp_path: Path, signer: Signer) -> None:
    if not shutil.which("busybox"):
        pytest.skip("busybox is not installed")
    archive = image_of(signer).initial_ram_disk()[24:]
    subprocess.run(["busybox", "cpio", "-i", "-d"], cwd=tmp_path, input=archive, check=True, capture_output=True)
    assert (tmp_path / ".extra/os-release").read_bytes() == SECTIONS[".osrel"]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (b"quiet ro", "quiet ro"),
        (b"quiet ro\n\0\0\0", "quiet ro"),
        (b"\t quiet\nro \x7f ", "quiet ro"),
        (b"quiet  ro", "quiet  ro"),
        (b"x" * 2047, "x" * 2047),
    ],
)
def test_command_line(section: bytes, expected: str, signer: Signer) -> None:
    assert image_of(signer, {".cmdline": section}).command_line() == expected


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        (b"quiet\0ro", "has text behind a NUL"),
        ("quiet=\u00e9".encode(), "is not ASCII"),
        (b" \n", "holds no text"),
        (b"x" * 2048, "is longer than the 2047 characters that the kernel takes"),
    ],
)
def test_command_lines_that_the_kernel_would_get_otherwise(section: bytes, reason: str, signer: Signer) -> None:
    with pytest.raises(PredictionError, match=f"^test.efi: section .cmdline: {reason}$"):
        image_of(signer, {".cmdline": section}).command_line()


@pytest.mark.parametrize(
    ("words", "expected"),
    [("ro", None), (f"roothash={ROOT_HASH.upper()}", ROOT_HASH), (f"rd.roothash={ROOT_HASH} ro", ROOT_HASH)],
)
def test_root_hash(words: str, expected: str | None, signer: Signer) -> None:
    assert image_of(signer, {".cmdline": words.encode()}).verity_root_hash() == expected


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (f"roothash={ROOT_HASH} rd.roothash={ROOT_HASH}", "holds two root hashes"),
        ("roothash=5f1c", "roothash= is no SHA-256 digest"),
        (f"roothash={ROOT_HASH[:-1]}x", "roothash= is no SHA-256 digest"),
    ],
)
def test_root_hashes_that_name_no_file_system(words: str, reason: str, signer: Signer) -> None:
    with pytest.raises(PredictionError, match=reason):
        image_of(signer, {".cmdline": words.encode()}).verity_root_hash()


@pytest.mark.parametrize(
    ("words", "hardened", "agrees"),
    [
        ("confidential-space.hardened=true", True, True),
        ("confidential-space.hardened=false", True, False),
        ("ro", True, False),
        ("confidential-space.hardened=true confidential-space.hardened=false", True, False),
        ("confidential-space.hardened=false", False, True),
        ("ro", False, True),
        ("confidential-space.hardened=true", False, False),
    ],
)
def test_hardened_is_what_the_command_line_says(words: str, hardened: bool, agrees: bool, signer: Signer) -> None:
    image = image_of(signer, {".cmdline": words.encode()})
    if agrees:
        image.expect_hardened(hardened)
        return
    with pytest.raises(PredictionError, match=f"but hardened is {str(hardened).lower()}"):
        image.expect_hardened(hardened)


def test_a_section_that_the_file_does_not_fill_is_refused(signer: Signer) -> None:
    image = signer.sign(unsigned_image(SECTIONS))
    struct.pack_into("<I", image, TABLE + 2 * 40 + 8, 0x201)
    with pytest.raises(PredictionError, match="^test.efi: section .osrel: VirtualSize is larger than"):
        UnifiedKernelImage(bytes(image), "test.efi")


@pytest.mark.parametrize("name", [".linux", ".osrel", ".cmdline", ".initrd"])
def test_an_image_without_its_parts_is_refused(name: str, signer: Signer) -> None:
    with pytest.raises(PredictionError, match=f"^test.efi: section {name}: is missing or empty$"):
        image_of(signer, {name: None})


@pytest.mark.parametrize("name", [".profile", ".dtbauto", ".hwids", ".efifw"])
def test_an_image_that_the_stub_chooses_from_is_refused(name: str, signer: Signer) -> None:
    with pytest.raises(PredictionError, match=f"^test.efi: section {name}: what the stub makes of it"):
        image_of(signer, {name: b"x"})


def test_a_section_that_stands_twice_is_refused(signer: Signer) -> None:
    image = signer.sign(unsigned_image(SECTIONS))
    struct.pack_into("<8s", image, TABLE, b".linux")
    with pytest.raises(PredictionError, match="^test.efi: section .linux: stands twice$"):
        UnifiedKernelImage(bytes(image), "test.efi")
