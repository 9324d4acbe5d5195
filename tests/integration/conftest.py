"""What the integration tests share: one world of real services for each test file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

from cs_harness import Postbox, World, missing_requirements
from session import begin_session, folder, pytest_runtest_makereport

__all__ = ["folder", "postbox", "pytest_runtest_makereport", "pytest_sessionstart", "world"]


def pytest_sessionstart() -> None:
    """Skip where the real services can't run."""
    begin_session(missing_requirements())


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[World]:
    """Yield running services."""
    with World(folder) as services:
        yield services


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """Yield a place where workloads can leave messages."""
    with Postbox() as box:
        yield box
