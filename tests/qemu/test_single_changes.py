"""One thing is another one on a machine: csctl explain names it, and nothing else.

Each machine boots. Its image is put together here, of the built image's kernel and a RAM disk that shows what was
measured; what is expected of it is what image/predictions say of the image, and of the firmware what it has measured.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cs_harness.csctl import NO, YES, csctl
from cs_harness.firmware import by_other_vendor
from cs_harness.process import REPOSITORY, binary, run
from cs_harness.secure_boot import enrolled_store

sys.path.insert(0, str(REPOSITORY / "image"))

from cs_harness import recorded_boot
from cs_harness.recorded_boot import BootOf, RecordedBoot
from cs_harness.signed_image import OWNER, Signer
from predictions.entry import predicted_entry

ROOT_HASH = "5f1c" * 16
COMMAND_LINE = f"console=ttyS0 quiet loglevel=1 panic=-1 roothash={ROOT_HASH} confidential-space.hardened=true"
SYSTEMD_BOOT = "usr/lib/systemd/boot/efi/systemd-bootx64.efi"
EFI_CERT_SHA256 = uuid.UUID("c1c41626-504c-4092-aca9-41f936934328")
AT_A_TIME = 2


def hash_list(digest: bytes) -> bytes:
    """Return an EFI_SIGNATURE_LIST with one image's hash (UEFI 2.10, section 32.4.1)."""
    entry = OWNER.bytes_le + digest
    return EFI_CERT_SHA256.bytes_le + struct.pack("<III", 28 + len(entry), 0, len(entry)) + entry


@dataclass(frozen=True)
class Parts:
    """What a machine is made of."""

    sections: Mapping[str, bytes]
    signer: Signer
    keys: Mapping[str, bytes]
    packages: Mapping[str, str] = field(default_factory=lambda: {"openssl": "3.5.1"})
    is_secure: bool = True
    boots: Callable[[bytes], dict[str, bytes]] = lambda image: {recorded_boot.DEFAULT_PATH: image}
    firmware: Path = recorded_boot.FIRMWARE
    hardware: tuple[str, ...] = ()

    def with_section(self, name: str, content: bytes) -> Parts:
        """Return the same with another section."""
        return replace(self, sections={**self.sections, name: content})


@dataclass(frozen=True)
class Change:
    """One thing that is another one, and the words by which explain names it."""

    name: str
    make: Callable[[Parts, Workshop], Parts]
    named_by: str  # a regular expression, of a line: field, expected and found, with tabs between


class Workshop:
    """Where images are put together and machines boot."""

    def __init__(self, folder: Path, images: Path) -> None:
        self.folder = folder
        self.db, self.other_db = Signer("db"), Signer("other db")
        self.other = Signer("other").list
        (folder / "parts").mkdir()
        kernel = recorded_boot.section_of(images / "hardened.efi", ".linux", folder / "parts")
        self.parts = Parts(
            sections={
                "osrel": b"ID=test\nVERSION_ID=1\n",
                "cmdline": COMMAND_LINE.encode(),
                "uname": b"6.12.1",
                "linux": kernel,
                "initrd": recorded_boot.initial_ram_disk(folder / "parts"),
            },
            signer=self.db,
            keys={"PK": Signer("PK").list, "KEK": Signer("KEK").list, "db": self.db.list},
        )

    def boot(self, name: str, parts: Parts) -> tuple[Path, RecordedBoot]:
        """Build the image, boot it, and return the folder with what the build leaves and the event log."""
        folder = self.folder / name
        folder.mkdir()
        image = recorded_boot.signed(recorded_boot.unified_kernel_image(parts.sections, folder), parts.signer, folder)
        (folder / "image.efi").write_bytes(image)
        listed = [{"name": package, "version": version} for package, version in parts.packages.items()]
        (folder / "image.manifest").write_text(json.dumps({"packages": listed}))
        boot = BootOf(
            files=parts.boots(image),
            variables=enrolled_store(parts.keys, is_on=parts.is_secure),
            firmware=parts.firmware,
            hardware=parts.hardware,
        )
        recorded = recorded_boot.record(boot, folder)
        (folder / "boot.bin").write_bytes(recorded.log)
        return folder, recorded


def changed_initrd(parts: Parts, workshop: Workshop) -> Parts:
    with tempfile.TemporaryDirectory(dir=workshop.folder) as folder:
        return parts.with_section("initrd", recorded_boot.initial_ram_disk(Path(folder), {"bin/more": b"more"}))


def changed_kernel(parts: Parts, _: Workshop) -> Parts:
    """Another build of it: the version that stands in its header."""
    kernel = parts.sections["linux"]
    maintainers = b"debian-kernel@lists.debian.org"
    assert maintainers in kernel
    return parts.with_section("linux", kernel.replace(maintainers, b"another-kernel@example.invalid", 1))


def by_boot_loader(parts: Parts, workshop: Workshop) -> Parts:
    with tempfile.TemporaryDirectory(dir=workshop.folder) as folder:
        loader = recorded_boot.signed((recorded_boot.tools() / SYSTEMD_BOOT).read_bytes(), parts.signer, Path(folder))
    files = {recorded_boot.DEFAULT_PATH: loader, "loader/loader.conf": b"timeout 0\n"}
    return replace(parts, boots=lambda image: {**files, "EFI/Linux/image.efi": image})


def with_credential(parts: Parts, _: Workshop) -> Parts:
    return replace(
        parts,
        boots=lambda image: {recorded_boot.DEFAULT_PATH: image, "loader/credentials/some.cred": b"credential"},
    )


def other_firmware(parts: Parts, workshop: Workshop) -> Parts:
    firmware = workshop.folder / "other-firmware.fd"
    firmware.write_bytes(by_other_vendor(recorded_boot.FIRMWARE.read_bytes()))
    return replace(parts, firmware=firmware)


def words(parts: Parts, before: str, after: str) -> Parts:
    return parts.with_section("cmdline", parts.sections["cmdline"].replace(before.encode(), after.encode()))


CHANGES = [
    Change("secure-boot-off", lambda p, _: replace(p, is_secure=False), r"^secure_boot\ttrue\tfalse"),
    Change("platform-key", lambda p, w: replace(p, keys={**p.keys, "PK": w.other}), "PK = CN = other"),
    Change("key-exchange-key", lambda p, w: replace(p, keys={**p.keys, "KEK": w.other}), "KEK = CN = other"),
    Change("a-key-more", lambda p, w: replace(p, keys={**p.keys, "db": p.keys["db"] + w.other}), "db = CN = db; CN = other"),
    Change("revocations", lambda p, _: replace(p, keys={**p.keys, "dbx": hash_list(bytes(32))}), "dbx = 1 hash"),
    Change(
        "signer",
        lambda p, w: replace(p, signer=w.other_db, keys={**p.keys, "db": w.other_db.list}),
        "db = CN = other db",
    ),
    Change("kernel", changed_kernel, r"contents of \.linux"),
    Change("word", lambda p, _: words(p, "quiet", "quiet debug"), "^option debug\tnothing\tset"),
    Change(
        "package",
        lambda p, _: replace(words(p, ROOT_HASH, "6f1c" * 16), packages={**p.packages, "curl": "8.14"}),
        r"^package curl\tnothing\t8\.14",
    ),
    Change("initial-ram-disk", changed_initrd, r"contents of \.initrd"),
    Change("os-release", lambda p, _: p.with_section("osrel", b"ID=test\nVERSION_ID=2\n"), r"contents of \.osrel"),
    Change("uname", lambda p, _: p.with_section("uname", b"6.12.2"), r"contents of \.uname"),
    Change("splash", lambda p, _: p.with_section("splash", b"BM no picture"), r"\.splash"),
    Change(
        "driver",
        lambda p, _: replace(p, hardware=("-device", "virtio-net-pci,netdev=net", "-netdev", "user,id=net,restrict=on")),
        r"^pcrs\.sha256\.2\t",
    ),
    Change("boot-loader", by_boot_loader, r"^pcrs\.sha256\.4\tnothing\t.*BOOTX64"),
    Change("credential", with_credential, r"^pcrs\.sha256\.12\t.*[Cc]redential"),
    Change(
        "platform's-words",
        lambda p, _: replace(
            p, hardware=("-smbios", "type=11,value=io.systemd.stub.kernel-cmdline-extra=an.added=word")
        ),
        r"^pcrs\.sha256\.12\t.*an\.added=word",
    ),
    Change("firmware", other_firmware, r"^pcrs\.sha256\.0\t"),
]


def expected_entry(folder: Path, parts: Parts) -> dict[str, object]:
    """Return the entry of an image: what is predicted, and PCR 0 as the machine has measured it."""
    image = (folder / "image.efi").read_bytes()
    entry = predicted_entry(
        image, keys=parts.keys, name="image", swversion=1, hardened=True, packages=parts.packages, file="image.efi"
    )
    command = [binary("cs-verifier"), "reference-value", "--boot-log", folder / "boot.bin"]
    recorded = json.loads(run(*command, "--name", "recorded", "--swversion", "1", "--hardened", "true"))
    entry["pcrs"]["sha256"]["0"] = recorded["pcrs"]["sha256"]["0"]
    entry["events"]["0"] = recorded["events"]["0"]
    return entry


@pytest.fixture(scope="module")
def explanations(folder: Path, images: Path) -> Iterator[dict[str, list[str]]]:
    """Return what is explained of each machine."""
    workshop = Workshop(folder, images)
    good, recorded = workshop.boot("good", workshop.parts)
    entry = expected_entry(good, workshop.parts)
    for pcr, value in entry["pcrs"]["sha256"].items():
        assert recorded.registers["sha256"][int(pcr)] == value, f"PCR {pcr} is not what was predicted"
    values = folder / "values.json"
    values.write_text(json.dumps({"images": [entry]}))
    assert csctl("explain", good / "boot.bin", "--reference", values).code == YES

    def explained(change: Change) -> list[str]:
        machine, _ = workshop.boot(change.name, change.make(workshop.parts, workshop))
        image = () if change.name == "boot-loader" else ("--image", machine / "image.efi")
        answer = csctl("explain", machine / "boot.bin", "--reference", values, *image)
        assert answer.code == NO, f"{change.name}: {answer.error}"
        return answer.text.splitlines()[1:]

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield dict(zip([change.name for change in CHANGES], pool.map(explained, CHANGES), strict=True))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_the_change_is_named_and_none_of_the_others(explanations: dict[str, list[str]], change: Change) -> None:
    """By a line of its own."""
    lines = explanations[change.name]
    named = [other.name for other in CHANGES if any(re.search(other.named_by, line) for line in lines)]
    assert named == [change.name], "\n".join(lines)
