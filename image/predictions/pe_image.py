"""A signed PE image: its sections, its Authenticode digest, its certificate table.

Formats: PE/COFF and Windows Authenticode Portable Executable Signature Format.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from .error import PredictionError

PE32_PLUS = 0x20B
MACHINE_X86_64 = 0x8664
MAX_SECTIONS = 96
CHECKSUM_OFFSET = 64
CERTIFICATE_TABLE_OFFSET = 144
OPTIONAL_HEADER_SIZE = CERTIFICATE_TABLE_OFFSET + 8
CERTIFICATE_TABLE_INDEX = 4
SECTION_HEADER = struct.Struct("<8sIIII")
SECTION_HEADER_SIZE = 40
CERTIFICATE_HEADER = struct.Struct("<IHH")
PKCS7_REVISION, PKCS7_TYPE = 0x0200, 0x0002


@dataclass(frozen=True)
class Section:
    """A section of a PE image: where it is in the file, and how much of it is loaded."""

    name: str
    virtual_size: int
    raw_offset: int
    raw_size: int


class PeImage:
    """A signed PE32+ image for x86-64."""

    def __init__(self, data: bytes, file: str) -> None:
        self.file = file
        self._data = data
        self._read_headers()
        self._read_certificate_table()
        self._sections = self._read_section_table()

    def section(self, name: str) -> bytes | None:
        """Return what of a section is loaded into memory, or None if there is no such section or it is empty."""
        for section in self._sections:
            if section.name == name and section.virtual_size:
                return self._data[section.raw_offset : section.raw_offset + section.virtual_size]
        return None

    def authenticode(self, bank: str) -> bytes:
        """Return the digest of all but the checksum, the place of the certificate table, and the table itself."""
        digest = hashlib.new(bank)
        checksum = self._optional_header + CHECKSUM_OFFSET
        directory = self._optional_header + CERTIFICATE_TABLE_OFFSET
        digest.update(self._data[:checksum])
        digest.update(self._data[checksum + 4 : directory])
        digest.update(self._data[directory + 8 : self._certificate_table])
        return digest.digest()

    def signer_certificates(self) -> list[x509.Certificate]:
        """Return the certificates in the signature. It must be over the image as it is now."""
        field = "certificate table"
        length, revision, kind = CERTIFICATE_HEADER.unpack_from(self._data, self._certificate_table)
        if (revision, kind) != (PKCS7_REVISION, PKCS7_TYPE):
            raise self._error(field, "is no PKCS #7 signature")
        if not CERTIFICATE_HEADER.size < length <= self._certificate_table_size:
            raise self._error(field, "the signature reaches beyond the table")
        if (length + 7) & ~7 != (self._certificate_table_size + 7) & ~7:
            raise self._error(field, "holds more than one signature")
        start = self._certificate_table + CERTIFICATE_HEADER.size
        signature = self._data[start : self._certificate_table + length]
        digest = self.authenticode("sha256")
        if bytes([0x04, len(digest)]) + digest not in signature:
            raise self._error(field, "the signature is not over this image's SHA-256 digest")
        try:
            certificates = pkcs7.load_der_pkcs7_certificates(signature)
        except ValueError as error:
            raise self._error(field, f"the signature can't be read: {error}") from error
        if not certificates:
            raise self._error(field, "the signature holds no certificate")
        return certificates

    def _error(self, field: str, reason: str) -> PredictionError:
        return PredictionError(self.file, field, reason)

    def _unpack(self, form: str, offset: int, field: str) -> tuple[Any, ...]:
        if offset + struct.calcsize(form) > len(self._data):
            raise self._error(field, f"lies beyond the end of the file, at {offset:#x}")
        return struct.unpack_from(form, self._data, offset)

    def _read_headers(self) -> None:
        if self._data[:2] != b"MZ":
            raise self._error("DOS header", "does not begin with MZ")
        (pe,) = self._unpack("<I", 0x3C, "e_lfanew")
        signature, machine, self._section_count = self._unpack("<4sHH", pe, "PE header")
        if signature != b"PE\0\0":
            raise self._error("PE header", "has no PE signature")
        if machine != MACHINE_X86_64:
            raise self._error("Machine", f"is {machine:#x}, not x86-64")
        if not 0 < self._section_count <= MAX_SECTIONS:
            raise self._error("NumberOfSections", f"is {self._section_count}, not 1 to {MAX_SECTIONS}")
        (self._optional_header_size,) = self._unpack("<H", pe + 20, "SizeOfOptionalHeader")
        self._optional_header = pe + 24
        if self._optional_header_size < OPTIONAL_HEADER_SIZE:
            raise self._error("SizeOfOptionalHeader", f"is {self._optional_header_size}, without a certificate table")
        (magic,) = self._unpack("<H", self._optional_header, "optional header")
        if magic != PE32_PLUS:
            raise self._error("optional header", f"is of type {magic:#x}, not PE32+")
        self._size_of_image, self._size_of_headers = self._unpack("<II", self._optional_header + 56, "SizeOfHeaders")
        (directories,) = self._unpack("<I", self._optional_header + 108, "NumberOfRvaAndSizes")
        if directories <= CERTIFICATE_TABLE_INDEX:
            raise self._error("NumberOfRvaAndSizes", f"is {directories}, without a certificate table")
        section_table_end = self._section_table + self._section_count * SECTION_HEADER_SIZE
        if not section_table_end <= self._size_of_headers <= len(self._data):
            raise self._error("SizeOfHeaders", f"is {self._size_of_headers:#x}, but the headers end elsewhere")

    @property
    def _section_table(self) -> int:
        return self._optional_header + self._optional_header_size

    def _read_certificate_table(self) -> None:
        field = "certificate table"
        place = self._optional_header + CERTIFICATE_TABLE_OFFSET
        self._certificate_table, self._certificate_table_size = self._unpack("<II", place, field)
        if not self._certificate_table_size:
            raise self._error(field, "is empty: the image is not signed")
        if self._certificate_table < self._size_of_headers or self._certificate_table % 8:
            raise self._error(field, f"begins at {self._certificate_table:#x}, in the headers or not aligned")
        if self._certificate_table + self._certificate_table_size != len(self._data):
            raise self._error(field, "does not end where the file does")
        if self._certificate_table_size < CERTIFICATE_HEADER.size:
            raise self._error(field, "is too short")

    def _read_section_table(self) -> list[Section]:
        sections: list[Section] = []
        file_end, memory_end = self._size_of_headers, self._size_of_headers
        for index in range(self._section_count):
            place = self._section_table + index * SECTION_HEADER_SIZE
            raw_name, virtual_size, address, raw_size, raw_offset = SECTION_HEADER.unpack_from(self._data, place)
            name = raw_name.rstrip(b"\0").decode("ascii", "backslashreplace")
            field = f"section {name or index}"
            if address < memory_end or address + virtual_size > self._size_of_image:
                raise self._error(field, "VirtualAddress is in another section or beyond SizeOfImage")
            memory_end = address + virtual_size
            # Whether the digest covers what lies between sections depends on who computes it.
            if raw_size and raw_offset != file_end:
                raise self._error(field, f"PointerToRawData is {raw_offset:#x}, not where the section before it ends")
            file_end += raw_size
            if file_end > self._certificate_table:
                raise self._error(field, "SizeOfRawData reaches into the certificate table")
            sections.append(Section(name, virtual_size, raw_offset, raw_size))
        return sections
