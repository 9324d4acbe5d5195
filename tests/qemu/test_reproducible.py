"""Two builds from the same sources and the same package versions."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from cs_harness.process import REPOSITORY

BUILD_SECONDS = 1800


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_second_build_from_the_same_packages_gives_the_same_bytes(images: Path, tmp_path: Path) -> None:
    """Tools, initial RAM disk and image are made anew from nothing, signed with the same keys, and compared."""
    first, second = images, tmp_path / "output"
    second.mkdir()
    subprocess.run(["cp", "--recursive", first / "trial-ca", second], check=True)
    inputs = ["--keys", first / "secure-boot", "--packages", first / "packages"]
    places = ["--work", tmp_path / "work", "--output", second]
    command = [REPOSITORY / "image/build.py", "--variant", "hardened", *inputs, *places]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": (first / "hardened.epoch").read_text()}
    subprocess.run(command, check=True, timeout=BUILD_SECONDS, env=environment)
    versions = [(folder / "hardened.manifest").read_text() for folder in (first, second)]
    assert versions[0] == versions[1], "the archive has newer packages by now: build the first image again"
    for name in ("hardened.efi", "hardened.raw"):
        assert digest(first / name) == digest(second / name), name
