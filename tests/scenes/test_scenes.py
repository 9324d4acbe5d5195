"""The scenes, as a visitor plays them."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from cs_harness.process import REPOSITORY
from visitor import expect_cleaned_up, play

SECONDS = 180
SCENES = {name: REPOSITORY / f"examples/{name}/scene.py" for name in ("aws", "google")}
WRONG_THINGS = 6


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_ends_as_it_should(folder: Path, name: str) -> None:
    """Granted is what is right; each wrong thing is denied by its name, and granted without that one condition."""
    code, text = play(SCENES[name], folder / name, SECONDS)
    assert code == 0, text
    assert "NOT AS EXPECTED" not in text
    assert len(re.findall("as expected: denied for the condition on .* alone", text)) >= WRONG_THINGS
    assert text.count("the same request is granted without that condition") >= WRONG_THINGS
    assert len(re.findall(r"\d+\.\d s$", text, re.MULTILINE)) > WRONG_THINGS  # how long each launch took


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["1. The services", "2. What", "6. "])
def test_a_scene_cleans_up_when_interrupted(folder: Path, name: str, number: int, moment: str) -> None:
    """Exit code 130, and nothing is left."""
    expect_cleaned_up(SCENES[name], folder / f"{name}-{number}-{moment[0]}", number, moment)
