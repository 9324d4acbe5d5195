"""What the scenarios share: the built images, and around them a world of real services for each test file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

from cs_harness import VmWorld, missing_vm_requirements
from cs_harness.vm_world import images_folder
from session import begin_session, folder, pytest_runtest_makereport

__all__ = ["folder", "images", "pytest_runtest_makereport", "world"]


@pytest.fixture(scope="session")
def images() -> Path:
    """Return the folder of the images; skip where there are none or virtual machines can't run."""
    missing = missing_vm_requirements()
    if not (images_folder() / "reference-values.json").exists():
        missing.append(f"there are no images in {images_folder()}: make image")
    begin_session(missing)
    return images_folder()


@pytest.fixture(scope="module")
def world(folder: Path, images: Path) -> Iterator[VmWorld]:
    """Yield running services."""
    with VmWorld(folder, images) as services:
        yield services
