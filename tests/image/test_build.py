"""What the images' packages are made of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import build


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository of a folder and a file."""
    (tmp_path / "repository/room").mkdir(parents=True)
    (tmp_path / "repository/room/a.cpp").write_text("a")
    (tmp_path / "repository/CMakeLists.txt").write_text("c")
    monkeypatch.setattr(build, "REPOSITORY", tmp_path / "repository")
    monkeypatch.setattr(build, "package_sources", lambda: ["room", "CMakeLists.txt"])
    return tmp_path / "repository"


def test_what_has_changed_is_younger_than_all_that_was_made_of_it(repository: Path, tmp_path: Path) -> None:
    """Even if it was changed before the last build had ended; all else keeps its time."""
    copy = tmp_path / "sources"
    build.copy_sources(copy)
    kept = (copy / "CMakeLists.txt").stat().st_mtime_ns
    made = tmp_path / "a.o"
    made.touch()
    changed = repository / "room/a.cpp"
    changed.write_text("b")
    os.utime(changed, ns=(kept, kept))
    build.copy_sources(copy)
    assert (copy / "room/a.cpp").read_text() == "b"
    assert (copy / "room/a.cpp").stat().st_mtime_ns > made.stat().st_mtime_ns
    assert (copy / "CMakeLists.txt").stat().st_mtime_ns == kept


def test_what_is_gone_is_gone(repository: Path, tmp_path: Path) -> None:
    """Nothing of an earlier copy gets into the packages."""
    copy = tmp_path / "sources"
    build.copy_sources(copy)
    (repository / "room/a.cpp").unlink()
    build.copy_sources(copy)
    assert sorted(path.name for path in copy.rglob("*")) == ["CMakeLists.txt", "room"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("sources")] == ["sources"]
