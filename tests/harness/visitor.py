"""A visitor who plays a scene, and looks at what it leaves behind."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cs_harness import Process

BEGIN_SECONDS = 60
STOP_SECONDS = 30
INTERRUPTED = 130


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


def expect_nothing_left(folder: Path) -> None:
    """Make sure that no file, no process and no mount is left of a scene that was played in a folder."""
    assert list(folder.iterdir()) == []
    assert processes_in(folder) == []
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()


def play(scene: Path, folder: Path, seconds: float) -> tuple[int, str]:
    """Play a scene to its end; return its exit code and what it printed, which is plain since nobody is watching."""
    folder.mkdir()
    with Process([scene], env={"TMPDIR": str(folder)}) as process:
        code = process.wait(seconds)
        text = "\n".join(process.lines)
    expect_nothing_left(folder)
    assert "\033" not in text
    return code, text


def expect_cleaned_up(scene: Path, folder: Path, number: int, moment: str) -> None:
    """Play a scene until it says something, interrupt it, and make sure that it cleans up."""
    folder.mkdir()
    with Process([scene], env={"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}) as process:
        process.wait_for(re.escape(moment), BEGIN_SECONDS)
        os.kill(process.pid, number)
        assert process.wait(STOP_SECONDS) == INTERRUPTED, process.last_words()
    expect_nothing_left(folder)
