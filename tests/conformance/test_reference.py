"""The reference implementation and ours, side by side: on real logs, on changed ones, and on each other's evidence.

Where both accept they must say the same. Where only ours accepts, nothing may be decided in favour of who changed it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cs_harness import World
from cs_harness.process import REPOSITORY
from reference_implementation import (
    Appraiser,
    Recorder,
    about_boot_log,
    ours,
    reference,
)
from support import ALLOW_CMD, push, shell_image

SHA256 = 0xB
BANKS = {"SHA1": 0x4, "SHA256": 0xB, "SHA384": 0xC}
MASKS = (0x01, 0x80)
VECTORS = Path(os.environ.get("CS_VECTORS") or REPOSITORY.parent / "shared/vectors") / "boot-eventlogs"
TECHNOLOGIES = {"GCP_SHIELDED_VM": "NONE", "GCP_AMD_SEV": "AMD_SEV", "GCP_AMD_SEV_ES": "AMD_SEV_ES", "GCP_INTEL_TDX": "INTEL_TDX"}
AUDIENCE = "https://sts.googleapis.com"


@dataclass
class Both:
    """Two appraisers that are asked the same."""

    theirs: Appraiser
    ours: Appraiser

    def ask(self, question: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return their answer and ours."""
        with ThreadPoolExecutor(2) as pool:
            answers = [pool.submit(appraiser.ask, question) for appraiser in (self.theirs, self.ours)]
            theirs, mine = (answer.result() for answer in answers)
        return theirs, mine


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    """Yield both appraisers."""
    if not reference().is_built:
        pytest.skip("the reference implementation is not built, which takes Go")
    with reference() as theirs, ours() as mine:
        yield Both(theirs, mine)


@pytest.fixture(scope="module")
def launched(folder: Path) -> Iterator[tuple[World, Recorder]]:
    """Yield a world in which a launch has ended, and what it has sent."""
    environment = {f"tee-env-V{number}": f"value {number}" for number in range(3)}
    labels = {**ALLOW_CMD, "tee.launch_policy.allow_env_override": "V0,V1,V2"}
    with World(folder) as world, Recorder(world) as recorder:
        image = push(world.registry, shell_image(env=["A=1", "B=c=d", "EMPTY="], labels=labels))
        metadata = {"tee-image-reference": image.by_tag, "tee-cmd": '["one", "", "three words here"]', **environment}
        with world.launcher(metadata, options={"--verifier": recorder.url}) as launcher:
            launcher.wait_token()
            assert launcher.wait() == 0
        yield world, recorder


def states(answer: dict[str, Any]) -> dict[int, Any]:
    """Return what was made of each changed byte that was accepted."""
    return {place: outcome["state"] for outcome in answer["accepted"] for place in outcome["bytes"]}


def told(state: dict[str, Any]) -> dict[str, Any]:
    """Return what a state says that both can tell: ours, of machines whose firmware names no technology soundly, has none."""
    boot = state.get("boot", {})
    technology = boot.get("technology", "")
    told_of_boot = {"secure_boot": boot.get("secure_boot"), "technology": TECHNOLOGIES.get(technology, technology)}
    return {**{name: part for name, part in state.items() if name != "boot"}, "boot": told_of_boot}


def agrees(mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Tell whether our state says what theirs says, or leaves out the technology."""
    ours_told, theirs_told = told(mine), told(theirs)
    if not ours_told["boot"]["technology"]:
        theirs_told["boot"]["technology"] = ""
    return ours_told == theirs_told


def compare(both: Both, question: dict[str, Any]) -> tuple[int, int]:
    """Ask about an unchanged thing and then about every changed byte of it; return how many each accepts."""
    plain = {name: value for name, value in question.items() if name not in ("mask", "part")}
    theirs, mine = both.ask(plain)
    assert "error" not in mine, mine
    assert "error" in theirs or agrees(mine, theirs), (mine, theirs)
    theirs_changed, mine_changed = (states(answer) for answer in both.ask(question))
    for place, state in mine_changed.items():
        # What was changed is nothing that is measured, or it would be refused: so ours says what it said before.
        assert agrees(state, mine), (place, state)
        assert place not in theirs_changed or agrees(state, theirs_changed[place]), (place, state, theirs_changed[place])
    return len(theirs_changed), len(mine_changed)


def real_logs() -> list[Any]:
    """Return recorded boot logs, with the registers that they replay to."""
    if not VECTORS.is_dir():
        return [pytest.param("", "", marks=pytest.mark.skip(reason=f"{VECTORS} is not there"))]
    recorded = json.loads((VECTORS / "pcrs.json").read_text())
    return [pytest.param(name, bank, id=f"{name}-{bank}") for name, log in recorded.items() for bank in log["pcrs"]]


@pytest.mark.parametrize(("name", "bank"), real_logs())
def test_real_boot_logs(both: Both, name: str, bank: str) -> None:
    """Both say the same of them; and of what is left when a byte is changed."""
    recorded = json.loads((VECTORS / "pcrs.json").read_text())[name]["pcrs"][bank]
    values = {int(index): bytes.fromhex(value) for index, value in recorded.items()}
    log = (VECTORS / name).read_bytes()
    for mask in MASKS:
        print(name, bank, mask, compare(both, about_boot_log(log, BANKS[bank.upper()], values, mask=mask)))
