"""A certificate authority for the TLS servers on loopback."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class ServerCertificate:
    """PEM files of a server's certificate and private key."""

    certificate: Path
    private_key: Path


class CertificateAuthority:
    """Issues server certificates for 127.0.0.1 and localhost; `certificate` is the PEM file that clients trust."""

    def __init__(self, folder: Path, name: str = "Test services CA", *, root: tuple[Path, Path] | None = None) -> None:
        """Make an authority of its own, or go on with the certificate and the key in the PEM files `root`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._now = datetime.datetime.now(tz=datetime.UTC)
        if root is None:
            self._make_root(name)
            return
        self.certificate, key = root
        self._name = x509.load_pem_x509_certificate(self.certificate.read_bytes()).subject
        self._key = serialization.load_pem_private_key(key.read_bytes(), None)

    def _make_root(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        root = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certificate_sign=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = self._folder / "ca.pem"
        self.certificate.write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, name: str = "server", addresses: Sequence[str] = (), hosts: Sequence[str] = ()
    ) -> ServerCertificate:
        """Issue a server certificate, for more addresses and hosts as well, and write it and its key to files."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(host) for host in ("localhost", *hosts)]
        names += [x509.IPAddress(ipaddress.IPv4Address(address)) for address in ("127.0.0.1", *addresses)]
        certificate = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_usage(certificate_sign=False), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        result = ServerCertificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        result.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        result.private_key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        result.private_key.chmod(0o600)
        return result

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        public = key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - datetime.timedelta(hours=1))
            .not_valid_after(self._now + datetime.timedelta(days=2))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )


def _usage(*, certificate_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificate_sign,
        key_cert_sign=certificate_sign,
        crl_sign=certificate_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
