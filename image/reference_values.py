#!/usr/bin/python3
"""Predict what a machine measures that boots a signed unified kernel image, and write it as reference values.

Nothing is booted: the values follow from what the image build has made. The machine is one whose firmware (EDK2, as in
OVMF) starts the image itself as its first boot option, with Secure Boot on and a TPM, and whose system partition holds
neither credentials nor extensions nor addons for the stub. No device has a driver that the firmware starts (an option
ROM), and no Driver#### is set. In each bank it fills

* PCR 2 with a separator alone: a driver would stand there, and it could do anything to what is started after it;
* PCR 4 with the boot manager's call, a separator and the Authenticode digest of the image. The kernel inside is not
  there: with Secure Boot on, systemd's stub stands in for the firmware's check of it, which is what would measure it;
* PCR 7 with the variables SecureBoot, PK, KEK, db and dbx, a separator, and the entry of db that the image's signature
  leads to. A dbx that does not exist is measured with no data;
* PCR 9 with the command line as the kernel's EFI stub gets it, in UTF-16 with its NUL, and the initial RAM disk that it
  loads: the image's microcode and initrd, and an archive for each section that systemd's stub passes on as a file in
  /.extra. Inodes, modes and times in these are constants of the stub;
* PCR 11 with name and contents of each section that systemd's stub knows, in the stub's order. Nothing follows if the
  units systemd-pcrphase*.service are masked;
* PCR 12 with nothing: it stays zero.

PCR 0 holds the firmware, PCR 1, 3, 5 and 6 the machine's configuration: no image determines them.

Formats: PE/COFF and Windows Authenticode Portable Executable Signature Format; UEFI 2.10, sections 8.2 and 32.4; TCG PC
Client Platform Firmware Profile, sections 3.3.4 and 10.2.6; systemd 257, src/boot/stub.c and cpio.c; Linux 6.12,
drivers/firmware/efi/libstub/efi-stub-helper.c.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import struct
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

BANKS = ("sha256", "sha384", "sha512")
SUPPORT_ATTRIBUTES = ("LATEST", "STABLE", "USABLE", "EXPERIMENTAL")

CALLING_APPLICATION = b"Calling EFI Application from Boot Option"
SEPARATOR = bytes(4)

GLOBAL_VARIABLE = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
IMAGE_SECURITY_DATABASE = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
CERT_X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
SIGNATURE_LIST_HEADER = struct.Struct("<16sIII")
GUID_SIZE = 16

# In the order in which the stub measures them.
MEASURED_SECTIONS = (
    ".linux",
    ".osrel",
    ".cmdline",
    ".initrd",
    ".ucode",
    ".splash",
    ".dtb",
    ".uname",
    ".sbat",
    ".pcrpkey",
)
REQUIRED_SECTIONS = (".linux", ".osrel", ".cmdline", ".initrd")
# What the stub takes of these depends on the machine or on who calls it, or on the version of the stub.
UNPREDICTABLE_SECTIONS = (".profile", ".dtbauto", ".hwids", ".efifw")
# Sections that become files in /.extra, in the order of the archives.
PASSED_ON = {
    ".pcrsig": "tpm2-pcr-signature.json",
    ".pcrpkey": "tpm2-pcr-public-key.pem",
    ".osrel": "os-release",
}

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

MAX_COMMAND_LINE = 2047  # Linux on x86: COMMAND_LINE_SIZE with the NUL
ROOT_HASH_KEYS = ("roothash=", "rd.roothash=")
HARDENED_KEY = "confidential-space.hardened="


class PredictionError(ValueError):
    """An input from which nothing can be predicted: which file, which part of it, and why."""

    def __init__(self, file: str, field: str, reason: str) -> None:
        super().__init__(f"{file}: {field}: {reason}")


@dataclass(frozen=True)
class Section:
    """A section of a PE image: where it is in the file, and how much of it is loaded."""

    name: str
    virtual_size: int
    raw_offset: int
    raw_size: int


class UnifiedKernelImage:
    """A signed PE32+ image for x86-64 with the sections of a unified kernel image."""

    def __init__(self, data: bytes, file: str) -> None:
        self.file = file
        self._data = data
        self._read_headers()
        self._read_certificate_table()
        self._sections = self._read_section_table()
        self._expect_unified()

    def section(self, name: str) -> bytes | None:
        """Return what of a section is loaded into memory, or None if there is no such section or it is empty."""
        for section in self._sections:
            if section.name == name and section.virtual_size:
                return self._data[section.raw_offset : section.raw_offset + section.virtual_size]
        return None

    def required_section(self, name: str) -> bytes:
        """Return a section that is known to be there."""
        content = self.section(name)
        if content is None:
            raise self._error(f"section {name}", "is missing or empty")
        return content

    def authenticode(self, bank: str) -> bytes:
        """Return the digest of all but the checksum, the place of the certificate table, and the table itself."""
        digest = hashlib.new(bank)
        checksum = self._optional_header + CHECKSUM_OFFSET
        directory = self._optional_header + CERTIFICATE_TABLE_OFFSET
        digest.update(self._data[:checksum])
        digest.update(self._data[checksum + 4 : directory])
        digest.update(self._data[directory + 8 : self._certificate_table])
        return digest.digest()

    def command_line(self) -> str:
        """Return the command line as the stub hands it to the kernel: control characters as spaces, none around it."""
        text, nul, rest = self.required_section(".cmdline").partition(b"\0")
        field = "section .cmdline"
        if nul and rest.strip(b"\0"):
            raise self._error(field, "has text behind a NUL")
        if not text.isascii():
            raise self._error(field, "is not ASCII")
        spaced = "".join(" " if byte <= 0x20 or byte == 0x7F else chr(byte) for byte in text).strip(" ")
        if not spaced:
            raise self._error(field, "holds no text")
        if len(spaced) > MAX_COMMAND_LINE:
            raise self._error(field, f"is longer than the {MAX_COMMAND_LINE} characters that the kernel takes")
        return spaced

    def verity_root_hash(self) -> str | None:
        """Return the SHA-256 root hash on the command line, or None if there is none."""
        field = "section .cmdline"
        words = self.command_line().split()
        hashes = [word.removeprefix(key) for word in words for key in ROOT_HASH_KEYS if word.startswith(key)]
        if not hashes:
            return None
        if len(hashes) > 1:
            raise self._error(field, "holds two root hashes")
        if len(hashes[0]) != 64 or hashes[0].strip("0123456789abcdefABCDEF"):
            raise self._error(field, "roothash= is no SHA-256 digest")
        return hashes[0].lower()

    def expect_hardened(self, hardened: bool) -> None:
        """Raise unless the command line says the same as who describes the image."""
        words = self.command_line().split()
        said = [word.removeprefix(HARDENED_KEY) for word in words if word.startswith(HARDENED_KEY)]
        agrees = said == ["true"] if hardened else "true" not in said
        if not agrees:
            found = " ".join(HARDENED_KEY + value for value in said) or "nothing of the kind"
            raise self._error("section .cmdline", f"says {found}, but hardened is {str(hardened).lower()}")

    def initial_ram_disk(self) -> bytes:
        """Return what the stub registers as initial RAM disk: each part is padded to four bytes."""
        parts = [self.section(name) for name in (".ucode", ".initrd")]
        for name, file_name in PASSED_ON.items():
            content = self.section(name)
            parts.append(None if content is None else _archive(file_name, content))
        return b"".join(_padded(part) for part in parts if part is not None)

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

    def _expect_unified(self) -> None:
        known = (*MEASURED_SECTIONS, *PASSED_ON)
        seen: set[str] = set()
        for section in self._sections:
            field = f"section {section.name}"
            if section.name in UNPREDICTABLE_SECTIONS:
                raise self._error(field, "what the stub makes of it can't be predicted")
            if section.name not in known:
                continue
            if section.name in seen:
                raise self._error(field, "stands twice")
            seen.add(section.name)
            if section.virtual_size > section.raw_size:
                raise self._error(field, "VirtualSize is larger than what is in the file")
        for name in REQUIRED_SECTIONS:
            self.required_section(name)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _archive(file_name: str, content: bytes) -> bytes:
    """Return the cpio archive in which the stub passes on a file in /.extra (Linux, initramfs buffer format)."""

    def entry(name: str, inode: int, mode: int, data: bytes) -> bytes:
        numbers = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        header = "070701" + "".join(f"{number:08x}" for number in numbers) + name + "\0"
        return _padded(header.encode()) + _padded(data)

    trailer = b"070701" + b"0" * 32 + b"00000001" + b"0" * 48 + b"0000000B" + b"0" * 8 + b"TRAILER!!!\0\0\0\0"
    return entry(".extra", 1, 0o040555, b"") + entry(f".extra/{file_name}", 2, 0o100444, content) + trailer


@dataclass(frozen=True)
class Signature:
    """An entry of a signature list: its type, and EFI_SIGNATURE_DATA, which is the owner and what is trusted."""

    kind: uuid.UUID
    data: bytes

    @property
    def certificate(self) -> bytes:
        """The DER of an X.509 entry."""
        return self.data[GUID_SIZE:]


def parse_signature_lists(data: bytes, file: str) -> list[Signature]:
    """Return the entries of a sequence of EFI_SIGNATURE_LIST."""
    signatures: list[Signature] = []
    offset = 0
    while offset < len(data):
        field = f"signature list at {offset:#x}"
        if len(data) - offset < SIGNATURE_LIST_HEADER.size:
            raise PredictionError(file, field, "is cut off")
        kind, list_size, header_size, size = SIGNATURE_LIST_HEADER.unpack_from(data, offset)
        first = SIGNATURE_LIST_HEADER.size + header_size
        if not first <= list_size <= len(data) - offset:
            raise PredictionError(file, field, f"SignatureListSize is {list_size}, but {len(data) - offset} are left")
        if size <= GUID_SIZE or (list_size - first) % size:
            raise PredictionError(file, field, f"SignatureSize is {size}, which does not divide the list")
        for start in range(offset + first, offset + list_size, size):
            signatures.append(Signature(uuid.UUID(bytes_le=kind), data[start : start + size]))
        offset += list_size
    return signatures


def signature_list(certificate: bytes, owner: uuid.UUID) -> bytes:
    """Return an EFI_SIGNATURE_LIST with one X.509 certificate, given as DER."""
    entry = owner.bytes_le + certificate
    size = SIGNATURE_LIST_HEADER.size + len(entry)
    return SIGNATURE_LIST_HEADER.pack(CERT_X509.bytes_le, size, 0, len(entry)) + entry


def load_signature_lists(path: Path, owner: uuid.UUID | None) -> bytes:
    """Read signature lists as they are, or make one of a certificate (PEM or DER) and its owner."""
    data, file = path.read_bytes(), str(path)
    is_pem = data.lstrip().startswith(b"-----BEGIN")
    if not is_pem and not data.startswith(b"\x30\x82"):
        if not parse_signature_lists(data, file):
            raise PredictionError(file, "signature lists", "there are none")
        return data
    if owner is None:
        raise PredictionError(file, "owner", "a certificate takes the GUID of its owner to become a signature list")
    try:
        certificate = x509.load_pem_x509_certificate(data) if is_pem else x509.load_der_x509_certificate(data)
    except ValueError as error:
        raise PredictionError(file, "certificate", str(error)) from error
    return signature_list(certificate.public_bytes(Encoding.DER), owner)


@dataclass(frozen=True)
class SecureBootKeys:
    """The variables of Secure Boot as the firmware measures them: signature lists, empty if there is no variable."""

    pk: bytes
    kek: bytes
    db: bytes
    dbx: bytes = b""

    def approving(self, image: UnifiedKernelImage) -> Signature:
        """Return the entry of db that lets the firmware start an image.

        It is one whose certificate is in the image's signature or has issued one that is. Whether the signature itself
        holds is not looked at.
        """
        signers = image.signer_certificates()
        approving = [
            signature
            for signature in parse_signature_lists(self.db, "db")
            if signature.kind == CERT_X509 and any(self._leads_to(signer, signature) for signer in signers)
        ]
        if not approving:
            raise PredictionError("db", "certificates", f"none has signed {image.file}")
        if len(approving) > 1:
            raise PredictionError("db", "certificates", f"more than one has signed {image.file}")
        return approving[0]

    def only_certificate(self) -> bytes | None:
        """Return the certificate in db if nothing else is in it."""
        signatures = parse_signature_lists(self.db, "db")
        if len(signatures) != 1 or signatures[0].kind != CERT_X509:
            return None
        return signatures[0].certificate

    def _leads_to(self, signer: x509.Certificate, signature: Signature) -> bool:
        try:
            trusted = x509.load_der_x509_certificate(signature.certificate)
        except ValueError as error:
            raise PredictionError("db", "certificates", str(error)) from error
        return signer == trusted or _has_issued(trusted, signer)


def _has_issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    algorithm, key = certificate.signature_hash_algorithm, issuer.public_key()
    if certificate.issuer != issuer.subject or algorithm is None or not isinstance(key, rsa.RSAPublicKey):
        return False  # EDK2 accepts RSA only
    try:
        key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True


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


def entry(
    kernel_image: bytes,
    *,
    keys: Mapping[str, bytes],
    name: str,
    swversion: int,
    hardened: bool,
    support_attributes: Sequence[str] = (),
    packages: Mapping[str, str] | None = None,
    banks: Sequence[str] = ("sha256",),
    file: str = "unified kernel image",
) -> dict[str, Any]:
    """Return an entry of cs-verifier's reference values.

    `keys` are the signature lists PK, KEK, db and perhaps dbx. A machine that does not quote one of the banks does not
    match the entry. `file` names the image in errors.
    """
    image = UnifiedKernelImage(kernel_image, file)
    secure_boot = SecureBootKeys(pk=keys["PK"], kek=keys["KEK"], db=keys["db"], dbx=keys.get("dbx", b""))
    image.expect_hardened(hardened)
    _expect_deserved(support_attributes, hardened)
    result: dict[str, Any] = {
        "name": name,
        "swversion": swversion,
        "hardened": hardened,
        "support_attributes": list(support_attributes),
        "secure_boot": True,
        "kernel_command_line": image.command_line(),
        "pcrs": {
            bank: {str(pcr): value.hex() for pcr, value in predict_pcrs(image, secure_boot, bank).items()}
            for bank in banks
        },
        "unified_kernel_image_authenticode_sha256": image.authenticode("sha256").hex(),
    }
    certificate = secure_boot.only_certificate()
    if certificate is not None:
        result["secure_boot_certificate_sha256"] = hashlib.sha256(certificate).hexdigest()
    root_hash = image.verity_root_hash()
    if root_hash is not None:
        result["verity_root_hash"] = root_hash
    if packages is not None:
        result["packages"] = dict(packages)
    return result


def load_packages(path: Path) -> dict[str, str]:
    """Return versions by name from a manifest that mkosi wrote (ManifestFormat=json)."""
    file = str(path)
    try:
        manifest = json.loads(path.read_bytes())
    except ValueError as error:
        raise PredictionError(file, "manifest", f"is no JSON: {error}") from error
    packages = manifest.get("packages") if isinstance(manifest, dict) else None
    if not isinstance(packages, list):
        raise PredictionError(file, "packages", "is no list")
    versions: dict[str, str] = {}
    for index, package in enumerate(packages):
        field = f"packages[{index}]"
        name = package.get("name") if isinstance(package, dict) else None
        version = package.get("version") if isinstance(package, dict) else None
        if not isinstance(name, str) or not isinstance(version, str):
            raise PredictionError(file, field, "has no name or no version")
        if versions.setdefault(name, version) != version:
            raise PredictionError(file, field, f"{name} stands there in two versions")
    return dict(sorted(versions.items()))


def _attributes(text: str) -> list[str]:
    attributes = [attribute for attribute in text.split(",") if attribute]
    for attribute in attributes:
        if attribute not in SUPPORT_ATTRIBUTES or attributes.count(attribute) > 1:
            raise argparse.ArgumentTypeError(f"{attribute!r} is unknown or stands twice")
    return attributes


def _expect_deserved(attributes: Sequence[str], hardened: bool) -> None:
    """Refuse what cs-verifier would refuse."""
    if "LATEST" in attributes and not {"STABLE", "USABLE"} <= set(attributes):
        raise PredictionError("support attributes", "LATEST", "takes STABLE and USABLE")
    if "STABLE" in attributes and not hardened:
        raise PredictionError("support attributes", "STABLE", "takes a hardened image")


def _swversion(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--uki", type=Path, required=True, metavar="FILE", help="the signed unified kernel image")
    for name in ("pk", "kek", "db"):
        parser.add_argument(
            f"--{name}", type=Path, required=True, metavar="FILE", help="signature lists, or a certificate (PEM, DER)"
        )
    parser.add_argument("--dbx", type=Path, metavar="FILE", help="signature lists (default: there is no dbx)")
    parser.add_argument("--owner", type=uuid.UUID, metavar="GUID", help="who owns the keys given as certificates")
    parser.add_argument("--name", required=True, help="of the entry")
    parser.add_argument("--swversion", type=_swversion, required=True, metavar="NUMBER", help="such as 260100")
    parser.add_argument("--hardened", choices=("true", "false"), required=True, help="what the command line says too")
    parser.add_argument(
        "--support-attributes", type=_attributes, default=[], metavar="A,B", help=f"of {', '.join(SUPPORT_ATTRIBUTES)}"
    )
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="mkosi's list of the packages in the image")
    parser.add_argument(
        "--bank",
        action="append",
        choices=BANKS,
        help="may be repeated; a machine must quote every bank (default: sha256)",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("reference-values.json"), metavar="FILE", help="(default: %(default)s)"
    )
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Parse the command line, predict and write; return the exit code."""
    arguments = _arguments(words)
    try:
        keys = {
            "PK": load_signature_lists(arguments.pk, arguments.owner),
            "KEK": load_signature_lists(arguments.kek, arguments.owner),
            "db": load_signature_lists(arguments.db, arguments.owner),
        }
        if arguments.dbx:
            keys["dbx"] = load_signature_lists(arguments.dbx, arguments.owner)
        image = entry(
            arguments.uki.read_bytes(),
            keys=keys,
            name=arguments.name,
            swversion=arguments.swversion,
            hardened=arguments.hardened == "true",
            support_attributes=arguments.support_attributes,
            packages=load_packages(arguments.manifest) if arguments.manifest else None,
            banks=list(dict.fromkeys(arguments.bank or ["sha256"])),
            file=str(arguments.uki),
        )
        arguments.output.write_text(json.dumps({"images": [image]}, indent=2) + "\n")
    except (PredictionError, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
