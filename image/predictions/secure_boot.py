"""The variables of Secure Boot: signature lists, and which entry of db lets an image start.

Formats: UEFI 2.10, section 32.4.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from .error import PredictionError
from .pe_image import PeImage

CERT_X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
SIGNATURE_LIST_HEADER = struct.Struct("<16sIII")
GUID_SIZE = 16


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


def subjects(lists: bytes) -> str:
    """Return who is in signature lists, for people."""
    names: list[str] = []
    signatures = parse_signature_lists(lists, "signature lists")
    for signature in signatures:
        if signature.kind == CERT_X509:
            try:
                subject = x509.load_der_x509_certificate(signature.certificate).subject
                names.append(", ".join(f"{part.rfc4514_attribute_name} = {part.value}" for part in subject))
            except ValueError:
                names.append("a certificate that can't be read")
    others = len(signatures) - len(names)
    if others:
        names.append(f"{others} hash" + ("es" if others > 1 else ""))
    return "; ".join(names) or "empty"


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

    def approving(self, image: PeImage) -> Signature:
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
