"""The image with csctl, for the inside of machines that let nobody in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import World
from cs_harness.csctl import YES, csctl
from cs_harness.process import REPOSITORY, binary, run


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[World]:
    """Yield running services."""
    with World(folder) as services:
        yield services


def test_csctl_looks_at_a_machine_from_inside(world: World, tmp_path: Path) -> None:
    """On a hardened machine, as its workload: the evidence that it gets is what a verifier takes."""
    layout = tmp_path / "layout"
    run(REPOSITORY / "scripts/csctl-image", binary("csctl"), layout)
    reference = f"{world.registry.address}/csctl:1"
    run("skopeo", "copy", "--dest-tls-verify=false", f"oci:{layout}:latest", f"docker://{reference}")
    attributes = {"tee-image-reference": reference, "tee-container-log-redirect": "true"}
    with world.launcher({**attributes, "tee-cmd": '["evidence", "get"]'}) as launcher:
        assert launcher.wait(60) == 0, launcher.log_text
        lines = [json.loads(line)["message"] for line in launcher.process.stdout_lines]
    evidence = tmp_path / "evidence.json"
    evidence.write_text("\n".join(lines))
    answer = csctl("evidence", "verify", evidence, "--config", world.verifier.write_configuration())
    assert answer.code == YES, answer.text
    with world.launcher(attributes) as launcher:  # what it does by itself
        assert launcher.wait(60) == 0, launcher.log_text
        assert any("swname" in line and "CONFIDENTIAL_SPACE" in line for line in launcher.process.stdout_lines)
