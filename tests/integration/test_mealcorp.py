"""The demonstration, as a visitor runs it."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from cs_harness.process import REPOSITORY
from visitor import expect_cleaned_up, play

DEMO = REPOSITORY / "examples/mealcorp/demo.py"
SECONDS = 60


def test_the_demonstration_ends_as_it_should(folder: Path) -> None:
    """In time, and leaving nothing."""
    code, text = play(DEMO, folder / "play", SECONDS)
    assert code == 0, text
    assert "NOT AS EXPECTED" not in text
    assert re.search("denied: claim submods.container.image_digest", text)
    assert "4 x lasagne" in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["1. The services", "2. MealCorp runs"])
def test_the_demonstration_cleans_up_when_interrupted(folder: Path, number: int, moment: str) -> None:
    """Exit code 130, and nothing is left."""
    expect_cleaned_up(DEMO, folder / f"{number}-{moment[0]}", number, moment)
