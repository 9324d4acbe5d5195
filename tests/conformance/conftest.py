"""What the conformance tests share: the session."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

from cs_harness import missing_requirements
from session import begin_session, folder, pytest_runtest_makereport

__all__ = ["folder", "pytest_runtest_makereport", "pytest_sessionstart"]


def pytest_sessionstart() -> None:
    """Skip where the real services can't run."""
    begin_session(missing_requirements())
