"""How a test session over real services begins, and the folder that its services live in."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

SKIPPED = 77  # CTest's SKIP_RETURN_CODE


def begin_session(missing: Sequence[str]) -> None:
    """Skip the whole file, saying why, where something is missing; let SIGTERM clean up as SIGINT does."""
    if missing and os.environ.get("CS_REQUIRE_SERVICES"):
        pytest.exit("CS_REQUIRE_SERVICES is set, but " + "; ".join(missing), returncode=1)
    if missing:
        pytest.exit("skipped: " + "; ".join(missing), returncode=SKIPPED)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Make a test that is skipped by itself fail where nothing may be: what a machine lacks must not go unseen."""
    result = yield
    report = result.get_result()
    if report.skipped and os.environ.get("CS_REQUIRE_SERVICES"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"CS_REQUIRE_SERVICES is set, but {reason}"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Yield a folder with a short path, since paths of Unix sockets are limited to 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="cs-", ignore_cleanup_errors=True) as name:
        yield Path(name)
