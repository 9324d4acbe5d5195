"""What the tests of csctl share: the recorded logs, and a machine where one is needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness"), str(HERE.parents[1] / "image")]

from cs_harness import missing_requirements
from machine import Launched, launched
from session import begin_session, folder, pytest_runtest_makereport

__all__ = ["folder", "machine", "pytest_runtest_makereport", "vectors"]


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Return the folder of recorded logs; skip without it."""
    path = Path(os.environ.get("CS_VECTORS") or HERE.parents[2] / "shared/vectors")
    if not path.exists():
        pytest.skip(f"there is no {path}")
    return path


@pytest.fixture(scope="module")
def machine(folder: Path) -> Iterator[Launched]:
    """Yield a machine that has launched a workload; skip where the real services can't run."""
    begin_session(missing_requirements())
    with launched(folder) as running:
        yield running
