"""What the images' packages are made of."""

from __future__ import annotations

import os
from argparse import Namespace
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


def settings_from(folder: Path | None, tmp_path: Path, verifier: str = "https://verifier.example") -> Path:
    """Return the folder of the launcher's credentials in an image that was asked for with such a folder."""
    given = Namespace(verifier=verifier, verifier_ca=None, registry_ca=None, launcher_settings=folder)
    return build.launcher_settings(tmp_path / "output", given) / "usr/lib/credstore"


def test_settings_of_the_launcher_are_added_and_replaced(tmp_path: Path) -> None:
    """Line by line, and the files that the lines name come along."""
    ours = ["check-machine = true", 'verifier = "https://verifier.example"', 'container-capabilities = "all"']
    store = settings_from(None, tmp_path)
    assert (store / "cs-launcher.conf").read_text().splitlines() == ours
    folder = tmp_path / "settings"
    folder.mkdir()
    verifiers = 'verifier = ["a=https://a.example", "b=https://b.example"]'
    (folder / "cs-launcher.conf").write_text(f"# more\n\n  cloud-logging = true\n{verifiers}\n")
    (folder / "cs-launcher.partner-ca").write_text("roots")
    store = settings_from(folder, tmp_path)
    expected = [ours[0], verifiers, ours[2], "cloud-logging = true"]
    assert (store / "cs-launcher.conf").read_text().splitlines() == expected
    assert sorted(file.name for file in store.iterdir()) == ["cs-launcher.conf", "cs-launcher.partner-ca"]


def test_an_image_with_verifiers_of_its_own_does_not_trust_the_trial_ones_ca(tmp_path: Path) -> None:
    """Whichever way they were named."""
    folder = tmp_path / "settings"
    folder.mkdir()
    store = settings_from(folder, tmp_path, build.TRIAL_VERIFIER)
    trial = ["cs-launcher.conf", "cs-launcher.registry-ca", "cs-launcher.verifier-ca"]
    assert sorted(file.name for file in store.iterdir()) == trial
    (folder / "cs-launcher.conf").write_text('verifier = ["a=https://a.example", "b=https://b.example"]\n')
    store = settings_from(folder, tmp_path, build.TRIAL_VERIFIER)
    assert [file.name for file in store.iterdir()] == ["cs-launcher.conf"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cs-launcher.conf", "[section]\n"),
        ("cs-launcher.conf", "log-level =\n"),
        ("cs-launcher.conf", "stop-grace = 1\nstop-grace = 2\n"),
        ("partner-ca", "roots"),
    ],
)
def test_settings_that_would_come_to_nothing_are_refused(tmp_path: Path, name: str, text: str) -> None:
    """Before anything is built, and with the file's name."""
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / name).write_text(text)
    with pytest.raises(build.BuildError, match=name):
        settings_from(folder, tmp_path)
