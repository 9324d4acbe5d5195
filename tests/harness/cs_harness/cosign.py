"""Signatures of images, as cosign makes them with a key: simple signing, and the bundles of version 3."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from .images import MANIFEST_TYPE, digest_of
from .registry import PushedImage, Registry

BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIMPLE_SIGNING_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
IN_TOTO_TYPE = "application/vnd.in-toto+json"


@dataclass
class SigningKey:
    """A key that signs images with one of the algorithms that verifiers know."""

    algorithm: str

    def __post_init__(self) -> None:
        """Make the key."""
        self._key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if self.algorithm.startswith("ECDSA"):
            self._key = ec.generate_private_key(ec.SECP256R1())
        else:
            self._key = rsa.generate_private_key(65537, 2048)

    @property
    def key_id(self) -> str:
        """The SHA-256 of the public key."""
        public = self._key.public_key()
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return digest_of(der).removeprefix("sha256:")

    def annotations(self) -> dict[str, str]:
        """Return what is signed with an image so that a verifier knows key and algorithm."""
        public = self._key.public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return {
            "dev.cosignproject.cosign/pub": base64.b64encode(pem).decode().rstrip("="),
            "dev.cosignproject.cosign/sigalg": self.algorithm,
        }

    def sign(self, message: bytes) -> bytes:
        """Sign a message."""
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return self._key.sign(message, ec.ECDSA(hashes.SHA256()))
        if self.algorithm == "RSASSA_PSS_SHA256":
            scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            return self._key.sign(message, scheme, hashes.SHA256())
        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def simple_signing_payload(key: SigningKey, digest: str) -> bytes:
    """Return what is signed of an image."""
    document = {
        "critical": {
            "identity": {"docker-reference": "registry.example/workload"},
            "image": {"docker-manifest-digest": digest},
            "type": "cosign container image signature",
        },
        "optional": key.annotations(),
    }
    return json.dumps(document).encode()


def push_simple_signatures(registry: Registry, name: str, digest: str, signatures: list[tuple[bytes, bytes]]) -> None:
    """Put payloads with their signatures where cosign puts them."""
    layers = []
    for payload, signature in signatures:
        registry.push_blob(name, payload)
        annotations = {"dev.cosignproject.cosign/signature": base64.b64encode(signature).decode()}
        layers.append({**_descriptor(SIMPLE_SIGNING_TYPE, payload), "annotations": annotations})
    push_manifest(registry, name, digest.replace(":", "-") + ".sig", layers)


def push_bundle(registry: Registry, name: str, image: PushedImage, key: SigningKey) -> None:
    """Sign an image as cosign 3 does, and leave the bundle where a registry without referrers keeps it."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": image.digest.removeprefix("sha256:")}, "annotations": key.annotations()}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    }
    payload = json.dumps(statement).encode()
    signed = f"DSSEv1 {len(IN_TOTO_TYPE)} {IN_TOTO_TYPE} {len(payload)} ".encode() + payload
    bundle = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": "x"}},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": IN_TOTO_TYPE,
            "signatures": [{"sig": base64.b64encode(key.sign(signed)).decode()}],
        },
    }
    blob = json.dumps(bundle).encode()
    registry.push_blob(name, blob)
    manifest = push_manifest(registry, name, "bundle", [_descriptor(BUNDLE_TYPE, blob)])
    entry = {**_descriptor(MANIFEST_TYPE, manifest), "artifactType": BUNDLE_TYPE}
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]}
    registry.push_manifest(name, image.digest.replace(":", "-"), json.dumps(index).encode())


def push_manifest(registry: Registry, name: str, tag: str, layers: list[dict[str, object]]) -> bytes:
    """Push a manifest of these layers, and return it."""
    config = b"{}"
    registry.push_blob(name, config)
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(EMPTY_TYPE, config),
        "layers": layers,
    }
    manifest = json.dumps(document).encode()
    registry.push_manifest(name, tag, manifest)
    return manifest


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(blob), "size": len(blob)}
