"""What the tests of the scenes share: the session."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

from cs_harness import binary, missing_requirements
from cs_harness.aws import missing_clouds
from session import begin_session, folder, pytest_runtest_makereport

__all__ = ["folder", "pytest_runtest_makereport", "pytest_sessionstart"]

PROGRAMS = ("cs-conditions", "meal-planner-aws", "meal-planner-google", "token-client-go")


def pytest_sessionstart() -> None:
    """Skip where the real services can't run, or where Go is missing."""
    absent = [f"{binary(name)} is not built (target scenes_programs, which takes Go 1.24 or newer)" for name in PROGRAMS]
    missing = [text for name, text in zip(PROGRAMS, absent, strict=True) if not binary(name).exists()]
    begin_session(missing_requirements() + missing + missing_clouds())
