"""One thing is another one in a launch: csctl explain --against names it, and nothing else.

What is another one in a boot is looked at with machines that boot: tests/qemu/test_single_changes.py.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cs_harness import World, missing_requirements
from cs_harness.csctl import CANNOT_TELL, NO, YES, csctl
from cs_harness.images import Image, Layer
from session import begin_session
from support import STAY, push, shell_image

LABELS = {
    "tee.launch_policy.allow_cmd_override": "true",
    "tee.launch_policy.allow_env_override": "GREETING",
    "tee.launch_policy.monitoring_memory_allow": "always",
}
ATTRIBUTES = {"tee-cmd": '["first"]', "tee-env-GREETING": "hello"}


@dataclass(frozen=True)
class Change:
    """What is another one, and by which events, with which beginnings, explain names it."""

    name: str
    named_by: Mapping[str, str]
    attributes: Mapping[str, str] = field(default_factory=dict)
    image: Image | None = None


def image(*layers: Layer) -> Image:
    """Return the workload."""
    return shell_image(STAY, more_layers=layers, labels=LABELS, env=["PLACE=here"])


CHANGES = [
    Change("argument", {"launch Arg": "other", "launch OverrideArg": "other"}, {"tee-cmd": '["other"]'}),
    Change(
        "variable",
        {"launch EnvVar": "GREETING=goodbye", "launch OverrideEnv": "GREETING=goodbye"},
        {"tee-env-GREETING": "goodbye"},
    ),
    Change("restart-policy", {"launch RestartPolicy": "Always"}, {"tee-restart-policy": "Always"}),
    Change("monitoring", {"launch MemoryMonitor": "on"}, {"tee-monitoring-enable": "memoryOnly"}),
    Change(
        "image",
        {"launch ImageDigest": "sha256:", "launch ImageID": "sha256:"},
        image=image(Layer().file("more", "more")),
    ),
]


@dataclass(frozen=True)
class Launches:
    """Evidence of each launch, and whom to believe."""

    good: Path
    others: Mapping[str, Path]
    config: Path


@pytest.fixture(scope="module")
def launches(folder: Path) -> Iterator[Launches]:
    """Launch what is expected, then with one thing changed at a time."""
    begin_session(missing_requirements())
    with World(folder) as world:

        def evidence_of(name: str, change: Change | None) -> Path:
            pushed = push(world.registry, (change and change.image) or image())
            attributes = {"tee-image-reference": pushed.by_tag, **ATTRIBUTES, **(change.attributes if change else {})}
            with world.launcher(attributes) as launcher:
                launcher.wait_ready()
                challenge = base64.b64encode(os.urandom(32)).decode()
                path = folder / f"{name}.json"
                path.write_text(launcher.tee.request("POST", "/v1/evidence", {"challenge": challenge}).text)
                return path

        good = evidence_of("good", None)
        others = {change.name: evidence_of(change.name, change) for change in CHANGES}
        yield Launches(good, others, world.verifier.write_configuration())


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_the_change_is_named_and_nothing_else(launches: Launches, change: Change) -> None:
    """Beside an image that is as it should be."""
    other = launches.others[change.name]
    answer = csctl("explain", other, "--config", launches.config, "--against", launches.good)
    assert answer.code == NO, answer.error
    assert answer.rows[0] == ['image: it runs image "confidential-space-260100"']
    found = {field: text for field, _, text in answer.rows[1:]}
    assert found.keys() == change.named_by.keys(), answer.text
    assert all(found[field].startswith(text) for field, text in change.named_by.items()), answer.text


def test_the_same_launch_is_said_to_be(launches: Launches) -> None:
    """And what has no launch is told."""
    answer = csctl("explain", launches.good, "--config", launches.config, "--against", launches.good)
    assert (answer.code, answer.rows[-1]) == (YES, ["launch: it is as it should be"])
    document = csctl("explain", launches.good, "--config", launches.config, "--against", launches.good, "--json").json
    assert document["standing"] == "matched" and document["launch"] == []
    config = json.loads(launches.config.read_text())
    answer = csctl("explain", launches.good, "--config", launches.config, "--against", config["reference_values"])
    assert answer.code == CANNOT_TELL and "reference" in answer.error
