"""The entry's list of packages."""

from __future__ import annotations

from pathlib import Path

import pytest
from predictions.entry import load_packages
from predictions.error import PredictionError


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (b"{", "manifest: is no JSON"),
        (b"[]", "packages: is no list"),
        (b'{"packages": {}}', "packages: is no list"),
        (b'{"packages": [1]}', r"packages\[0\]: has no name or no version"),
        (b'{"packages": [{"name": "a"}]}', r"packages\[0\]: has no name or no version"),
        (b'{"packages": [{"name": "a", "version": 1}]}', r"packages\[0\]: has no name or no version"),
        (
            b'{"packages": [{"name": "a", "version": "1"}, {"name": "a", "version": "2"}]}',
            r"packages\[1\]: a stands there in two versions",
        ),
    ],
)
def test_broken_manifests(manifest: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "image.manifest").write_bytes(manifest)
    with pytest.raises(PredictionError, match=f"image.manifest: {reason}"):
        load_packages(tmp_path / "image.manifest")
