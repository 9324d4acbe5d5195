"""What is read of a PE image, and which images are refused."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cs_harness.signed_image import (
    HEADERS,
    OPTIONAL,
    PE,
    SECTIONS,
    TABLE,
    Signer,
    authenticode,
    image_of,
    unsigned_image,
)
from predictions.error import PredictionError
from predictions.secure_boot import SecureBootKeys
from predictions.unified_kernel_image import UnifiedKernelImage


@pytest.mark.parametrize("bank", ["sha256", "sha384", "sha512"])
def test_authenticode(bank: str, signer: Signer) -> None:
    assert image_of(signer).authenticode(bank) == authenticode(unsigned_image(SECTIONS), bank)


def test_signing_tools_agree(tmp_path: Path, signer: Signer, keys: SecureBootKeys) -> None:
    if not shutil.which("osslsigncode"):
        pytest.skip("osslsigncode is not installed")
    files = {"in.efi": bytes(unsigned_image(SECTIONS)), "db.pem": signer.pem}
    files["db.key"] = signer.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    sign = [
        "osslsigncode",
        "sign",
        "-certs",
        "db.pem",
        "-key",
        "db.key",
        "-h",
        "sha256",
        "-in",
        "in.efi",
        "-out",
        "out.efi",
    ]
    subprocess.run(sign, cwd=tmp_path, check=True, capture_output=True)
    verify = ["osslsigncode", "verify", "-CAfile", "db.pem", "-in", "out.efi"]
    said = subprocess.run(verify, cwd=tmp_path, check=False, capture_output=True, text=True).stdout
    found = re.search(r"Calculated message digest *: ([0-9A-F]{64})", said)
    assert found, said
    image = UnifiedKernelImage((tmp_path / "out.efi").read_bytes(), "out.efi")
    assert image.authenticode("sha256").hex() == found[1].lower()
    assert keys.approving(image).certificate == signer.der


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((0, "<H", 0), "PE headers: DOS Header magic not found"),
        ((0x3C, "<I", 0x7FFFFFFF), "PE headers: Invalid e_lfanew value"),
        ((PE, "<I", 0), "PE headers: NT Headers not found"),
        ((PE + 4, "<H", 0xAA64), "Machine: is 0xaa64, not x86-64"),
        ((PE + 6, "<H", 0), "NumberOfSections: is 0, not 1 to 96"),
        ((PE + 6, "<H", 97), "NumberOfSections: is 97, not 1 to 96"),
        ((PE + 6, "<H", 96), "SizeOfHeaders: is 0x400, but the headers end elsewhere"),
        ((PE + 20, "<H", 151), "SizeOfOptionalHeader: is 151, without a certificate table"),
        ((OPTIONAL, "<H", 0x10B), "optional header: is of type 0x10b, not PE32"),
        ((OPTIONAL + 108, "<I", 4), "NumberOfRvaAndSizes: is 4, without a certificate table"),
        ((OPTIONAL + 108, "<I", 0x80000000), "NumberOfRvaAndSizes: is 2147483648, without a certificate table"),
        ((OPTIONAL + 60, "<I", 0x7FFFFFFF), "SizeOfHeaders: is 0x7fffffff, but the headers end elsewhere"),
        ((OPTIONAL + 144, "<Q", 0), "certificate table: is empty: the image is not signed"),
        ((OPTIONAL + 144, "<I", 8), "certificate table: begins at 0x8, in the headers or not aligned"),
        ((OPTIONAL + 144, "<I", 0x7FFFFFF1), "certificate table: begins at 0x7ffffff1, in the headers or not aligned"),
        ((OPTIONAL + 148, "<I", 8), "certificate table: does not end where the file does"),
        ((TABLE + 12, "<I", 0x10), "section .text: VirtualAddress is in another section or beyond SizeOfImage"),
        ((TABLE + 8, "<I", 0x1001), "section .sbat: VirtualAddress is in another section or beyond SizeOfImage"),
        ((OPTIONAL + 56, "<I", 0x1000), "section .text: VirtualAddress is in another section or beyond SizeOfImage"),
        ((TABLE + 20, "<I", 0x200), "section .text: PointerToRawData is 0x200, not where the section before it ends"),
        ((TABLE + 20, "<I", 0x600), "section .text: PointerToRawData is 0x600, not where the section before it ends"),
        ((TABLE + 16, "<I", 0x400), "section .sbat: PointerToRawData is 0x600, not where the section before it ends"),
        ((TABLE + 6 * 40 + 16, "<I", 0x7FFFFFFF), "section .initrd: SizeOfRawData reaches into the certificate table"),
        ((TABLE + 6 * 40 + 8, "<I", 0), "section .initrd: is missing or empty"),
        ((TABLE + 6 * 40, "<40s", b""), "section 6: the header is empty or makes no sense"),
        ((TABLE + 6 * 40 + 8, "<16s", b"\xff" * 16), "section 6: the header is empty or makes no sense"),
    ],
)
def test_broken_images(change: tuple[int, str, int | bytes], reason: str, signer: Signer) -> None:
    image = signer.sign(unsigned_image(SECTIONS))
    offset, form, value = change
    struct.pack_into(form, image, offset, value)
    with pytest.raises(PredictionError, match=f"^test.efi: {reason}"):
        UnifiedKernelImage(bytes(image), "test.efi")


def test_sections_out_of_order_are_refused(signer: Signer) -> None:
    image = signer.sign(unsigned_image(SECTIONS))
    for index, address in enumerate((0x2000, 0x1000)):
        struct.pack_into("<I", image, TABLE + index * 40 + 12, address)
    with pytest.raises(PredictionError, match="^test.efi: section .sbat: VirtualAddress is in another section"):
        UnifiedKernelImage(bytes(image), "test.efi")


def test_a_file_that_ends_anywhere_is_refused(signer: Signer) -> None:
    image = bytes(signer.sign(unsigned_image(SECTIONS)))
    for size in [*range(HEADERS + 1), *range(HEADERS, len(image), 101), len(image) - 1]:
        with pytest.raises(PredictionError, match=r"^test\.efi: "):
            UnifiedKernelImage(image[:size], "test.efi")


def test_signatures_that_no_firmware_takes(signer: Signer) -> None:
    unsigned = unsigned_image(SECTIONS)
    place = len(unsigned)
    signed = bytes(signer.sign(bytearray(unsigned)))

    def refused(image: bytes, reason: str) -> None:
        with pytest.raises(PredictionError, match=f"^test.efi: certificate table: {reason}"):
            UnifiedKernelImage(image, "test.efi").signer_certificates()

    def changed(offset: int, form: str, value: int, image: bytes = signed) -> bytes:
        copy = bytearray(image)
        struct.pack_into(form, copy, offset, value)
        return bytes(copy)

    refused(changed(place + 4, "<H", 0x0100), "is no PKCS #7 signature")
    refused(changed(place + 6, "<H", 0x0001), "is no PKCS #7 signature")
    refused(changed(place, "<I", 8), "the signature reaches beyond the table")
    refused(changed(place, "<I", 0x7FFFFFFF), "the signature reaches beyond the table")
    table = signed[place:]
    refused(changed(OPTIONAL + 148, "<I", 2 * len(table), signed + table), "holds more than one signature")
    refused(changed(place - 1, "<B", 1), "the signature is not over this image's SHA-256 digest")
    refused(changed(place + 8, "<B", 0), "the signature can't be read")
    content_type = place + 8 + signed[place + 8 :].index(b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")
    for last in (0x01, 0x63):
        refused(changed(content_type + 8, "<B", last), "the signature can't be read")
    refused(bytes(signer.sign(bytearray(unsigned), bytes(32))), "the signature is not over this image's SHA-256 digest")
