"""The TPM's registers after a boot.

Formats: TCG PC Client Platform Firmware Profile, sections 3.3.4 and 10.2.6; UEFI 2.10, section 8.2.
"""

from __future__ import annotations

import hashlib
import struct
import uuid
from collections.abc import Sequence

from .secure_boot import SecureBootKeys
from .unified_kernel_image import MEASURED_SECTIONS, UnifiedKernelImage

BANKS = ("sha256", "sha384", "sha512")

CALLING_APPLICATION = b"Calling EFI Application from Boot Option"
SEPARATOR = bytes(4)

GLOBAL_VARIABLE = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
IMAGE_SECURITY_DATABASE = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")


def _variable(name: str, vendor: uuid.UUID, data: bytes) -> bytes:
    """Return UEFI_VARIABLE_DATA."""
    return vendor.bytes_le + struct.pack("<QQ", len(name), len(data)) + name.encode("utf-16-le") + data


def _extended(bank: str, digests: Sequence[bytes]) -> bytes:
    value = bytes(hashlib.new(bank).digest_size)
    for digest in digests:
        value = hashlib.new(bank, value + digest).digest()
    return value


def _measured(bank: str, *events: bytes) -> list[bytes]:
    return [hashlib.new(bank, event).digest() for event in events]


def driver_pcr(bank: str) -> bytes:
    """Return PCR 2 of a machine whose firmware starts no drivers from outside of itself."""
    return _extended(bank, _measured(bank, SEPARATOR))


def application_pcr(bank: str, authenticode: bytes) -> bytes:
    """Return PCR 4 of a machine that starts one application from its first boot option."""
    return _extended(bank, [*_measured(bank, CALLING_APPLICATION, SEPARATOR), authenticode])


def secure_boot_pcr(bank: str, keys: SecureBootKeys, approving: bytes) -> bytes:
    """Return PCR 7 of a machine with Secure Boot on, given the EFI_SIGNATURE_DATA that approved what it started."""
    return _extended(
        bank,
        _measured(
            bank,
            _variable("SecureBoot", GLOBAL_VARIABLE, b"\x01"),
            _variable("PK", GLOBAL_VARIABLE, keys.pk),
            _variable("KEK", GLOBAL_VARIABLE, keys.kek),
            _variable("db", IMAGE_SECURITY_DATABASE, keys.db),
            _variable("dbx", IMAGE_SECURITY_DATABASE, keys.dbx),
            SEPARATOR,
            _variable("db", IMAGE_SECURITY_DATABASE, approving),
        ),
    )


def loaded_pcr(bank: str, command_line: str, initial_ram_disk: bytes) -> bytes:
    """Return PCR 9 as the kernel's EFI stub leaves it."""
    return _extended(bank, _measured(bank, (command_line + "\0").encode("utf-16-le"), initial_ram_disk))


def sections_pcr(bank: str, image: UnifiedKernelImage) -> bytes:
    """Return PCR 11 as systemd's stub leaves it."""
    events: list[bytes] = []
    for name in MEASURED_SECTIONS:
        content = image.section(name)
        if content is not None:
            events += [name.encode() + b"\0", content]
    return _extended(bank, _measured(bank, *events))


def predict_pcrs(image: UnifiedKernelImage, keys: SecureBootKeys, bank: str = "sha256") -> dict[int, bytes]:
    """Return the registers of a machine that boots the image."""
    return {
        2: driver_pcr(bank),
        4: application_pcr(bank, image.authenticode(bank)),
        7: secure_boot_pcr(bank, keys, keys.approving(image).data),
        9: loaded_pcr(bank, image.command_line(), image.initial_ram_disk()),
        11: sections_pcr(bank, image),
        12: bytes(hashlib.new(bank).digest_size),
    }
