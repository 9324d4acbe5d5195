"""What the scenarios share: the built images, and around them a world of real services for each test file."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

from cs_harness import VmWorld, missing_vm_requirements
from cs_harness.vm_world import images_folder

SKIPPED = 77  # CTest's SKIP_RETURN_CODE


def pytest_sessionstart() -> None:
    """Skip the whole file, saying why, where virtual machines can't run; let SIGTERM clean up as SIGINT does."""
    missing = missing_vm_requirements()
    if not (images_folder() / "reference-values.json").exists():
        missing.append(f"there are no images in {images_folder()}: make image")
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


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[VmWorld]:
    """Yield running services."""
    with VmWorld(folder) as services:
        yield services
