"""Child processes that are watched, waited for by event and always stopped."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

REPOSITORY = Path(__file__).resolve().parents[3]
STOP_SECONDS = 5.0
LOOK_SECONDS = 0.1
CONNECT_INTERVAL_SECONDS = 0.02
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


class HarnessError(Exception):
    """A service did not start, answer or stop as it must; the message ends with the service's last words."""


UNWINDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived; raised where this harness waits, so that every context manager cleans up."""


class _Arrived:
    """The signal for which `Interrupted` is still to be raised."""

    number: int | None = None


def unwind_on_signals() -> None:
    """Turn the first SIGINT, SIGTERM or SIGHUP into `Interrupted`; later ones are ignored while clean-up runs.

    The handler itself raises nothing: it could do so anywhere, between a child's start and the note of it, or between a
    lock and the block that gives it back.
    """

    def handler(number: int, _frame: FrameType | None) -> None:
        for each in UNWINDING:
            signal.signal(each, signal.SIG_IGN)
        _Arrived.number = number

    for each in UNWINDING:
        signal.signal(each, handler)


def raise_if_interrupted() -> None:
    """Raise `Interrupted`, once and in the main thread, when a signal has arrived."""
    if threading.current_thread() is not threading.main_thread():
        return
    number, _Arrived.number = _Arrived.number, None
    if number is not None:
        raise Interrupted(signal.Signals(number).name)


def _until(deadline: float) -> float:
    """How long to wait before looking for a signal again."""
    return max(0.0, min(deadline - time.monotonic(), LOOK_SECONDS))


def pause(seconds: float) -> None:
    """Sleep for a moment that is too short for a signal to wait; raise `Interrupted` when one has arrived."""
    raise_if_interrupted()
    time.sleep(seconds)


def wait_for_change(condition: threading.Condition, deadline: float) -> None:
    """Wait on a condition that is held, for a while; raise `Interrupted` when a signal has arrived."""
    raise_if_interrupted()
    condition.wait(_until(deadline))


def wait_until(condition: threading.Condition, holds: Callable[[], bool], timeout: float) -> bool:
    """Wait on a condition that is held until `holds`; return whether it does, at the latest after `timeout` s."""
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() >= deadline:
            return False
        wait_for_change(condition, deadline)
    return True


def binary(name: str) -> Path:
    """Return the path of one of the project's programs; the folder comes from CS_BIN."""
    folder = Path(os.environ.get("CS_BIN") or REPOSITORY / "build/release/bin")
    return folder / name


def clouds_python() -> Path:
    """Return the Python that has what plays clouds: the build's target `clouds` makes it, beside the programs."""
    return binary("../clouds/bin/python3")


def missing_requirements() -> list[str]:
    """Return, in words, what keeps the real services from running here; empty when nothing does."""
    missing = [] if os.geteuid() == 0 else ["not running as root, which containerd needs"]
    for program in ("containerd", "runc", "ctr", "swtpm", "swtpm_setup", "docker-registry", "busybox"):
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            missing.append(f"{program} is not installed")
    return missing


def _die_with_parent() -> None:
    """Ask the kernel to end this child when the harness itself is killed and can't clean up.

    What the harness ignores while it unwinds is not for its children to ignore.
    """
    for each in UNWINDING:
        signal.signal(each, signal.SIG_DFL)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Process:
    """One child in a process group of its own; its output is kept line by line.

    `lines` holds stderr (and stdout, unless `separate_stdout`), `stdout_lines` stdout when it is kept apart.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        name: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        separate_stdout: bool = False,
    ) -> None:
        words = [str(word) for word in command]
        self.name = name or Path(words[0]).name
        self.lines: list[str] = []
        self.stdout_lines: list[str] = self.lines
        self._changed = threading.Condition()
        self._open_streams = 1
        stdout: int = subprocess.STDOUT
        try:
            self._child = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if separate_stdout else stdout,
                env={**os.environ, **env} if env is not None else None,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - async-signal-safe system calls only
            )
        except OSError as error:
            raise HarnessError(f"cannot start {self.name}: {error}") from error
        streams = [(self._child.stdout, self.lines)]
        if separate_stdout:
            self.stdout_lines = []
            self._open_streams = 2
            streams = [(self._child.stdout, self.stdout_lines), (self._child.stderr, self.lines)]
        self._readers = [threading.Thread(target=self._read, args=stream, daemon=True) for stream in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: object, target: list[str]) -> None:
        for raw in stream:  # type: ignore[attr-defined]
            with self._changed:
                target.append(raw.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._open_streams -= 1
            self._changed.notify_all()

    @property
    def pid(self) -> int:
        """Process id, which is also the id of the process group."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._child.poll() is None

    def last_words(self, count: int = 25) -> str:
        """Return the newest lines for an error message."""
        with self._changed:
            newest = self.lines[-count:]
        return "".join(f"\n    {self.name}: {line}" for line in newest) or f"\n    {self.name} wrote nothing"

    def wait_for(
        self, found: Callable[[str], bool] | str, timeout: float, what: str | None = None, after: int = 0
    ) -> str:
        """Return the first line that matches a regular expression or predicate, waiting for it up to `timeout` s.

        The first `after` lines are not looked at.
        """
        matches = re.compile(found).search if isinstance(found, str) else found
        what = what or (found if isinstance(found, str) else "the expected line")
        deadline = time.monotonic() + timeout
        seen = after
        with self._changed:
            while True:
                for line in self.lines[seen:]:
                    if matches(line):
                        return line
                seen = len(self.lines)
                if self._open_streams == 0:
                    problem = f"{self.name} ended without writing {what!r}"
                    break
                if time.monotonic() >= deadline:
                    problem = f"{self.name} did not write {what!r} within {timeout} s"
                    break
                wait_for_change(self._changed, deadline)
        raise HarnessError(problem + self.last_words())

    def wait(self, timeout: float) -> int:
        """Return the exit code (negative: killed by that signal) once all output has been read."""
        deadline = time.monotonic() + timeout
        while self.running:
            if time.monotonic() >= deadline:
                raise HarnessError(f"{self.name} did not end within {timeout} s{self.last_words()}")
            raise_if_interrupted()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_until(deadline))
        for reader in self._readers:
            reader.join(STOP_SECONDS)
        return self._child.returncode

    def signal(self, number: int) -> None:
        """Send a signal to the process alone."""
        if self.running:
            self._child.send_signal(number)

    def stop(self) -> None:
        """End the process group: politely, then after a bounded wait by force."""
        if self.running:
            self._signal_group(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(STOP_SECONDS)
        self._signal_group(signal.SIGKILL)
        self._child.wait()
        for reader in self._readers:
            reader.join(STOP_SECONDS)

    def _signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def run(*command: str | Path, timeout: float = 60.0, env: Mapping[str, str] | None = None) -> str:
    """Run a short command to its end and return its standard output; a failure carries the command's own words."""
    words = [str(word) for word in command]
    environment = {**os.environ, **env} if env is not None else None
    deadline = time.monotonic() + timeout
    try:
        with subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as child:
            try:
                output, errors = _communicate(child, deadline)
                raise_if_interrupted()  # a terminal's Ctrl-C has ended the child as well
            except BaseException:
                child.kill()
                raise
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HarnessError(f"{' '.join(words)}: {error}") from error
    if child.returncode != 0:
        raise HarnessError(f"{' '.join(words)} failed with {child.returncode}: {errors or output}")
    return output


def _communicate(child: subprocess.Popen[str], deadline: float) -> tuple[str, str]:
    while True:
        raise_if_interrupted()
        try:
            return child.communicate(timeout=_until(deadline))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline:
                raise


def wait_connect(address: Path | tuple[str, int], process: Process, timeout: float = 10.0) -> None:
    """Return once a connection to a Unix socket or a port is accepted; fail at once when the process ends."""
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    target = address if isinstance(address, tuple) else str(address)
    deadline = time.monotonic() + timeout
    while True:
        with socket.socket(family) as probe:
            probe.settimeout(timeout)
            try:
                probe.connect(target)
            except OSError as error:
                last = error
            else:
                return
        if not process.running:
            raise HarnessError(f"{process.name} ended before it listened on {target}{process.last_words()}")
        if time.monotonic() >= deadline:
            raise HarnessError(f"{process.name} does not listen on {target}: {last}{process.last_words()}")
        pause(CONNECT_INTERVAL_SECONDS)


# Below what the kernel hands out by itself (ip_local_port_range), so that no other service of ours gets it meanwhile.
OWN_PORTS = range(20000, 32768)
_given_ports: set[int] = set()


def free_port() -> int:
    """Return a loopback port for a service that must know its own address before it starts; each is given out once."""
    for port in random.sample(OWN_PORTS, len(OWN_PORTS)):
        if port in _given_ports:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given_ports.add(port)
        return port
    raise HarnessError("no port is free")
