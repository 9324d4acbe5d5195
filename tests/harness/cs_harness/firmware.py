"""EDK2's firmware, built by somebody else: the same but for the name that it gives itself.

Formats: UEFI Platform Initialization 1.8, volume 3, section 3.2 (EFI_SECTION_GUID_DEFINED); LZMA's own file format.
"""

from __future__ import annotations

import lzma
import struct
import uuid

LZMA_SECTION = uuid.UUID("ee4e5898-3914-4259-9d6e-dc7bd79403cf")
SIZE_AND_TYPE = 4
LZMA_HEADER = struct.Struct("<BIQ")
VENDOR, OTHER_VENDOR = "EDK II".encode("utf-16-le"), "EDK 2.".encode("utf-16-le")


def by_other_vendor(firmware: bytes) -> bytes:
    """Return firmware whose volumes, which are compressed, say another vendor's name."""
    guid = firmware.index(LZMA_SECTION.bytes_le)
    section = guid - SIZE_AND_TYPE
    size = int.from_bytes(firmware[section : section + 3], "little")
    (data_offset,) = struct.unpack_from("<H", firmware, guid + 16)
    begin, end = section + data_offset, section + size
    properties, dictionary, unpacked = LZMA_HEADER.unpack_from(firmware, begin)
    volumes = lzma.LZMADecompressor(format=lzma.FORMAT_ALONE).decompress(firmware[begin:end])
    if len(volumes) != unpacked or VENDOR not in volumes:
        raise ValueError("the firmware's volumes are not those that were expected")
    how = {
        "id": lzma.FILTER_LZMA1,
        "preset": 9 | lzma.PRESET_EXTREME,
        "dict_size": dictionary,
        "lc": properties % 9,
        "lp": properties // 9 % 5,
        "pb": properties // 45,
    }
    packed = lzma.compress(volumes.replace(VENDOR, OTHER_VENDOR), format=lzma.FORMAT_ALONE, filters=[how])
    packed = LZMA_HEADER.pack(properties, dictionary, unpacked) + packed[LZMA_HEADER.size :]
    if len(packed) > end - begin:
        raise ValueError("the firmware's volumes don't fit where they were")
    return firmware[:begin] + packed.ljust(end - begin, b"\0") + firmware[end:]
