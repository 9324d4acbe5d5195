"""Launches of the public system, replayed: what it runs, this launcher runs, with the same claims and exit code.

Each file below launches/ is one launch that the public system's documentation or its image tests have, as facts: what
the operator asks for, what the image is, and what becomes of it (launches/README.md has the fields). Where this
launcher does otherwise, the file says so, and a row of docs/deviations.md why.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cs_harness import Image, Launcher, World, busybox_layer
from cs_harness.csctl import YES, csctl
from reference_implementation import (
    Appraiser,
    Recorder,
    about_evidence,
    differences,
    is_built,
    reference,
)
from support import push, verified_claims

HERE = Path(__file__).resolve().parent
LAUNCHES = sorted((HERE / "launches").glob("*.json"))
FIELDS = {"about", "contract", "hardened", "metadata", "image", "expect", "deviation"}
EXPECTED = {"exit_code", "runs", "error", "claims", "journal", "console"}
_BUSYBOX = busybox_layer().tar()


class Worlds:
    """Running services, anew now and then: a TPM forgives no more than 32 resets."""

    LAUNCHES = 25

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._world: World | None = None
        self._launches = 0
        self.recorder: Recorder
        self.compared = 0  # with what the reference makes of the same evidence

    def next(self) -> World:
        """Return a world for one launch."""
        if self._world is None or self._launches == self.LAUNCHES:
            self.close()
            name = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="cs-", ignore_cleanup_errors=True))
            self._world = self._stack.enter_context(World(Path(name)))
            self.recorder = self._stack.enter_context(Recorder(self._world))
            self._launches = 0
        self._launches += 1
        return self._world

    def close(self) -> None:
        """Stop what runs."""
        self._stack.close()


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    """Yield worlds."""
    made = Worlds()
    yield made
    made.close()


@pytest.fixture
def world(worlds: Worlds) -> World:
    """Return running services."""
    return worlds.next()


@pytest.fixture(scope="module")
def other() -> Iterator[Appraiser | None]:
    """Yield the reference implementation, where it could be built."""
    if not is_built("reference"):
        yield None
        return
    with reference() as program:
        yield program


def image_of(described: dict[str, Any]) -> Image:
    """Return an image as it is described: `script` is what a shell runs, where there is no entrypoint."""
    names = {"entrypoint", "cmd", "env", "labels", "user", "exposed_ports"}
    settings = {name: described[name] for name in names & set(described)}
    if "script" in described:
        settings["entrypoint"] = ["/bin/sh", "-c", described["script"]]
    return Image([_BUSYBOX], **settings)


def missing_from(found: Any, expected: Any, where: str = "claims") -> list[str]:
    """Say what of `expected` is not there: objects may hold more, everything else is equal."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            line for name, value in expected.items() for line in missing_from(found.get(name), value, f"{where}.{name}")
        ]
    return [] if found == expected else [f"{where} is {found!r}, not {expected!r}"]


def lines_of_journal(launcher: Launcher) -> list[str]:
    """Return the workload's lines that go to the journal, each with its severity."""
    lines = (json.loads(line) for line in launcher.process.stdout_lines)
    return sorted(f"{line['severity']} {line['message']}" for line in lines)


def differences_from_prediction(
    world: World, attributes: dict[str, str], hardened: bool, evidence: dict[str, Any]
) -> list[str]:
    """Say where a launch parted from what csctl says of it without a machine."""
    metadata, request = world.folder / "metadata.json", world.folder / "request.json"
    metadata.write_text(json.dumps(attributes))
    request.write_text(json.dumps(evidence))
    answer = csctl(
        *("predict", "--metadata", metadata, "--hostname", world.metadata.instance.name, "--against", request),
        *([] if hardened else ["--debug"]),
    )
    return [] if answer.code == YES else [f"csctl predict: {answer.text}{answer.error}"]


@pytest.mark.parametrize("file", LAUNCHES, ids=lambda file: file.stem)
def test_a_launch_ends_as_on_the_public_system(
    worlds: Worlds, world: World, other: Appraiser | None, file: Path
) -> None:
    """Exit code, error, claims and output; and what our verifier makes of the evidence, the reference makes of it."""
    recorder = worlds.recorder
    recorder.evidence = None
    launch = json.loads(file.read_text())
    assert set(launch) <= FIELDS, file
    expected = {**launch["expect"], **launch.get("deviation", {}).get("expect", {})}
    assert set(expected) <= EXPECTED, file
    console = world.folder / "console"
    console.write_text("")
    image = push(world.registry, image_of(launch["image"]), file.stem)
    attributes = {"tee-image-reference": image.by_tag, **launch["metadata"]}
    options = {"--console": console, "--output-directory": world.folder / "output", "--verifier": recorder.url}
    with world.launcher(attributes, hardened=launch["hardened"], options=options) as launcher:
        code = launcher.wait(90)
        log = launcher.log_text
        runs = "workload task started" in log
        problems = [] if code == expected["exit_code"] else [f"exit code {code}, not {expected['exit_code']}"]
        if runs != expected["runs"]:
            problems.append("it runs" if runs else "it does not run")
        if "error" in expected and expected["error"] not in log:
            problems.append(f"nobody says {expected['error']!r}")
        if "claims" in expected:
            problems += missing_from(verified_claims(world, launcher.token)["submods"], expected["claims"])
        if recorder.evidence is not None:
            problems += differences_from_prediction(world, attributes, launch["hardened"], recorder.evidence)
        if recorder.evidence is not None and other is not None:
            question = about_evidence(recorder.evidence, recorder.nonce, world.machine.attestation_root)
            found = other.ask(question)
            worlds.compared += 1
            problems += differences(verified_claims(world, launcher.token), found)
        if "journal" in expected and lines_of_journal(launcher) != expected["journal"]:
            problems.append(f"the journal has {lines_of_journal(launcher)}")
        if "console" in expected and sorted(console.read_text().split("\n")[:-1]) != expected["console"]:
            problems.append(f"the console has {console.read_text()!r}")
        assert problems == [], launcher.process.last_words()
    assert world.containerd.containers() == []
    if not runs:
        assert world.pcr() == bytes(32), "measured, though it was refused"


def test_most_launches_were_appraised_by_both(worlds: Worlds, other: Appraiser | None) -> None:
    """Those that came to an attestation."""
    if other is None:
        pytest.skip("the reference implementation is not built, which takes Go")
    assert worlds.compared == 82  # as docs/conformance.md says


def test_every_deviation_has_its_row() -> None:
    """Whoever reads a file finds the reason."""
    rows = (HERE.parents[1] / "docs/deviations.md").read_text()
    deviations = [json.loads(file.read_text()).get("deviation") for file in LAUNCHES]
    assert len(LAUNCHES) >= 150
    assert [each["row"] for each in deviations if each and f"| {each['row']}" not in rows] == []
