"""A machine that boots a unified kernel image of a test's making, and shows what was measured.

It is QEMU (software emulation) with OVMF's Secure Boot firmware, a swtpm on the TPM CRB interface and one disk, whose EFI
system partition holds what it is given. The image's initial RAM disk writes event log and registers to the serial line,
and powers off.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .process import HarnessError, Process, run
from .signed_image import Signer
from .vm import FIRMWARE, wait_listening
from .vm_world import images_folder

# Below the tools that the project's own images are built with.
STUB = "usr/lib/systemd/boot/efi/linuxx64.efi.stub"
BANKS = ("sha1", "sha256", "sha384")
DEFAULT_PATH = "EFI/BOOT/BOOTX64.EFI"
BOOT_SECONDS = 600.0
SECTOR = 512
DISK_SIZE = 128 << 20
PARTITION_START = 1 << 20
ESP_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"

INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t securityfs securityfs /sys/kernel/security
exec >/dev/ttyS0 2>&1
echo "[log-begin]"
/bin/busybox base64 /sys/kernel/security/tpm0/binary_bios_measurements
echo "[log-end]"
for bank in sha1 sha256 sha384; do
  for pcr in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    echo "[pcr] $bank $pcr $(/bin/busybox cat /sys/class/tpm/tpm0/pcr-$bank/$pcr)"
  done
done
echo "[command-line] $(/bin/busybox cat /proc/cmdline)"
echo "[done]"
/bin/busybox poweroff -f
"""


@dataclass(frozen=True)
class RecordedBoot:
    """What a machine has shown of itself."""

    log: bytes
    registers: dict[str, dict[int, str]]  # by bank and index
    command_line: str


def initial_ram_disk(folder: Path, files: Mapping[str, bytes] | None = None) -> bytes:
    """Pack busybox, the script above, and more files."""
    root = folder / "initrd"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "dev", "proc", "sys"):
        (root / name).mkdir(parents=True)
    busybox = shutil.which("busybox") or "/bin/busybox"
    shutil.copy(busybox, root / "bin/busybox")
    for name, content in {"init": INIT.encode(), **(files or {})}.items():
        (root / name).write_bytes(content)
        (root / name).chmod(0o755)
    names = "".join(f"{path.relative_to(root)}\n" for path in sorted(root.rglob("*")))
    command = [busybox, "cpio", "-o", "-H", "newc"]
    return subprocess.run(command, input=names.encode(), cwd=root, capture_output=True, check=True).stdout


def section_of(image: Path, name: str, folder: Path) -> bytes:
    """Return a section of a PE image."""
    dump = folder / "section"
    run("objcopy", f"--dump-section={name}={dump}", image, folder / "copy.efi")  # it wants to write one
    return dump.read_bytes()


def tools() -> Path:
    """Return the folder of systemd's stub and boot loader, and of the program that puts an image together."""
    return images_folder().parent / "image.work/tools"


def unified_kernel_image(sections: Mapping[str, bytes], folder: Path) -> bytes:
    """Join systemd's stub with the sections, which are named without their dot; nothing is signed."""
    options = {"linux": "--linux=", "initrd": "--initrd=", "osrel": "--os-release=@", "cmdline": "--cmdline=@"}
    words: list[str | Path] = [f"--stub={tools() / STUB}"]
    for name, content in sections.items():
        file = folder / f"section-{name}"
        file.write_bytes(content)
        if name == "uname":
            words.append(f"--uname={content.decode()}")
        else:
            words.append(f"{options.get(name, f'--section=.{name}:@')}{file}")
    target = folder / "unsigned.efi"
    run(sys.executable, tools() / "usr/lib/systemd/ukify", "build", *words, f"--output={target}")
    return target.read_bytes()


def signed(image: bytes, signer: Signer, folder: Path) -> bytes:
    """Sign a PE image as UEFI takes it."""
    unsigned, target = folder / "to-sign.efi", folder / "signed.efi"
    key, certificate = folder / "sign.key", folder / "sign.crt"
    unsigned.write_bytes(image)
    key.write_bytes(signer.key_pem)
    certificate.write_bytes(signer.pem)
    target.unlink(missing_ok=True)
    run("osslsigncode", "sign", "-h", "sha256", "-certs", certificate, "-key", key, "-in", unsigned, "-out", target)
    return target.read_bytes()


@dataclass(frozen=True)
class BootOf:
    """What a machine is booted with."""

    files: Mapping[str, bytes]  # of the EFI system partition, by path
    variables: bytes  # the firmware's store
    firmware: Path = FIRMWARE
    hardware: Sequence[str] = field(default_factory=tuple)  # more words for QEMU


def record(boot: BootOf, folder: Path) -> RecordedBoot:
    """Boot, and return what was measured once the machine has powered off."""
    folder.mkdir(parents=True, exist_ok=True)
    variables = folder / "variables.fd"
    variables.write_bytes(boot.variables)
    disk = _disk(boot.files, folder)
    state, control = folder / "tpm", folder / "tpm.sock"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir()
    run("swtpm_setup", "--tpm2", "--tpm-state", state, "--pcr-banks", ",".join(BANKS))
    control.unlink(missing_ok=True)
    tpm = Process(
        ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--ctrl", f"type=unixio,path={control}", "--terminate"]
    )
    try:
        wait_listening(control, tpm)
        return _shown(_console_of(_command(boot, disk, variables, control)))
    finally:
        tpm.stop()


def _command(boot: BootOf, disk: Path, variables: Path, tpm: Path) -> list[str]:
    return [
        "qemu-system-x86_64",
        *("-machine", "q35,smm=on,accel=tcg", "-cpu", "max", "-m", "1024", "-nodefaults"),
        *("-display", "none", "-serial", "stdio", "-no-reboot"),
        *("-global", "driver=cfi.pflash01,property=secure,value=on"),
        *("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={boot.firmware}"),
        *("-drive", f"if=pflash,unit=1,format=raw,file={variables}"),
        *("-drive", f"if=none,id=disk,format=raw,file={disk},cache=unsafe"),
        *("-device", "virtio-blk-pci,drive=disk,bootindex=0"),
        *("-chardev", f"socket,id=tpm,path={tpm}", "-tpmdev", "emulator,id=tpm0,chardev=tpm"),
        *("-device", "tpm-crb,tpmdev=tpm0"),
        *boot.hardware,
    ]


def _console_of(command: Sequence[str]) -> str:
    """Return what the machine wrote on its serial line."""
    machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = machine.communicate(timeout=BOOT_SECONDS)
    except subprocess.TimeoutExpired:
        machine.kill()
        output, _ = machine.communicate()
        raise HarnessError(f"the machine does not power off: {output[-2000:].decode(errors='replace')}") from None
    finally:
        if machine.poll() is None:
            machine.kill()
            machine.wait()
    return output.decode(errors="replace").replace("\r", "")


def _shown(console: str) -> RecordedBoot:
    log = re.search(r"\[log-begin\]\n(.*?)\[log-end\]", console, re.DOTALL)
    command_line = re.search(r"^\[command-line\] (.*)$", console, re.MULTILINE)
    if not log or not command_line or "[done]" not in console:
        raise HarnessError(f"the machine has not shown its event log: {console[-2000:]}")
    registers: dict[str, dict[int, str]] = {bank: {} for bank in BANKS}
    for bank, pcr, value in re.findall(r"^\[pcr\] (\S+) (\d+) ([0-9A-Fa-f]+)$", console, re.MULTILINE):
        registers[bank][int(pcr)] = value.lower()
    return RecordedBoot(base64.b64decode(log[1]), registers, command_line[1])


def _disk(files: Mapping[str, bytes], folder: Path) -> Path:
    """Make a GPT disk with one EFI system partition."""
    disk = folder / "disk.img"
    with disk.open("wb") as file:
        file.truncate(DISK_SIZE)
    sectors = (DISK_SIZE - 2 * PARTITION_START) // SECTOR
    table = f"label: gpt\nstart={PARTITION_START // SECTOR}, size={sectors}, type={ESP_TYPE}, name=esp\n"
    subprocess.run(["sfdisk", "--quiet", disk], input=table, text=True, check=True, capture_output=True)
    partition = f"{disk}@@{PARTITION_START}"
    run("mformat", "-i", partition, "-F", "-T", str(sectors), "::")
    made: set[str] = set()
    for path, content in files.items():
        parts = path.split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            if parent not in made:
                run("mmd", "-i", partition, f"::/{parent}")
                made.add(parent)
        source = folder / "file"
        source.write_bytes(content)
        run("mcopy", "-i", partition, source, f"::/{path}")
    return disk
