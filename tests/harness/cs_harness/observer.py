"""A look from inside at a machine that lets nobody in.

Its own kernel is started with its own command line, and its own initial RAM disk verifies its own root; but it leaves a
shell behind on the serial line. Whoever runs machines can do this, and PCRs 4, 9 and 11 tell.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from .process import REPOSITORY, run

INIT = REPOSITORY / "image/initrd/mkosi.extra/init"
HAND_OVER = "umount /proc /sys\n"
# The root can't be written to, but has this folder for what is mounted for a while.
FOLDER = "/mnt"
INTERPRETER = f"{FOLDER}/busybox sh"
# A shell that finds itself on a terminal edits lines, and takes short ones only.
READ = 'while read -r line; do eval "$line"; done'
# What hands over removes the files of the RAM disk: it has to wait until the shell runs from elsewhere.
STAY_BEHIND = f"""
mount -t tmpfs -o mode=0755 observer /sysroot{FOLDER}
cp /bin/busybox /sysroot{FOLDER}/busybox
PATH=/bin:/usr/sbin:/usr/bin setsid chroot /sysroot {INTERPRETER} -c ': >{FOLDER}/ready; {READ}' \\
  </dev/ttyS0 >/dev/ttyS0 2>&1 &
until [ -e /sysroot{FOLDER}/ready ]; do sleep 0.05; done
"""


@dataclass(frozen=True)
class KernelBoot:
    """What a virtual machine starts without asking its disks."""

    kernel: Path
    initrd: Path
    command_line: Path


def observed(kernel_image: Path, folder: Path) -> KernelBoot:
    """Take a unified kernel image apart and have its initial RAM disk leave a shell behind."""
    boot = KernelBoot(folder / "linux", folder / "initrd", folder / "cmdline")
    sections = {".linux": boot.kernel, ".initrd": boot.initrd, ".cmdline": boot.command_line}
    dumps = [f"--dump-section={name}={path}" for name, path in sections.items()]
    run("objcopy", *dumps, kernel_image, folder / "copy.efi")  # it wants to write one
    init = INIT.read_text()
    if init.count(HAND_OVER) != 1:
        raise ValueError(f"{INIT}: hands over in another way than expected")
    init = init.replace(HAND_OVER, STAY_BEHIND.lstrip() + HAND_OVER)
    # The kernel unpacks archives one after the other, each at a multiple of four bytes; a later file replaces an
    # earlier one (its Documentation/driver-api/early-userspace/buffer-format.rst).
    with boot.initrd.open("ab") as initrd:
        initrd.write(bytes(-initrd.tell() % 4) + _archive("init", init.encode(), 0o755))
    return boot


def _archive(name: str, content: bytes, mode: int) -> bytes:
    """Return a cpio archive in the "newc" format with one file."""
    return _member(name, content, stat.S_IFREG | mode) + _member("TRAILER!!!", b"", 0)


def _member(name: str, content: bytes, mode: int) -> bytes:
    # In this order: inode, mode, uid, gid, links, mtime, size, four device numbers, length of the name, checksum.
    numbers = (1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    header = b"070701" + b"".join(b"%08X" % number for number in numbers) + name.encode() + b"\0"
    return header + bytes(-len(header) % 4) + content + bytes(-len(content) % 4)
