"""The demonstration, as a visitor runs it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from cs_harness import Process
from cs_harness.process import REPOSITORY
from visitor import (
    BEGIN_SECONDS,
    STOP_SECONDS,
    expect_cleaned_up,
    expect_nothing_left,
    play,
)

DEMO = REPOSITORY / "examples/mealcorp/demo.py"
KEY_RELEASE = DEMO.parent / "key_release.py"
SECONDS = 60
SIGNALLED = -signal.SIGINT
AUDIENCE_LEFT = 141


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


def test_the_world_runs_on_for_who_asks_for_it(folder: Path) -> None:
    """What it says can be copied: the documents, the tool's answers, and one more launch. Then nothing is left."""
    kept = folder / "keep"
    kept.mkdir()
    with Process([DEMO, "--keep"], env={"TMPDIR": str(kept), "PYTHONUNBUFFERED": "1"}) as demo:
        demo.wait_for("a launch, of which a machine has one", SECONDS)
        launch = demo.wait_for(r"\$ env ", BEGIN_SECONDS)
        typed = [line.strip() for line in demo.lines]
        commands = [shlex.split(line.removeprefix("$ ")) for line in typed if line.startswith("$ ")]
        assert shlex.split(launch.strip().removeprefix("$ ")) == commands[-1]
        assert [Path(command[0]).name for command in commands] == ["curl", "csctl", "csctl", "csctl", "env"]
        answers = [subprocess.run(each, check=True, capture_output=True, text=True) for each in commands]
        assert json.loads(answers[0].stdout)["issuer"].startswith("https://127.0.0.1:")
        assert "a verifier starts with it" in answers[2].stdout
        os.kill(demo.pid, signal.SIGINT)
        assert demo.wait(STOP_SECONDS) == 0, demo.last_words()
    expect_nothing_left(kept)


def test_the_demonstration_says_what_it_can(folder: Path) -> None:
    """Without playing."""
    answer = subprocess.run([DEMO, "--help"], check=True, capture_output=True, text=True)
    assert "MealCorp counts" in answer.stdout and "--keep" in answer.stdout
    wrong = subprocess.run([DEMO, "--kep2"], check=False, capture_output=True, text=True)
    assert wrong.returncode == 2 and "--kep2" in wrong.stderr.splitlines()[-1]


def test_the_demonstration_ends_when_nobody_reads_on(folder: Path) -> None:
    """As behind head(1): without a word, and leaving nothing."""
    left = folder / "left"
    left.mkdir()
    reads, writes = os.pipe()
    environment = os.environ | {"TMPDIR": str(left)}
    with subprocess.Popen([DEMO], stdout=writes, stderr=subprocess.PIPE, env=environment) as demo:
        os.close(writes)
        assert os.read(reads, 1)
        os.close(reads)
        assert demo.communicate(timeout=SECONDS)[1] == b""
        assert demo.returncode == AUDIENCE_LEFT
    expect_nothing_left(left)


def test_an_early_interruption_is_no_traceback(tmp_path: Path) -> None:
    """While its modules are still being read: a first one sends the signal."""
    (tmp_path / "preferences.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    copy = tmp_path / "mealcorp" / DEMO.name
    copy.parent.mkdir()
    shutil.copy(DEMO, copy)
    harness = {"PYTHONPATH": str(REPOSITORY / "tests/harness")}
    answer = subprocess.run([copy], check=False, capture_output=True, text=True, env=os.environ | harness)
    assert (answer.returncode, answer.stderr) == (SIGNALLED, "")


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (None, "No such file or directory"),
        ("{", "line 1 column 2"),
        ("[]", "issuer is missing, or no str"),
        ('{"issuer": "i", "audience": "a", "image_digest": "d", "minimum_swversion": "1"}', "minimum_swversion"),
    ],
)
def test_a_wrong_policy_is_named_by_the_key_release_service(tmp_path: Path, policy: str | None, reason: str) -> None:
    """In one line."""
    file = tmp_path / "policy.json"
    if policy is not None:
        file.write_text(policy)
    command = [KEY_RELEASE, "--policy", file, "--key", "/dev/null"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"key_release.py: {file}: ") and reason in answer.stderr
    assert answer.stderr.count("\n") == 1
