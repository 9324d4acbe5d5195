"""Signed images, made here, and the digests that others would compute of them."""

from __future__ import annotations

import datetime
import hashlib
import struct
import uuid
from collections.abc import Mapping

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from predictions.secure_boot import signature_list
from predictions.unified_kernel_image import UnifiedKernelImage

OWNER = uuid.UUID("c5a1ab1e-0000-4000-8000-000000000001")
ROOT_HASH = "5f1c" * 16
COMMAND_LINE = f"roothash={ROOT_HASH} ro confidential-space.hardened=true"
SECTIONS = {
    ".text": b"\xc3",
    ".sbat": b"sbat,1\n",
    ".osrel": b"ID=test\n",
    ".cmdline": COMMAND_LINE.encode() + b"\0",
    ".uname": b"6.12.1",
    ".linux": b"kernel",
    ".initrd": b"initrd of 21 bytes...",
}
PE, OPTIONAL, TABLE, HEADERS = 0x40, 0x58, 0x58 + 240, 0x400


def unsigned_image(sections: Mapping[str, bytes]) -> bytearray:
    """Return a PE32+ image: headers of 1 KiB, then the sections, each padded to 512 bytes in the file."""
    image = bytearray(HEADERS)
    struct.pack_into("<2s58xI", image, 0, b"MZ", PE)
    struct.pack_into("<4sHHIIIHH", image, PE, b"PE\0\0", 0x8664, len(sections), 0, 0, 0, 240, 0x22)
    struct.pack_into("<H14xII", image, OPTIONAL, 0x20B, 0x1000, 0x1000)
    struct.pack_into("<QII", image, OPTIONAL + 24, 0x10000000, 0x1000, 0x200)
    struct.pack_into("<I", image, OPTIONAL + 60, HEADERS)
    struct.pack_into("<H", image, OPTIONAL + 68, 10)
    struct.pack_into("<I", image, OPTIONAL + 108, 16)
    address = 0x1000
    for index, (name, content) in enumerate(sections.items()):
        raw_size = len(content) + -len(content) % 0x200
        place = TABLE + 40 * index
        struct.pack_into("<8sIIII", image, place, name.encode(), len(content), address, raw_size, len(image))
        struct.pack_into("<I", image, place + 36, 0x40000040)
        image += content.ljust(raw_size, b"\0")
        address += len(content) + -len(content) % 0x1000
    struct.pack_into("<I", image, OPTIONAL + 56, address)
    return image


def authenticode(image: bytes, bank: str = "sha256") -> bytes:
    """Hash an image that is not signed yet."""
    return hashlib.new(
        bank, image[: OPTIONAL + 64] + image[OPTIONAL + 68 : OPTIONAL + 144] + image[OPTIONAL + 152 :]
    ).digest()


class Signer:
    """A key with a certificate."""

    def __init__(self, name: str, issuer: Signer | None = None) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        names = [
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
            for text in (name, issuer.name if issuer else name)
        ]
        self.name = name
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(names[0])
            .issuer_name(names[1])
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.datetime(2024, 1, 1))
            .not_valid_after(datetime.datetime(2044, 1, 1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(issuer.key if issuer else self.key, hashes.SHA256())
        )
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        self.key_pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.list = signature_list(self.der, OWNER)

    def sign(self, image: bytearray, digest: bytes | None = None) -> bytearray:
        """Append a PKCS #7 signature over content that holds the image's digest, as an indirect data content does."""
        content = b"\x04\x20" + (authenticode(image) if digest is None else digest)
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        signature = builder.add_signer(self.certificate, self.key, hashes.SHA256()).sign(
            serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary]
        )
        size = 8 + len(signature)
        table = struct.pack("<IHH", size, 0x0200, 0x0002) + signature + bytes(-size % 8)
        struct.pack_into("<II", image, OPTIONAL + 144, len(image), len(table))
        return image + table


def image_of(signer: Signer, changes: Mapping[str, bytes | None] | None = None) -> UnifiedKernelImage:
    """Return a signed image, with some sections changed or, with None, left out."""
    sections = {name: content for name, content in {**SECTIONS, **(changes or {})}.items() if content is not None}
    return UnifiedKernelImage(bytes(signer.sign(unsigned_image(sections))), "test.efi")


def replayed(bank: str, *digests: bytes) -> bytes:
    """Extend a register."""
    value = bytes(hashlib.new(bank).digest_size)
    for digest in digests:
        value = hashlib.new(bank, value + digest).digest()
    return value
