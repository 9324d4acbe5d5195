"""The TPM's registers after a boot.

Formats: TCG PC Client Platform Firmware Profile, sections 3.3.4 and 10.2.6; UEFI 2.10, section 8.2.
"""

from __future__ import annotations

import hashlib
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from .secure_boot import SecureBootKeys, subjects
from .unified_kernel_image import MEASURED_SECTIONS, UnifiedKernelImage

BANKS = ("sha256", "sha384", "sha512")

CALLING_APPLICATION = b"Calling EFI Application from Boot Option"
SEPARATOR = bytes(4)

GLOBAL_VARIABLE = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
IMAGE_SECURITY_DATABASE = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")


def _variable(name: str, vendor: uuid.UUID, data: bytes) -> bytes:
    """Return UEFI_VARIABLE_DATA."""
    return vendor.bytes_le + struct.pack("<QQ", len(name), len(data)) + name.encode("utf-16-le") + data


@dataclass(frozen=True)
class Event:
    """What a register is extended with, and what that is of, for people."""

    digest: bytes
    text: str


def value_of(bank: str, events: Sequence[Event]) -> bytes:
    """Return what a register holds that is zero at first."""
    value = bytes(hashlib.new(bank).digest_size)
    for event in events:
        value = hashlib.new(bank, value + event.digest).digest()
    return value


def _measured(bank: str, data: bytes, text: str) -> Event:
    return Event(hashlib.new(bank, data).digest(), text)


def _separator(bank: str) -> Event:
    return _measured(bank, SEPARATOR, "the firmware's part ends")


def driver_events(bank: str) -> list[Event]:
    """Return those of PCR 2 of a machine whose firmware starts no drivers from outside of itself."""
    return [_separator(bank)]


def application_events(bank: str, authenticode: bytes) -> list[Event]:
    """Return those of PCR 4 of a machine that starts one application from its first boot option."""
    calling = _measured(bank, CALLING_APPLICATION, CALLING_APPLICATION.decode())
    return [calling, _separator(bank), Event(authenticode, "the unified kernel image")]


def secure_boot_events(bank: str, keys: SecureBootKeys, approving: bytes) -> list[Event]:
    """Return those of PCR 7 with Secure Boot on, given the EFI_SIGNATURE_DATA that approved what was started."""

    def variable(name: str, vendor: uuid.UUID, data: bytes, text: str) -> Event:
        return _measured(bank, _variable(name, vendor, data), text)

    return [
        variable("SecureBoot", GLOBAL_VARIABLE, b"\x01", "SecureBoot = on"),
        variable("PK", GLOBAL_VARIABLE, keys.pk, f"PK = {subjects(keys.pk)}"),
        variable("KEK", GLOBAL_VARIABLE, keys.kek, f"KEK = {subjects(keys.kek)}"),
        variable("db", IMAGE_SECURITY_DATABASE, keys.db, f"db = {subjects(keys.db)}"),
        variable("dbx", IMAGE_SECURITY_DATABASE, keys.dbx, f"dbx = {subjects(keys.dbx)}"),
        _separator(bank),
        variable("db", IMAGE_SECURITY_DATABASE, approving, "the entry of db that approved the unified kernel image"),
    ]


def loaded_events(bank: str, command_line: str, initial_ram_disk: bytes) -> list[Event]:
    """Return those of PCR 9 as the kernel's EFI stub makes them."""
    return [
        _measured(bank, (command_line + "\0").encode("utf-16-le"), f"command line: {command_line}"),
        _measured(bank, initial_ram_disk, "initial RAM disk"),
    ]


def sections_events(bank: str, image: UnifiedKernelImage) -> list[Event]:
    """Return those of PCR 11 as systemd's stub makes them."""
    events: list[Event] = []
    for name in MEASURED_SECTIONS:
        content = image.section(name)
        if content is not None:
            events += [_measured(bank, name.encode() + b"\0", name), _measured(bank, content, f"contents of {name}")]
    return events


def predict_events(image: UnifiedKernelImage, keys: SecureBootKeys, bank: str = "sha256") -> dict[int, list[Event]]:
    """Return what a machine measures that boots the image, by register."""
    return {
        2: driver_events(bank),
        4: application_events(bank, image.authenticode(bank)),
        7: secure_boot_events(bank, keys, keys.approving(image).data),
        9: loaded_events(bank, image.command_line(), image.initial_ram_disk()),
        11: sections_events(bank, image),
        12: [],
    }


def predict_pcrs(image: UnifiedKernelImage, keys: SecureBootKeys, bank: str = "sha256") -> dict[int, bytes]:
    """Return the registers of a machine that boots the image."""
    return {pcr: value_of(bank, events) for pcr, events in predict_events(image, keys, bank).items()}
