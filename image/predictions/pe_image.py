"""A signed PE image: its sections, its Authenticode digest, its certificate table.

Formats: PE/COFF and Windows Authenticode Portable Executable Signature Format.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

import pefile  # type: ignore[import]
from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs7

from .error import PredictionError

X86_64 = pefile.MACHINE_TYPE["IMAGE_FILE_MACHINE_AMD64"]
PE32_PLUS = pefile.OPTIONAL_HEADER_MAGIC_PE_PLUS
CERTIFICATE_TABLE = pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_SECURITY"]
MAX_SECTIONS = 96
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
    """A signed PE32+ image for x86-64.

    pefile reads whatever it can, and passes over what is odd or stops there. So what it has read is checked here.
    """

    def __init__(self, data: bytes, file: str) -> None:
        self.file = file
        self._data = data
        try:
            self._pe = pefile.PE(data=data, fast_load=True)
        except pefile.PEFormatError as error:
            raise self._error("PE headers", error.value.rstrip(".")) from error
        self._expect_headers()
        self._certificate_table = self._read_certificate_table()
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
        checksum = self._pe.OPTIONAL_HEADER.get_field_absolute_offset("CheckSum")
        directory = self._certificate_directory.get_file_offset()
        digest.update(self._data[:checksum])
        digest.update(self._data[checksum + 4 : directory])
        digest.update(self._data[directory + 8 : self._certificate_directory.VirtualAddress])
        return digest.digest()

    def signer_certificates(self) -> list[x509.Certificate]:
        """Return the certificates in the signature. It must be over the image as it is now."""
        field, table = "certificate table", self._certificate_table
        length, revision, kind = CERTIFICATE_HEADER.unpack_from(table)
        if (revision, kind) != (PKCS7_REVISION, PKCS7_TYPE):
            raise self._error(field, "is no PKCS #7 signature")
        if not CERTIFICATE_HEADER.size < length <= len(table):
            raise self._error(field, "the signature reaches beyond the table")
        if (length + 7) & ~7 != (len(table) + 7) & ~7:
            raise self._error(field, "holds more than one signature")
        signature = table[CERTIFICATE_HEADER.size : length]
        digest = self.authenticode("sha256")
        if bytes([0x04, len(digest)]) + digest not in signature:
            raise self._error(field, "the signature is not over this image's SHA-256 digest")
        try:
            certificates = pkcs7.load_der_pkcs7_certificates(signature)
        except (ValueError, UnsupportedAlgorithm, InternalError) as error:
            raise self._error(field, f"the signature can't be read: {error}") from error
        if not certificates:
            raise self._error(field, "the signature holds no certificate")
        return certificates

    def _error(self, field: str, reason: str) -> PredictionError:
        return PredictionError(self.file, field, reason)

    def _expect_headers(self) -> None:
        file_header, optional_header = self._pe.FILE_HEADER, self._pe.OPTIONAL_HEADER
        if file_header.Machine != X86_64:
            raise self._error("Machine", f"is {file_header.Machine:#x}, not x86-64")
        if not 0 < file_header.NumberOfSections <= MAX_SECTIONS:
            raise self._error("NumberOfSections", f"is {file_header.NumberOfSections}, not 1 to {MAX_SECTIONS}")
        if optional_header.Magic != PE32_PLUS:
            raise self._error("optional header", f"is of type {optional_header.Magic:#x}, not PE32+")
        if len(optional_header.DATA_DIRECTORY) <= CERTIFICATE_TABLE:
            count = optional_header.NumberOfRvaAndSizes
            raise self._error("NumberOfRvaAndSizes", f"is {count}, without a certificate table")
        self._certificate_directory = optional_header.DATA_DIRECTORY[CERTIFICATE_TABLE]
        section_table = optional_header.get_file_offset() + file_header.SizeOfOptionalHeader
        if self._certificate_directory.get_file_offset() + self._certificate_directory.sizeof() > section_table:
            size = file_header.SizeOfOptionalHeader
            raise self._error("SizeOfOptionalHeader", f"is {size}, without a certificate table")
        section_table_end = section_table + file_header.NumberOfSections * SECTION_HEADER_SIZE
        if not section_table_end <= optional_header.SizeOfHeaders <= len(self._data):
            raise self._error("SizeOfHeaders", f"is {optional_header.SizeOfHeaders:#x}, but the headers end elsewhere")

    def _read_certificate_table(self) -> bytes:
        field = "certificate table"
        # The one address in a PE image that is a place in the file.
        start, size = self._certificate_directory.VirtualAddress, self._certificate_directory.Size
        if not size:
            raise self._error(field, "is empty: the image is not signed")
        if start < self._pe.OPTIONAL_HEADER.SizeOfHeaders or start % 8:
            raise self._error(field, f"begins at {start:#x}, in the headers or not aligned")
        if start + size != len(self._data):
            raise self._error(field, "does not end where the file does")
        if size < CERTIFICATE_HEADER.size:
            raise self._error(field, "is too short")
        return self._data[start:]

    def _read_section_table(self) -> list[Section]:
        optional_header = self._pe.OPTIONAL_HEADER
        sections: list[Section] = []
        file_end = memory_end = optional_header.SizeOfHeaders
        # pefile sorts them by their addresses.
        for header in sorted(self._pe.sections, key=pefile.SectionStructure.get_file_offset):
            name = header.Name.rstrip(b"\0").decode("ascii", "backslashreplace")
            field = f"section {name or len(sections)}"
            end = header.VirtualAddress + header.Misc_VirtualSize
            if header.VirtualAddress < memory_end or end > optional_header.SizeOfImage:
                raise self._error(field, "VirtualAddress is in another section or beyond SizeOfImage")
            memory_end = end
            # Whether the digest covers what lies between sections depends on who computes it.
            place, size = header.PointerToRawData, header.SizeOfRawData
            if size and place != file_end:
                raise self._error(field, f"PointerToRawData is {place:#x}, not where the section before it ends")
            file_end += size
            if file_end > self._certificate_directory.VirtualAddress:
                raise self._error(field, "SizeOfRawData reaches into the certificate table")
            sections.append(Section(name, header.Misc_VirtualSize, place, size))
        if len(sections) != self._pe.FILE_HEADER.NumberOfSections:
            raise self._error(f"section {len(sections)}", "the header is empty or makes no sense")
        return sections
