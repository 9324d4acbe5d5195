"""The demonstration, as a visitor runs it."""

from __future__ import annotations

import os
import re
import signal
import uuid
from pathlib import Path

import pytest
from cs_harness import Process
from cs_harness.process import REPOSITORY

DEMO = REPOSITORY / "examples/mealcorp/demo.py"
SECONDS = 60


@pytest.fixture
def place(folder: Path) -> Path:
    """Return an empty folder with a short path."""
    empty = folder / uuid.uuid4().hex[:8]
    empty.mkdir()
    return empty


def processes_in(folder: Path) -> list[str]:
    """Return the command lines of the processes that mention a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) in text:
                found.append(text)
    return found


def test_the_demonstration_ends_as_it_should(place: Path) -> None:
    """In time, with plain text since nobody is watching, and leaving nothing."""
    with Process([DEMO], env={"TMPDIR": str(place)}) as demo:
        code = demo.wait(SECONDS)
        text = "\n".join(demo.lines)
    assert code == 0, text
    assert "NOT AS EXPECTED" not in text
    assert "\033" not in text
    assert re.search("denied: claim submods.container.image_digest", text)
    assert "4 x lasagne" in text
    assert list(place.iterdir()) == []
    assert processes_in(place) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["1. The services", "2. MealCorp runs"])
def test_the_demonstration_cleans_up_when_interrupted(place: Path, number: int, moment: str) -> None:
    """Exit code 130, no process, no mount and no file left."""
    with Process([DEMO], env={"TMPDIR": str(place), "PYTHONUNBUFFERED": "1"}) as demo:
        demo.wait_for(re.escape(moment), SECONDS)
        os.kill(demo.pid, number)
        assert demo.wait(30) == 130, demo.last_words()
    assert list(place.iterdir()) == []
    assert processes_in(place) == []
    assert str(place) not in Path("/proc/self/mountinfo").read_text()
