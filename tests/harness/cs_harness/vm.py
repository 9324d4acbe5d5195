"""A virtual machine with UEFI firmware, Secure Boot and a TPM, as a cloud would start one."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .observer import KernelBoot
from .process import (
    HarnessError,
    Process,
    free_port,
    pause,
    run,
    wait_for_change,
    wait_until,
)
from .secure_boot import EMPTY_STORE, enrolled_store
from .time_network import TimeNetwork

FIRMWARE = Path("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")
STATE_SERIAL = "cs-state"
# For what hangs. Emulation is slow, and on some days the machines of a test run share two processors that are, too.
BOOT_SECONDS = 600.0
LISTEN_SECONDS = 30.0
GUEST = "169.254.0.15"


def missing_vm_requirements() -> list[str]:
    """Return, in words, what keeps virtual machines from running here; empty when nothing does."""
    missing = []
    for program in ("qemu-system-x86_64", "qemu-img", "swtpm", "swtpm_setup", "docker-registry", "busybox"):
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            missing.append(f"{program} is not installed")
    if not FIRMWARE.exists():
        missing.append("ovmf is not installed")
    return missing


class Console:
    """The machine's serial line, read as lines; what was typed is echoed by the machine, not by us."""

    def __init__(self, path: Path, record: Path, lines: Sequence[str] = ()) -> None:
        self.lines: list[str] = list(lines)  # of the time before this line was connected
        self._record = record.open("a")
        self._changed = threading.Condition()
        self._open = True
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while chunk := self._socket.recv(65536):
                *whole, rest = (rest + chunk).split(b"\n")
                if whole:
                    self._append([_clean(line) for line in whole])
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def _append(self, lines: Sequence[str]) -> None:
        with self._changed:
            self.lines += lines
            self._record.write("".join(f"{line}\n" for line in lines))
            self._record.flush()
            self._changed.notify_all()

    @property
    def text(self) -> str:
        """Everything so far."""
        with self._changed:
            return "\n".join(self.lines)

    def wait_for(self, pattern: str, timeout: float = BOOT_SECONDS, after: int = 0) -> str:
        """Return the first line, from number `after` on, in which a regular expression is found."""
        matches = re.compile(pattern).search
        deadline = time.monotonic() + timeout
        seen = after
        with self._changed:
            while True:
                for line in self.lines[seen:]:
                    if matches(line):
                        return line
                seen = len(self.lines)
                if not self._open or time.monotonic() >= deadline:
                    why = "the machine stopped" if not self._open else f"{timeout:.0f} s are over"
                    raise HarnessError(f"the console does not show {pattern!r}: {why}{self.last_words()}")
                wait_for_change(self._changed, deadline)

    def send(self, line: str) -> None:
        """Type a line."""
        self._socket.sendall(line.encode() + b"\n")

    def last_words(self, count: int = 40) -> str:
        """Return the newest lines for an error message."""
        with self._changed:
            return "".join(f"\n    console: {line}" for line in self.lines[-count:])

    def read_to_end(self) -> None:
        """Read what a machine that is gone has left."""
        with self._changed:
            if not wait_until(self._changed, lambda: not self._open, LISTEN_SECONDS):
                raise HarnessError(f"QEMU does not end{self.last_words()}")

    def close(self) -> None:
        """Stop reading."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(5)
        self._socket.close()
        self._record.close()


def _clean(line: bytes) -> str:
    """Drop carriage returns and terminal sequences."""
    text = line.decode(errors="replace").replace("\r", "")
    return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>cM78])", "", text)


class Monitor:
    """QEMU's machine protocol: commands, and what happens to the machine."""

    def __init__(self, path: Path) -> None:
        self._events: list[dict[str, Any]] = []
        self._answers: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._open = True
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rb")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.command("qmp_capabilities")

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self._file:
                message = json.loads(line)
                with self._changed:
                    if "event" in message:
                        self._events.append(message)
                    elif "QMP" not in message:
                        self._answers.append(message)
                    self._changed.notify_all()
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def command(self, name: str, /, **arguments: object) -> Any:
        """Send one command and return its answer."""
        with self._changed:
            self._socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode())
            if not wait_until(self._changed, lambda: bool(self._answers) or not self._open, 30) or not self._answers:
                raise HarnessError(f"QEMU does not answer {name}")
            answer = self._answers.pop(0)
        if "error" in answer:
            raise HarnessError(f"QEMU refuses {name}: {answer['error']['desc']}")
        return answer["return"]

    def wait_event(self, name: str, timeout: float) -> dict[str, Any] | None:
        """Return the first event of that name, or None when the machine is gone or the time is over before it."""

        def found() -> dict[str, Any] | None:
            return next((event for event in self._events if event["event"] == name), None)

        with self._changed:
            wait_until(self._changed, lambda: found() is not None or not self._open, timeout)
            return found()

    def close(self) -> None:
        """Leave the machine to itself."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(5)
        self._socket.close()


@dataclass(frozen=True)
class Hardware:
    """What a machine has, and what its platform tells it; `kernel` is started instead of what is on its disk."""

    memory_mib: int = 2048
    state_disk_mib: int | None = 2048
    network_is_up: bool = True
    time_network: TimeNetwork | None = None
    clock_is_off_by: timedelta = timedelta()
    kernel: KernelBoot | None = None
    extra_command_line: str | None = None
    credentials: Mapping[str, str] = field(default_factory=dict)


class VirtualMachine:
    """One QEMU. `services` maps addresses in the machine's network ("169.254.169.254:80") to ports on this host.

    The machine's disks are overlays: nothing that it writes reaches the image.

    A machine that reboots itself is started anew, with its disks, its firmware's variables and its TPM. In the same
    process the firmware would take minutes at times: of what the machine ran before, the emulator keeps translated
    code, and every write to a page with such code, the firmware's stack if chance will have it, is a slow one.
    """

    def __init__(
        self,
        folder: Path,
        image: Path,
        *,
        keys: Mapping[str, bytes],
        services: Mapping[str, int],
        tpm_state: Path | None,
        hardware: Hardware,
    ) -> None:
        self.folder = folder
        self.image = image
        self._keys = keys
        self._services = services
        self._tpm_state = tpm_state
        self._hardware = hardware
        self._running = contextlib.ExitStack()
        self.console: Console
        self.monitor: Monitor

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._make_disks()
        # A kernel that no disk has brought has no signature of ours.
        store = EMPTY_STORE.read_bytes() if self._hardware.kernel else enrolled_store(self._keys)
        (self.folder / "variables.fd").write_bytes(store)
        self._power_on([])
        return self

    def _power_on(self, lines: Sequence[str]) -> None:
        """Start what is switched off; `lines` are what the console has shown before."""
        for name in ("console.sock", "monitor.sock"):
            (self.folder / name).unlink(missing_ok=True)
        with contextlib.ExitStack() as stack:
            if self._tpm_state is not None:
                stack.enter_context(self._start_tpm(self._tpm_state))
            qemu = stack.enter_context(Process(self._command(), name="qemu"))
            for name in ("console.sock", "monitor.sock"):
                wait_listening(self.folder / name, qemu)
            self.console = Console(self.folder / "console.sock", self.folder / "console.log", lines)
            stack.callback(self.console.close)
            self.monitor = Monitor(self.folder / "monitor.sock")
            stack.callback(self.monitor.close)
            if not self._hardware.network_is_up:
                self.set_network(up=False)
            if self._hardware.time_network is not None:
                self.set_network(up=False, name="time")
            self.monitor.command("cont")
            self._running = stack.pop_all()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(f"the machine's last words:{self.console.last_words()}")
        self._running.close()

    def set_network(self, *, up: bool, name: str = "nic") -> None:
        """Plug or pull a network cable: "nic" leads to the services, "time" to the network that knows the time."""
        self.monitor.command("set_link", name=name, up=up)

    def forward(self, port: int) -> tuple[str, int]:
        """Return an address of this host at which a TCP port of the machine can be called."""
        here = free_port()
        line = f"hostfwd_add net tcp:127.0.0.1:{here}-{GUEST}:{port}"
        answer = self.monitor.command("human-monitor-command", **{"command-line": line})
        if answer:
            raise HarnessError(f"QEMU refuses {line}: {answer}")
        return "127.0.0.1", here

    def press_power_button(self) -> None:
        """Ask the machine to power off, as a cloud does."""
        self.monitor.command("system_powerdown")

    def wait_shutdown(self, timeout: float = BOOT_SECONDS) -> None:
        """Wait until the machine has powered itself off."""
        self._expect("guest-shutdown", timeout)

    def wait_reboot(self, timeout: float = BOOT_SECONDS) -> None:
        """Wait until the machine reboots itself, and have it do so."""
        self._expect("guest-reset", timeout)
        self.console.read_to_end()
        self._running.close()
        self._power_on(self.console.lines)

    def _expect(self, reason: str, timeout: float) -> None:
        event = self.monitor.wait_event("SHUTDOWN", timeout)
        if event is None or event["data"].get("reason") != reason:
            found = "nothing of the kind" if event is None else str(event["data"])
            raise HarnessError(f"waited for an end by {reason}, found {found}{self.console.last_words()}")

    def _start_tpm(self, state: Path) -> Process:
        control = self.folder / "tpm.sock"
        control.unlink(missing_ok=True)
        process = Process(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--ctrl", f"type=unixio,path={control}"]
        )
        try:
            wait_listening(control, process)
        except BaseException:
            process.stop()
            raise
        return process

    def _make_disks(self) -> None:
        for name in ("root.qcow2", "state.qcow2"):
            (self.folder / name).unlink(missing_ok=True)
        backing = ("-F", "raw", "-b", self.image.resolve())
        run("qemu-img", "create", "-q", "-f", "qcow2", *backing, self.folder / "root.qcow2")
        size = self._hardware.state_disk_mib
        if size is not None:
            run("qemu-img", "create", "-q", "-f", "qcow2", self.folder / "state.qcow2", f"{size}M")

    def _command(self) -> list[str]:
        accelerator = os.environ.get("QEMU_ACCEL", "tcg")
        hardware = self._hardware
        accel = "tcg,thread=multi" if accelerator == "tcg" else accelerator
        # Page tables of five levels only cost an emulator time.
        words = [
            *("qemu-system-x86_64", "-S", "-machine", "q35,smm=on", "-accel", accel, "-cpu", "max,la57=off", "-smp", "2"),
            *("-m", str(hardware.memory_mib), "-nodefaults", "-display", "none", "-action", "reboot=shutdown"),
            *("-global", "driver=cfi.pflash01,property=secure,value=on"),
            *("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={FIRMWARE}"),
            *("-drive", f"if=pflash,unit=1,format=raw,file={self.folder / 'variables.fd'}"),
            *("-chardev", f"socket,id=console,path={self.folder / 'console.sock'},server=on,wait=off"),
            *("-serial", "chardev:console"),
            *("-qmp", f"unix:{self.folder / 'monitor.sock'},server=on,wait=off"),
            *("-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"),
            *("-netdev", self._network(), "-device", "virtio-net-pci,netdev=net,id=nic,romfile="),
            *_disk("root", self.folder / "root.qcow2", "root", "bootindex=1"),  # a kernel given by the platform has 0
        ]
        if hardware.state_disk_mib is not None:
            words += _disk("state", self.folder / "state.qcow2", STATE_SERIAL)
        if self._tpm_state is not None:
            words += ["-chardev", f"socket,id=tpm,path={self.folder / 'tpm.sock'}"]
            words += ["-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm0"]
        if hardware.kernel is not None:
            words += ["-kernel", str(hardware.kernel.kernel), "-initrd", str(hardware.kernel.initrd)]
            words += ["-append", hardware.kernel.command_line.read_text().strip("\0\n ")]
        if hardware.time_network is not None:
            words += ["-netdev", f"stream,id=time-net,server=off,addr.type=unix,addr.path={hardware.time_network.path}"]
            words += ["-device", "virtio-net-pci,netdev=time-net,id=time,romfile="]
        if hardware.clock_is_off_by:
            begin = datetime.now(UTC) + hardware.clock_is_off_by
            words += ["-rtc", f"base={begin:%Y-%m-%dT%H:%M:%S}"]
        if hardware.extra_command_line is not None:
            words += ["-smbios", f"type=11,value=io.systemd.stub.kernel-cmdline-extra={hardware.extra_command_line}"]
        for name, value in hardware.credentials.items():
            encoded = base64.b64encode(value.encode()).decode()
            words += ["-smbios", f"type=11,value=io.systemd.credential.binary:{name}={encoded}"]
        return words

    def _network(self) -> str:
        """A network of its own in which nothing but the services exists.

        What the forwarder says of a service that is away must not be taken for the service's answer.
        """
        forwards = [
            f"guestfwd=tcp:{address}-cmd:sh -c 'exec busybox nc 127.0.0.1 {port} 2>/dev/null'"
            for address, port in self._services.items()
        ]
        network = f"dhcpstart={GUEST},net=169.254.0.0/16,host=169.254.0.2,dns=169.254.0.3,restrict=on"
        return ",".join(["user,id=net", network, *forwards])


def _disk(name: str, path: Path, serial: str, *more: str) -> list[str]:
    device = ",".join(["virtio-blk-pci", f"drive={name}", f"serial={serial}", *more])
    return ["-drive", f"if=none,id={name},format=qcow2,file={path},cache=unsafe", "-device", device]


def wait_listening(path: Path, process: Process) -> None:
    """Return once a socket accepts connections; that of a single client must not be spent on a trial connection."""
    deadline = time.monotonic() + LISTEN_SECONDS
    while not _is_listening(path):
        if not process.running or time.monotonic() > deadline:
            raise HarnessError(f"{process.name} does not listen on {path}{process.last_words()}")
        pause(0.02)


def _is_listening(path: Path) -> bool:
    """Look a socket up in the kernel's table; the bit stands for SO_ACCEPTCON."""
    rows = (line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:])
    return any(row[-1] == str(path) and int(row[3], 16) & 0x10000 for row in rows)
