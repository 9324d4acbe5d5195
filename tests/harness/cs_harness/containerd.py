"""A containerd of our own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import secrets
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from .process import HarnessError, Process, run

UNMOUNT_DETACH = 2
RUNC_STATE = Path("/run/containerd/runc")  # where the shim has runc keep it, below the namespace

CONFIGURATION = """version = 2
root = "{root}"
state = "{state}"
disabled_plugins = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "{socket}"

[ttrpc]
  address = "{socket}.ttrpc"

[plugins."io.containerd.internal.v1.opt"]
  path = "{root}/opt"
"""

# Containers are given a limit of open files that only CAP_SYS_RESOURCE may raise. Where the machine withholds that
# capability (some sandboxes do, from root too), this stands before runc and lowers the limit to what is possible. It
# also holds the making of a task for as long as somebody has the other end of a FIFO open.
OPEN_FILES = 131072
RUNC_WRAPPER = """#!/usr/bin/python3 -S
import json, os, sys
if "create" in sys.argv and "--bundle" in sys.argv:
    if os.path.exists("{hold}"):
        open("{hold}").read()
    path = sys.argv[sys.argv.index("--bundle") + 1] + "/config.json"
    with open(path) as file:
        spec = json.load(file)
    for limit in spec["process"].get("rlimits", []):
        if limit["type"] == "RLIMIT_NOFILE":
            limit["soft"] = limit["hard"] = min(limit["hard"], {possible})
    with open(path, "w") as file:
        json.dump(spec, file)
os.execv("{runc}", ["runc", *sys.argv[1:]])
"""

_libc = ctypes.CDLL(None, use_errno=True)


class Containerd:
    """containerd with private root, state and socket.

    The namespace is private too, since runc derives the paths of a container's cgroup and of its own state from it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "containerd"
        self.socket = self._folder / "containerd.sock"
        self.namespace = f"cs-test-{secrets.token_hex(6)}"
        self.snapshotter = "overlayfs"
        self._programs = self._folder / "bin"
        self._hold = self._folder / "hold"
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "config.toml"
        root, state = self._folder / "root", self._folder / "state"
        configuration.write_text(CONFIGURATION.format(root=root, state=state, socket=self.socket))
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._remove_tasks()
        finally:
            self.stop()
            self._kill_leftovers()
            self._unmount_leftovers()
            self._remove_cgroups()
            shutil.rmtree(RUNC_STATE / self.namespace, ignore_errors=True)

    @property
    def log(self) -> str:
        """Return what the daemon has said since its last start."""
        return "\n".join(self._process.lines) if self._process else ""

    def start(self) -> None:
        """Start the daemon and wait until it serves."""
        if open_files_possible() < OPEN_FILES:
            self._wrap_runc()
        path = f"{self._programs}:{os.environ.get('PATH', os.defpath)}"
        self._process = Process(["containerd", "--config", self._folder / "config.toml"], env={"PATH": path})
        try:
            self._process.wait_for("containerd successfully booted", timeout=30)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the daemon; running containers live on, in the care of their shims."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def restart(self) -> None:
        """Stop and start the daemon."""
        self.stop()
        self.start()

    def ctr(self, *arguments: str) -> str:
        """Run containerd's own client in our namespace."""
        return run("ctr", "--address", self.socket, "--namespace", self.namespace, *arguments, timeout=30)

    def containers(self) -> list[str]:
        """Return the ids of the containers that exist."""
        return self.ctr("containers", "list", "--quiet").split()

    def snapshots(self) -> list[str]:
        """Return the keys of the active (writable) snapshots."""
        rows = [line.split() for line in self.ctr("snapshots", "list").splitlines()[1:]]
        return [row[0] for row in rows if row[-1] == "Active"]

    def bundles(self) -> list[str]:
        """Return the ids of the containers that have, or are getting, a task."""
        folder = self._folder / "state/io.containerd.runtime.v2.task" / self.namespace
        return [path.name for path in folder.iterdir()] if folder.exists() else []

    @contextlib.contextmanager
    def held_task(self) -> Iterator[Callable[[], TextIO]]:
        """Hold the next task while it is made: what is given returns when that begins, a file that lets go when closed."""
        self._wrap_runc()
        os.mkfifo(self._hold)
        try:
            yield lambda: self._hold.open("w")
        finally:
            self._hold.unlink()

    def _wrap_runc(self) -> None:
        self._programs.mkdir(exist_ok=True)
        wrapper = self._programs / "runc"
        runc = shutil.which("runc")
        wrapper.write_text(RUNC_WRAPPER.format(hold=self._hold, possible=open_files_possible(), runc=runc))
        wrapper.chmod(0o755)

    def _remove_tasks(self) -> None:
        if self._process is None or not self._process.running:
            return
        try:
            for task in self.ctr("tasks", "list", "--quiet").split():
                self.ctr("tasks", "delete", "--force", task)
        except HarnessError:
            pass  # what is left is killed below

    def _kill_leftovers(self) -> None:
        """Kill container processes and shims, found by our bundles and by our socket in the shims' arguments."""
        tasks = self._folder / "state/io.containerd.runtime.v2.task"
        for pid_file in tasks.glob("*/*/init.pid"):
            _kill(int(pid_file.read_text()))
        address = str(self.socket).encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"containerd-shim" in arguments[0] and address in arguments:
                _kill(int(entry.name))

    def _unmount_leftovers(self) -> None:
        prefix = f"{self._folder}/"
        mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        for mount in reversed([mount for mount in mounts if mount.startswith(prefix)]):
            _libc.umount2(mount.encode(), UNMOUNT_DETACH)

    def _remove_cgroups(self) -> None:
        """Remove the groups of our namespace, which runc leaves behind empty; children first."""
        base = Path("/sys/fs/cgroup")
        for group in [*base.glob(self.namespace), *base.glob(f"*/{self.namespace}")]:
            folders = [Path(folder) for folder, _, _ in os.walk(group)]
            for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()


def open_files_possible() -> int:
    """Return the highest limit of open files that a container can be given here."""
    status = Path("/proc/self/status").read_text()
    effective = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), 16)
    cap_sys_resource = 24
    if effective >> cap_sys_resource & 1:
        return OPEN_FILES
    return min(OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
