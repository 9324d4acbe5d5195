"""What the tests of csctl share: the recorded logs, and a machine where one is needed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness"), str(HERE.parent / "integration")]

from session import folder, pytest_runtest_makereport

__all__ = ["folder", "pytest_runtest_makereport", "vectors"]


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Return the folder of recorded logs; skip without it."""
    path = Path(os.environ.get("CS_VECTORS") or HERE.parents[2] / "shared/vectors")
    if not path.exists():
        pytest.skip(f"there is no {path}")
    return path
