"""Evidence for a workload's own challenge, checked as whoever gets it would (contract 4.3, cases Q 15 and M 10)."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cs_harness import Launcher, World
from cs_harness.cel import ALGORITHMS, PCR, decode, replay
from support import STAY, push, shell_image

LABEL = b"WORKLOAD_ATTESTATION"
QUOTE = b"\xffTCG\x80\x18"
ECDSA, RSASSA = 0x18, 0x14


@pytest.fixture(scope="module")
def launcher(world: World) -> Iterator[Launcher]:
    """Yield a launcher whose workload stays."""
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}) as running:
        yield running.wait_ready()


def ask(launcher: Launcher, challenge: bytes, target: str = "/v1/evidence", **headers: str) -> dict[str, Any]:
    """Return the evidence for a challenge."""
    answer = launcher.tee.request("POST", target, {"challenge": base64.b64encode(challenge).decode()}, headers)
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    return json.loads(answer.text)


def sized(data: bytes) -> tuple[bytes, bytes]:
    """Split off a TPM2B."""
    (size,) = struct.unpack_from(">H", data)
    return data[2 : 2 + size], data[2 + size :]


def check_signature(certificate: x509.Certificate, signed: bytes, signature: bytes) -> None:
    """Check a TPMT_SIGNATURE with SHA-256."""
    scheme, algorithm = struct.unpack_from(">HH", signature)
    assert algorithm == 0x0B
    key = certificate.public_key()
    first, rest = sized(signature[4:])
    if isinstance(key, ec.EllipticCurvePublicKey):
        assert scheme == ECDSA
        second, rest = sized(rest)
        pair = encode_dss_signature(int.from_bytes(first, "big"), int.from_bytes(second, "big"))
        key.verify(pair, signed, ec.ECDSA(hashes.SHA256()))
    else:
        assert isinstance(key, rsa.RSAPublicKey)
        assert scheme == RSASSA
        key.verify(first, signed, padding.PKCS1v15(), hashes.SHA256())
    assert rest == b""


def check_evidence(evidence: dict[str, Any], challenge: bytes) -> None:
    """Check all that a relying party would, down to the launch log."""
    nonce = hashlib.sha256(LABEL + hashlib.sha256(challenge).digest()).digest()
    assert base64.b64decode(evidence["label"]) == LABEL
    assert base64.b64decode(evidence["challenge"]) == challenge
    quote = evidence["quote"]["tpmQuote"]
    endorsement = quote["endorsement"]["akCertEndorsement"]
    certificate = x509.load_der_x509_certificate(base64.b64decode(endorsement["akCert"]))
    launch_log = base64.b64decode(quote["celLaunchEventLog"])
    assert base64.b64decode(quote["pcclientBootEventLog"])
    assert {ALGORITHMS[each["hashAlgorithm"]] for each in quote["quotes"]} >= {"sha256"}
    for each in quote["quotes"]:
        attest = base64.b64decode(each["tpmsAttest"])
        check_signature(certificate, attest, base64.b64decode(each["tpmtSignature"]))
        assert attest.startswith(QUOTE)
        _, rest = sized(attest[len(QUOTE) :])
        extra, rest = sized(rest)
        assert extra == nonce
        values = {int(index): base64.b64decode(value) for index, value in each["pcrValues"].items()}
        digest, rest = sized(rest[17 + 8 + 4 + 2 + 1 + 3 :])
        assert rest == b""
        assert digest == hashlib.sha256(b"".join(values[index] for index in sorted(values))).digest()
        assert values[PCR] == replay(decode(launch_log), ALGORITHMS[each["hashAlgorithm"]])


def test_evidence_answers_the_challenge(launcher: Launcher) -> None:
    """Quotes over a labelled hash of the challenge, and the log that explains PCR 13 in every bank."""
    for challenge in (b"c", b"test-challenge", bytes(range(256)) * 100):
        evidence = ask(launcher, challenge)
        assert set(evidence) == {"label", "challenge", "quote"}
        check_evidence(evidence, challenge)


def test_concurrent_evidence(launcher: Launcher) -> None:
    """Each gets the evidence for its own challenge, tokens beside it."""
    challenges = [f"challenge {number}".encode() for number in range(12)]
    with ThreadPoolExecutor(max_workers=6) as pool:
        tokens = [pool.submit(launcher.tee.custom_token, "https://rp.example", f"beside-{n:05}") for n in range(4)]
        for challenge, evidence in zip(challenges, pool.map(lambda each: ask(launcher, each), challenges), strict=True):
            check_evidence(evidence, challenge)
        assert [token.result().status for token in tokens] == [200] * 4


def test_members_are_chosen_by_a_mask(launcher: Launcher) -> None:
    """By parameter or header; unknown names count for nothing."""
    assert set(ask(launcher, b"c", "/v1/evidence?fields=label")) == {"label"}
    assert set(ask(launcher, b"c", "/v1/evidence?%24fields=challenge,nothing")) == {"challenge"}
    assert set(ask(launcher, b"c", **{"X-Goog-FieldMask": "quote, label"})) == {"label", "quote"}
    assert ask(launcher, b"c", "/v1/evidence?fields=deviceReports") == {}
    assert set(ask(launcher, b"c", "/v1/evidence?fields=*")) == {"label", "challenge", "quote"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "failed to decode request: "),
        (b"{}", "challenge is required"),
        ({"challenge": ""}, "challenge is required"),
        ({"challenge": "?"}, "failed to decode request: body.challenge: "),
        ({"challenge": "Yw==", "extraData": "Yw=="}, "failed to decode request: body.extraData: "),
    ],
    ids=repr,
)
def test_a_request_that_is_wrong(launcher: Launcher, body: object, says: str) -> None:
    """It is the client's fault, and it is told the field."""
    answer = launcher.tee.request("POST", "/v1/evidence", body)
    assert answer.status == 400
    assert answer.text.startswith(says)


def test_only_post(launcher: Launcher) -> None:
    """Evidence is collected anew each time."""
    answer = launcher.tee.request("GET", "/v1/evidence")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
