"""The attestation service by itself: what it says at the start, and what it reads of a request."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import CertificateAuthority, HarnessError, Verifier, boot_log_path
from cs_harness.verifier import reference_value

LOCATION = "/v1/projects/my-project/locations/us-central1"


@pytest.fixture(scope="module")
def authority(folder: Path) -> CertificateAuthority:
    """Return what the service's certificate comes from."""
    return CertificateAuthority(folder / "tls")


def make(folder: Path, authority: CertificateAuthority, *images: dict[str, object]) -> Verifier:
    """Return a service that knows some images and is not running."""
    return Verifier(folder, authority, attestation_roots=[authority.certificate], reference_values=images)


@pytest.fixture(scope="module")
def verifier(folder: Path, authority: CertificateAuthority) -> Iterator[Verifier]:
    """Yield a running service."""
    with make(folder / "running", authority, reference_value(boot_log_path())) as running:
        yield running


def test_a_key_of_another_certificate(folder: Path, authority: CertificateAuthority) -> None:
    """The service does not start, and says which file is wrong."""
    verifier = make(folder / "other-key", authority, reference_value(boot_log_path()))
    other = authority.issue("other")
    verifier.server.private_key.write_bytes(other.private_key.read_bytes())
    with pytest.raises(HarnessError, match=r"config\.listen\.private_key: .* does not fit the first certificate of"):
        verifier.start()


def test_images_that_open_nothing_are_warned_of(folder: Path, authority: CertificateAuthority) -> None:
    """With no image, or none that is not retired, the service runs and says what will come of it."""
    retired = {**reference_value(boot_log_path()), "deprecated": True}
    for name, images, warning in (
        ("none", (), "no image is known"),
        ("retired", (retired,), "all images are deprecated"),
    ):
        with make(folder / name, authority, *images) as verifier:
            assert any("level=WARN" in line and warning in line for line in verifier.lines)


def test_attributes_that_an_entry_does_not_deserve() -> None:
    """An entry that the service would refuse is not printed."""
    with pytest.raises(HarnessError, match="attributes take hardened true"):
        reference_value(boot_log_path(), hardened=False)
    reference_value(boot_log_path(), hardened=False, support_attributes=[])


def answer_to_head(
    verifier: Verifier, authority: CertificateAuthority, method: str, path: str, length: int
) -> tuple[int, str]:
    """Announce a body, send nothing of it, and return status and message of the answer."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    with (
        socket.create_connection(("127.0.0.1", verifier.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        answer = connection.makefile("rb").read().decode()
    head, _, body = answer.partition("\r\n\r\n")
    match = re.match(r"HTTP/1.1 (\d+) ", head)
    assert match is not None, answer
    return int(match[1]), json.loads(body)["error"]["message"] if body.startswith("{") else body


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("POST", "/healthz", 405, "this resource takes GET, HEAD only"),
        ("POST", "/nothing", 404, "there is no such resource"),
        ("POST", f"{LOCATION}/challenges/{'a' * 64}:verifyConfidentialSpace", 404, "the challenge is unknown"),
        ("POST", f"{LOCATION}/challenges/..:verifyConfidentialSpace", 404, "there is no such resource"),
    ],
)
def test_what_can_not_be_answered_is_refused_unread(
    verifier: Verifier, authority: CertificateAuthority, method: str, path: str, status: int, message: str
) -> None:
    """Nobody has to send a body for it, and nobody has to take one."""
    found = answer_to_head(verifier, authority, method, path, 1 << 20)
    assert found[0] == status
    assert message in found[1]


@pytest.mark.parametrize("path", ["/healthz", f"{LOCATION}/challenges"])
def test_a_body_that_is_too_long_is_refused_unread(
    verifier: Verifier, authority: CertificateAuthority, path: str
) -> None:
    """Each resource takes what it needs."""
    method = "GET" if path == "/healthz" else "POST"
    assert answer_to_head(verifier, authority, method, path, 8192)[0] == 413
