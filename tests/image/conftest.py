"""What the tests of the predictions share. None of them boots anything."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "image"), str(REPOSITORY / "tests/harness")]

from cs_harness.signed_image import Signer
from predictions.secure_boot import SecureBootKeys
from session import pytest_runtest_makereport

__all__ = ["keys", "pytest_runtest_makereport", "signer"]


@pytest.fixture(scope="session")
def signer() -> Signer:
    """Return the key of db."""
    return Signer("test db")


@pytest.fixture(scope="session")
def keys(signer: Signer) -> SecureBootKeys:
    """Return the machine's keys."""
    return SecureBootKeys(pk=Signer("test PK").list, kek=Signer("test KEK").list, db=signer.list)
