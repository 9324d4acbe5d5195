"""The registers, against those of a machine that was booted and against what systemd computes."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Any

import pytest
from cs_harness.signed_image import SECTIONS, Signer, image_of, replayed
from predictions.registers import (
    application_events,
    driver_events,
    predict_pcrs,
    sections_events,
    secure_boot_events,
    value_of,
)
from predictions.secure_boot import SecureBootKeys, signature_list

REPOSITORY = Path(__file__).resolve().parents[2]
BOOT_LOG = REPOSITORY / "tests/data/boot-log/ovmf-secure-boot"
EV_EVENT_TAG, EV_EFI_APPLICATION = 0x00000006, 0x80000003
SYSTEMD_MEASURE = "usr/lib/systemd/systemd-measure"


def recorded() -> tuple[list[tuple[int, int, dict[str, bytes], bytes]], dict[str, Any]]:
    """Return the recorded events as PCR, type, digests and data, and what is known of the machine."""
    data = BOOT_LOG.with_suffix(".bin").read_bytes()
    algorithms = {0x04: ("sha1", 20), 0x0B: ("sha256", 32), 0x0C: ("sha384", 48)}
    offset = 32 + struct.unpack_from("<I", data, 28)[0]
    events = []
    while offset < len(data):
        pcr, kind, count = struct.unpack_from("<III", data, offset)
        offset += 12
        digests = {}
        for _ in range(count):
            name, size = algorithms[struct.unpack_from("<H", data, offset)[0]]
            digests[name] = data[offset + 2 : offset + 2 + size]
            offset += 2 + size
        size = struct.unpack_from("<I", data, offset)[0]
        events.append((pcr, kind, digests, data[offset + 4 : offset + 4 + size]))
        offset += 4 + size
    return events, json.loads(BOOT_LOG.with_suffix(".json").read_text())


@pytest.mark.parametrize("bank", ["sha256", "sha384"])
def test_keys_of_a_recorded_boot(bank: str) -> None:
    events, machine = recorded()
    variables = {}
    for pcr, _, _, data in events:
        if pcr == 7 and len(data) > 32:
            length, size = struct.unpack_from("<QQ", data, 16)
            variables.setdefault(data[32 : 32 + 2 * length].decode("utf-16-le"), data[32 + 2 * length :][:size])
    owner = uuid.UUID(bytes_le=variables["db"][28:44])
    certificate = base64.b64decode(machine["db_certificate"])
    db = signature_list(certificate, owner)
    assert db == variables["db"]
    keys = SecureBootKeys(pk=variables["PK"], kek=variables["KEK"], db=db)
    predicted = secure_boot_events(bank, keys, owner.bytes_le + certificate)
    assert value_of(bank, predicted).hex() == machine["pcrs"][bank]["7"]


@pytest.mark.parametrize("bank", ["sha256", "sha384"])
def test_drivers_of_a_recorded_boot(bank: str) -> None:
    _, machine = recorded()
    assert value_of(bank, driver_events(bank)).hex() == machine["pcrs"][bank]["2"]


@pytest.mark.parametrize("bank", ["sha256", "sha384"])
def test_application_of_a_recorded_boot(bank: str) -> None:
    events, machine = recorded()
    (digest,) = [digests[bank] for pcr, kind, digests, _ in events if (pcr, kind) == (4, EV_EFI_APPLICATION)]
    assert value_of(bank, application_events(bank, digest)).hex() == machine["pcrs"][bank]["4"]


@pytest.mark.parametrize("bank", ["sha256", "sha384"])
def test_command_line_of_a_recorded_boot(bank: str, signer: Signer) -> None:
    events, machine = recorded()
    digests = [digests[bank] for pcr, kind, digests, _ in events if (pcr, kind) == (9, EV_EVENT_TAG)]
    image = image_of(signer, {".cmdline": machine["kernel_command_line"].encode() + b"\n"})
    options = (image.command_line() + "\0").encode("utf-16-le")
    assert hashlib.new(bank, options).digest() == digests[0]
    assert replayed(bank, *digests).hex() == machine["pcrs"][bank]["9"]


def test_section_measurements(signer: Signer) -> None:
    image = image_of(signer, {".pcrsig": b"{}", ".pcrpkey": b"key", ".ucode": b"microcode"})
    names = (".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".uname", ".sbat", ".pcrpkey")
    contents = {**SECTIONS, ".ucode": b"microcode", ".pcrpkey": b"key"}
    digests = []
    for name in names:
        digests += [hashlib.sha256(name.encode() + b"\0").digest(), hashlib.sha256(contents[name]).digest()]
    assert value_of("sha256", sections_events("sha256", image)) == replayed("sha256", *digests)


def root_with_systemd_measure() -> Path | None:
    """Return where there is one that knows all sections: this machine, or the tools that images are built with."""
    for root in (Path("/"), REPOSITORY / "build/image.work/tools"):
        if not (root / SYSTEMD_MEASURE).exists():
            continue
        help_text = subprocess.run(
            ["chroot", root, f"/{SYSTEMD_MEASURE}", "--help"], check=False, capture_output=True, text=True
        ).stdout
        if "--uname" in help_text:
            return root
    return None


def test_systemd_measure_agrees(signer: Signer) -> None:
    root = root_with_systemd_measure()
    if root is None:
        pytest.skip("there is no systemd-measure that knows .uname")
    with tempfile.TemporaryDirectory(dir=root / "tmp") as name:
        folder = Path(name)
        options = []
        for section, content in SECTIONS.items():
            if section != ".text":
                (folder / section).write_bytes(content)
                options.append(f"--{section[1:]}=/tmp/{folder.name}/{section}")
        command = ["chroot", root, f"/{SYSTEMD_MEASURE}", "calculate", "--bank=sha256", "--phase=:", *options]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert f"11:sha256={value_of('sha256', sections_events('sha256', image_of(signer))).hex()}" in said


def test_a_dbx_is_measured(signer: Signer, keys: SecureBootKeys) -> None:
    dbx = SecureBootKeys(pk=keys.pk, kek=keys.kek, db=keys.db, dbx=Signer("revoked").list)
    image = image_of(signer)
    predicted = [predict_pcrs(image, each) for each in (keys, dbx)]
    assert [pcr for pcr in predicted[0] if predicted[0][pcr] != predicted[1][pcr]] == [7]
