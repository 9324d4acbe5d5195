"""The transcripts of docs/csctl.md, typed again: what stands there is what is printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cs_harness import World, boot_log, missing_requirements
from cs_harness.csctl import run_at_terminal
from cs_harness.process import REPOSITORY
from machine import launched
from session import begin_session

DOCUMENT = REPOSITORY / "docs/csctl.md"


@dataclass(frozen=True)
class Step:
    """A command of the document, and what it prints."""

    line: int
    command: str
    output: list[str]


def steps() -> Iterator[Step]:
    """Yield the commands of all blocks in the language `console`, in their order."""
    lines = DOCUMENT.read_text().splitlines()
    is_block = False
    step: Step | None = None
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            is_block = line == "```console"
            if step is not None:
                yield step
            step = None
        elif is_block and line.startswith("$ "):
            if step is not None:
                yield step
            step = Step(number, line[2:], [])
        elif is_block and step is not None:
            step.output.append(line)


def with_another_key(world: World) -> None:
    """Give the machine's firmware another platform key than the one that its image was recorded with."""
    world.machine.boot_log = boot_log.changed(
        world.machine.boot_log, world.folder, lambda events: boot_log.replace_measured(events, 7, b"test PK", b"test QK")
    )


@pytest.fixture(scope="module")
def place(folder: Path) -> Iterator[Path]:
    """Yield a folder with what the document's reader has, as its first section says."""
    begin_session(missing_requirements())
    with launched(folder, prepare=with_another_key) as machine:
        place = folder / "place"
        place.mkdir()
        (place / "boot.bin").write_bytes(machine.world.machine.boot_log.read_bytes())
        (place / "good-boot.bin").write_bytes((REPOSITORY / "tests/data/boot-log/ovmf-secure-boot.bin").read_bytes())
        (place / "request.json").write_bytes(machine.request.read_bytes())
        (place / "verifier.json").write_bytes(machine.config.read_bytes())
        (place / "metadata.json").write_text(json.dumps(machine.world.metadata.attributes))
        (place / "keys.json").write_text(json.dumps(machine.world.verifier.keys()))
        (place / "wanted.json").write_text(
            json.dumps({"claims": {"swname": "CONFIDENTIAL_SPACE", "dbgstat": "disabled-since-boot", "secboot": True}})
        )
        entries = json.loads(Path(json.loads(machine.config.read_text())["reference_values"]).read_text())["images"]
        (place / "entry.json").write_text(json.dumps(entries[0]))
        (place / "socket").symlink_to(machine.launcher.socket)
        (place / "token.jwt").write_text(machine.launcher.tee.request("GET", "/v1/token").text)
        (place / "admin.sock").symlink_to(machine.config.parent / "state/admin.sock")
        yield place


def type_at_terminal(command: str, place: Path) -> list[str]:
    """Return the lines that a person sees."""
    environment = {**os.environ, "NO_COLOR": "1", "PATH": f"{os.environ['CS_BIN']}:{os.environ['PATH']}"}
    return [line.rstrip() for line in run_at_terminal(["bash", "-c", command], environment, place).splitlines()]


def fits(line: str, printed: str) -> bool:
    """Whether a line of the document is what was printed; "..." stands for anything, blanks for any number of them."""
    parts = [r"\s+".join(re.escape(word) for word in part.split()) for part in line.split("...")]
    return re.fullmatch(r"\s*" + r"\s*.*?\s*".join(parts) + r"\s*", printed) is not None


def differences(step: Step, printed: list[str]) -> list[str]:
    """Say where they part; a line "..." stands for any lines."""
    at = 0
    for place, line in enumerate(step.output):
        if line.strip() == "...":
            rest = step.output[place + 1 :]
            if not rest:
                return []
            at = next((i for i in range(at, len(printed)) if fits(rest[0], printed[i])), len(printed))
            continue
        if at >= len(printed) or not fits(line, printed[at]):
            found = printed[at] if at < len(printed) else "the end"
            return [f"{DOCUMENT.name}:{step.line}: $ {step.command}\n  expected {line!r}\n  found {found!r}"]
        at += 1
    return [] if at == len(printed) else [f"{DOCUMENT.name}:{step.line}: there is more: {printed[at]!r}"]


def test_the_document_shows_what_is_printed(place: Path) -> None:
    """Every command, in its order."""
    typed = list(steps())
    assert len(typed) >= 12
    wrong = [problem for step in typed for problem in differences(step, type_at_terminal(step.command, place))]
    assert wrong == [], "\n".join(wrong)


def test_the_document_shows_every_question() -> None:
    """Each subcommand at least once."""
    text = DOCUMENT.read_text()
    help_text = subprocess.run([f"{os.environ['CS_BIN']}/csctl", "--help"], capture_output=True, text=True, check=True)
    block = help_text.stdout.partition("Subcommands:\n")[2].partition("\n\n")[0]
    for noun in re.findall(r"^  (\S+)", block, re.MULTILINE):
        assert f"$ csctl {noun}" in text or f"csctl {noun}" in text, noun
