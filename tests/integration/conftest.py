"""What the integration tests share: one world of real services for each test file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

from cs_harness import Postbox, TeeClient, World, missing_requirements
from session import begin_session, folder, pytest_runtest_makereport
from support import STAY, push, shell_image

__all__ = ["folder", "postbox", "pytest_runtest_makereport", "pytest_sessionstart", "workload", "world"]


def pytest_sessionstart() -> None:
    """Skip where the real services can't run."""
    begin_session(missing_requirements())


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[World]:
    """Yield running services."""
    with World(folder) as services:
        yield services


@pytest.fixture(scope="module")
def workload(world: World) -> Iterator[TeeClient]:
    """Yield the socket of a workload that runs, through which evidence of its machine comes to the service."""
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        launcher.wait_ready()
        yield TeeClient(launcher.socket)


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """Yield a place where workloads can leave messages."""
    with Postbox() as box:
        yield box
