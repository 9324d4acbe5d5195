"""What goes wrong below a workload that runs: its shim, its memory, its processes, containerd, the disk."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import Launcher, Layer, Postbox, World
from cs_harness.process import run
from support import STAY, push, shell_image

SUCCESS, FAILURE, REBOOT = 0, 1, 3
END_SECONDS = 10.0
RESTART = {"tee-restart-policy": "OnFailure"}


@pytest.fixture
def running(world: World) -> Iterator[Launcher]:
    """Yield a launcher whose workload stays."""
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag, **RESTART}) as launcher:
        yield launcher.wait_ready()


def children_of(pid: int) -> list[int]:
    """Return a process's children."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid:
                found.append(int(entry.name))
    return found


def shim_of(world: World) -> int:
    """Return the process that containerd has put above the workload."""
    folder = world.folder / "containerd/state/io.containerd.runtime.v2.task" / world.containerd.namespace
    (pid_file,) = folder.glob("*/init.pid")
    status = Path(f"/proc/{pid_file.read_text()}/stat").read_text().rpartition(")")[2].split()
    return int(status[1])


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Put a disk over a folder that has room for an image's documents, and for no layer."""
    run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder)
    (folder / "ingest").mkdir()  # which containerd makes when it starts
    try:
        yield
    finally:
        run("umount", "--lazy", folder)


def test_containerd_that_is_restarted_is_no_loss(world: World, running: Launcher) -> None:
    """The workload lives on in its shim's care, and its end is heard."""
    world.containerd.restart()
    assert running.process.running
    assert world.containerd.containers() == ["tee-container"]
    running.terminate()
    assert running.wait(60) == SUCCESS, running.process.last_words()
    assert world.containerd.containers() == []


def test_a_signal_while_containerd_is_away_is_not_lost(world: World, running: Launcher) -> None:
    """It reaches the workload when containerd is back."""
    world.containerd.stop()
    running.terminate()
    running.wait_for("received a signal, the workload is asked to end")
    world.containerd.start()
    assert running.wait(60) == SUCCESS, running.process.last_words()
    assert "is killed" not in running.log_text


def test_a_shim_that_is_killed_takes_the_workload_with_it(world: World, running: Launcher) -> None:
    """Nobody knows any more how the workload ended: a failure, and a new start where the policy wants one."""
    shim = shim_of(world)
    ends = [os.pidfd_open(pid) for pid in children_of(shim)]
    assert ends
    os.kill(shim, signal.SIGKILL)
    assert running.wait(90) == REBOOT, running.process.last_words()
    assert world.containerd.containers() == []
    for end in ends:
        assert select.select([end], [], [], END_SECONDS)[0], "the workload outlives its launcher"
        os.close(end)


@pytest.mark.parametrize(
    ("how", "code"), [("exit 0", SUCCESS), ("exit 1", REBOOT), ("exit 137", REBOOT)]
)
def test_a_workload_that_ends_at_once(world: World, how: str, code: int) -> None:
    """It has ended before anybody could look: its exit code is not lost."""
    image = push(world.registry, shell_image(how))
    with world.launcher({"tee-image-reference": image.by_tag, **RESTART}) as launcher:
        assert launcher.wait(60) == code, launcher.process.last_words()
        assert launcher.token_file.exists()


def test_the_launcher_outlives_a_fork_bomb(world: World, postbox: Postbox) -> None:
    """The workload's processes end with it, however many they are: the kernel ends a whole PID namespace."""
    image = push(
        world.registry,
        shell_image(
            f"i=0; while [ $i -lt 2000 ]; do sleep 600 & i=$((i+1)); done; {postbox.send('echo born')}; exit 5"
        ),
    )
    with world.launcher({"tee-image-reference": image.by_tag, **RESTART}) as launcher:
        assert postbox.wait(120).strip() == "born"
        assert launcher.wait(60) == REBOOT, launcher.process.last_words()
    assert world.containerd.containers() == []


def test_a_content_store_that_is_full_is_an_error_that_says_so(world: World) -> None:
    """And not a launch that hangs, or an image in part."""
    image = push(world.registry, shell_image(more_layers=[Layer().file("new", os.urandom(1 << 20))]))
    store = world.folder / "containerd/root/io.containerd.content.v1.content"
    with small_disk(store), world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        assert launcher.wait(60) == FAILURE
        assert "no space left on device" in launcher.log_text.lower(), launcher.process.last_words()
    assert world.pcr() == bytes(32)
