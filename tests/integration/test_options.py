"""What is wrong on a command line is named in one line, before anything happens (docs/operator.md, docs/verifier.md)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cs_harness import boot_log_path
from cs_harness.process import binary

REFERENCE = {"--boot-log": str(boot_log_path()), "--name": "image", "--swversion": "260100", "--hardened": "true"}
PROVISION = {
    "--state": "state",
    "--ca": "ca",
    "--project-id": "my-project",
    "--project-number": "1",
    "--zone": "us-central1-a",
    "--instance-name": "instance",
    "--instance-id": "2",
}


def complaint(folder: Path, program: str, command: list[str], options: dict[str, str]) -> str:
    """Return what the program says, which is one line, and does nothing else."""
    arguments = [f"{name}={value}" for name, value in options.items()]
    ended = subprocess.run(
        [binary(program), *command, *arguments], cwd=folder, capture_output=True, timeout=60, check=False
    )
    assert ended.returncode > 0
    assert ended.stdout == b""
    assert list(folder.iterdir()) == []
    text = ended.stderr.decode()
    assert text.count("\n") == 1
    assert "\x1b" not in text
    return text


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--verifier", "https://h:99999"),
        ("--verifier", "https://h:0"),
        ("--wait", "010"),
        ("--wait", "-1"),
        ("--stop-grace", "1e3"),
        ("--registry-wait", "+5"),
        ("--attestation-key", "a\nb"),
        ("--tcti", "\x1b[31mx"),
        ("--tcti", ":"),
        ("--no\npe", "x"),
    ],
)
def test_cs_launcher(tmp_path: Path, option: str, value: str) -> None:
    """Its exit code is none of a launch, too."""
    assert option.replace("\n", "\\n") in complaint(tmp_path, "cs-launcher", [], {option: value})


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--swversion", "-1"),
        ("--swversion", "99999999999999999999"),
        ("--swversion", "010"),
        ("--hardened", ""),
        ("--hardened", "5"),
        ("--name", "\udcff"),
        ("--support-attributes", "STABLE,LATER"),
    ],
)
def test_cs_verifier(tmp_path: Path, option: str, value: str) -> None:
    """A reference value that is not what was typed would vouch for something else."""
    assert option in complaint(tmp_path, "cs-verifier", ["reference-value"], REFERENCE | {option: value})


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--project-number", "-1", "--project-number"),
        ("--project-number", "99999999999999999999", "--project-number"),
        ("--instance-id", "-5", "--instance-id"),
        ("--instance-id", "18446744073709551616", "--instance-id"),
        ("--days", "010", "--days"),
        ("--days", "0", "--days"),
        ("--days", "36501", "--days"),
        ("--not-before", "2026-02-30T00:00:00Z", "no day of the calendar"),
        ("--not-before", "2026-1-1T00:00:00Z", "not written like"),
        ("--not-before", "1600-01-01T00:00:00Z", "beyond the years"),
        ("--not-after", "9999-12-31T23:59:59Z", "beyond the years"),
        ("--not-before", "2262-01-01T00:00:00Z", "the end of --days: lies beyond"),
        ("--pcr-banks", "", "--pcr-banks"),
        ("--pcr-banks", "md5", "--pcr-banks"),
    ],
)
def test_cs_vtpm(tmp_path: Path, option: str, value: str, reason: str) -> None:
    """A certificate states what was typed."""
    assert reason in complaint(tmp_path, "cs-vtpm", ["provision"], PROVISION | {option: value})
