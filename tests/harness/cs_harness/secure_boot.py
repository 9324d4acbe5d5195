"""The keys of UEFI Secure Boot and the firmware's store of variables.

Formats: UEFI 2.10, sections 8.2 and 32.4; EDK2, AuthenticatedVariableFormat.h.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Mapping
from pathlib import Path

GLOBAL_VARIABLE = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
IMAGE_SECURITY_DATABASE = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
SECURE_BOOT_ENABLE = uuid.UUID("f0a30bc7-af08-4556-99c4-001009c93a44")
AUTHENTICATED_STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792")
NON_VOLATILE, BOOT_SERVICE, RUNTIME, TIME_BASED_AUTH = 0x01, 0x02, 0x04, 0x20
KEY_VARIABLES = {
    "PK": GLOBAL_VARIABLE,
    "KEK": GLOBAL_VARIABLE,
    "db": IMAGE_SECURITY_DATABASE,
    "dbx": IMAGE_SECURITY_DATABASE,
}
EMPTY_STORE = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")


def enrolled_store(keys: Mapping[str, bytes], empty: Path = EMPTY_STORE, *, is_on: bool = True) -> bytes:
    """Return a firmware's variable store with the signature lists PK, KEK, db and perhaps dbx, and Secure Boot on."""
    authenticated = NON_VOLATILE | BOOT_SERVICE | RUNTIME | TIME_BASED_AUTH
    records = [_variable(name, vendor, authenticated, keys[name]) for name, vendor in KEY_VARIABLES.items() if name in keys]
    records.append(_variable("SecureBootEnable", SECURE_BOOT_ENABLE, NON_VOLATILE | BOOT_SERVICE, bytes([is_on])))
    content = b"".join(records)
    store = empty.read_bytes()
    volume_header_length = struct.unpack_from("<H", store, 48)[0]
    signature, size, form, state = struct.unpack_from("<16sIBB", store, volume_header_length)
    if uuid.UUID(bytes_le=signature) != AUTHENTICATED_STORE or (form, state) != (0x5A, 0xFE):
        raise ValueError(f"{empty}: not an authenticated variable store")
    start = volume_header_length + 28
    free = store[start : start + len(content)]
    if len(content) > size - 28 or free.strip(b"\xff"):
        raise ValueError(f"{empty}: the variable store is not empty or too small")
    return store[:start] + content + store[start + len(content) :]


def _variable(name: str, vendor: uuid.UUID, attributes: int, data: bytes) -> bytes:
    """Return one variable in the form in which the firmware keeps it in flash, padded to four bytes."""
    timestamp = bytes(16)
    if attributes & TIME_BASED_AUTH:
        timestamp = struct.pack("<HBBBBBBIhBB", 2024, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    encoded_name = (name + "\0").encode("utf-16-le")
    state_added = 0x3F
    header = struct.pack("<HBBIQ", 0x55AA, state_added, 0, attributes, 0) + timestamp
    header += struct.pack("<III", 0, len(encoded_name), len(data)) + vendor.bytes_le
    record = header + encoded_name + data
    return record + b"\xff" * (-len(record) % 4)
