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


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Yield a folder with a short path, since paths of Unix sockets are limited to 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="cs-", ignore_cleanup_errors=True) as name:
        yield Path(name)
