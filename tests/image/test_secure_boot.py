"""Who approves an image, and how the keys are read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from cs_harness.signed_image import OWNER, Signer, image_of
from predictions.error import PredictionError
from predictions.secure_boot import (
    SecureBootKeys,
    load_signature_lists,
    parse_signature_lists,
)


def test_the_certificate_that_signed_approves(signer: Signer, keys: SecureBootKeys) -> None:
    both = SecureBootKeys(pk=keys.pk, kek=keys.kek, db=Signer("other").list + signer.list)
    approving = both.approving(image_of(signer))
    assert approving.data == OWNER.bytes_le + signer.der
    assert both.only_certificate() is None
    assert keys.only_certificate() == signer.der


def test_the_issuer_of_the_certificate_that_signed_approves(keys: SecureBootKeys) -> None:
    authority = Signer("authority")
    leaf = Signer("leaf", authority)
    keys = SecureBootKeys(pk=keys.pk, kek=keys.kek, db=Signer("other").list + authority.list)
    assert keys.approving(image_of(leaf)).certificate == authority.der


def test_a_namesake_of_the_issuer_does_not_approve(keys: SecureBootKeys) -> None:
    leaf = Signer("leaf", Signer("authority"))
    keys = SecureBootKeys(pk=keys.pk, kek=keys.kek, db=Signer("authority").list)
    with pytest.raises(PredictionError, match="^db: certificates: none has signed test.efi$"):
        keys.approving(image_of(leaf))


def test_which_of_two_approves_is_not_guessed(keys: SecureBootKeys) -> None:
    authority = Signer("authority")
    leaf = Signer("leaf", authority)
    keys = SecureBootKeys(pk=keys.pk, kek=keys.kek, db=leaf.list + authority.list)
    with pytest.raises(PredictionError, match="^db: certificates: more than one has signed test.efi$"):
        keys.approving(image_of(leaf))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:20], "at 0x0: is cut off"),
        (lambda data: data[:-1], "at 0x0: SignatureListSize is"),
        (lambda data: data + b"\0", "at 0x[0-9a-f]+: is cut off"),
        (lambda data: data[:16] + struct.pack("<I", 4) + data[20:], "at 0x0: SignatureListSize is 4"),
        (lambda data: data[:24] + struct.pack("<I", 16) + data[28:], "at 0x0: SignatureSize is 16"),
        (lambda data: data[:24] + struct.pack("<I", 99) + data[28:], "at 0x0: SignatureSize is 99"),
    ],
)
def test_broken_signature_lists(change: Callable[[bytes], bytes], reason: str, signer: Signer) -> None:
    with pytest.raises(PredictionError, match=f"^db.esl: signature list {reason}"):
        parse_signature_lists(change(signer.list), "db.esl")


def test_keys_are_read_from_lists_and_from_certificates(tmp_path: Path, signer: Signer) -> None:
    for name, content in {"db.esl": signer.list, "db.pem": signer.pem, "db.der": signer.der}.items():
        (tmp_path / name).write_bytes(content)
        assert load_signature_lists(tmp_path / name, OWNER) == signer.list
    assert load_signature_lists(tmp_path / "db.esl", None) == signer.list
    with pytest.raises(PredictionError, match="db.pem: owner: a certificate takes the GUID of its owner"):
        load_signature_lists(tmp_path / "db.pem", None)
    for name, content in {"empty": b"", "cut.der": signer.der[:-1], "cut.pem": signer.pem[:99]}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PredictionError, match=f"/{name}: (signature lists: there are none|certificate: )"):
            load_signature_lists(tmp_path / name, OWNER)
