"""What somebody has put where the launcher keeps its files: it is replaced or refused, and never followed."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cs_harness import World
from support import STAY, push, shell_image

FAILURE = 1
OTHER_USER = 12345
VICTIM_MODE = 0o100644
TOKEN = "attestation_verifier_claims_token"
SOCKET = "teeserver.sock"


def plant_device(path: Path, victim: Path) -> None:
    """Make a device to which everything can be written; where that is not allowed, what comes nearest."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        path.symlink_to("/dev/null")


def plant_file_of_another(path: Path, victim: Path) -> None:
    """Make a file that another user can read and write."""
    path.write_text("theirs")
    os.chown(path, OTHER_USER, OTHER_USER)
    path.chmod(0o666)


def plant_socket(path: Path, victim: Path) -> None:
    """Make a socket that nobody listens to any more."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


PLANTS: dict[str, Callable[[Path, Path], None]] = {
    "symlink": lambda path, victim: path.symlink_to(victim),
    "dangling": lambda path, victim: path.symlink_to(victim.with_name("absent")),
    "hard-link": lambda path, victim: path.hardlink_to(victim),
    "fifo": lambda path, victim: os.mkfifo(path, 0o666),
    "device": plant_device,
    "foreign": plant_file_of_another,
    "socket": plant_socket,
}


# The names under which they are made, too.
PLACES = (TOKEN, f".{TOKEN}.new", SOCKET, f"{SOCKET}.new")


@pytest.mark.parametrize("kind", PLANTS)
def test_what_is_planted_in_the_runtime_directory(world: World, tmp_path: Path, kind: str) -> None:
    """Token and socket are the launcher's own all the same; the victim stays as it was."""
    runtime = tmp_path / "r"
    runtime.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in PLACES:
        PLANTS[kind](runtime / name, victim)
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}, runtime_directory=runtime) as launcher:
        launcher.wait_ready()
        for path, is_kind in ((launcher.token_file, stat.S_ISREG), (launcher.socket, stat.S_ISSOCK)):
            status = path.lstat()
            assert is_kind(status.st_mode)
            assert (status.st_uid, status.st_nlink) == (os.geteuid(), 1)
        assert launcher.tee.request().text == launcher.token
    assert victim.read_text() == "precious"
    assert victim.stat().st_mode == VICTIM_MODE
    assert not victim.with_name("absent").exists()


@pytest.mark.parametrize("name", PLACES)
def test_a_folder_in_the_way_is_named(world: World, tmp_path: Path, name: str) -> None:
    """What may hold somebody's files is not removed."""
    runtime = tmp_path / "r"
    (runtime / name / "inner").mkdir(parents=True)
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}, runtime_directory=runtime) as launcher:
        assert launcher.wait(60) == FAILURE
        assert name in launcher.log_text
    assert (runtime / name / "inner").is_dir()


def make_link(place: Path) -> None:
    """Make a link to a folder."""
    place.with_name("elsewhere").mkdir()
    place.symlink_to(place.with_name("elsewhere"))


def make_foreign(place: Path) -> None:
    """Make a folder of another user."""
    place.mkdir()
    os.chown(place, OTHER_USER, OTHER_USER)


def make_open(place: Path) -> None:
    """Make a folder in which everybody may write."""
    place.mkdir()
    place.chmod(0o777)


def make_file(place: Path) -> None:
    """Make a file."""
    place.write_text("")


@pytest.mark.parametrize("make", [make_link, make_foreign, make_open, make_file])
def test_a_runtime_directory_that_is_not_the_launchers_own(
    world: World, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """Nothing is pulled or measured, and the error names the folder."""
    place = tmp_path / "r"
    make(place)
    image = push(world.registry, shell_image())
    with world.launcher({"tee-image-reference": image.by_tag}, runtime_directory=place) as launcher:
        assert launcher.wait(60) == FAILURE
        assert str(place) in launcher.log_text
        assert "image pulled" not in launcher.log_text
    assert world.pcr() == bytes(32)
    if place.with_name("elsewhere").exists():
        assert list(place.with_name("elsewhere").iterdir()) == []
