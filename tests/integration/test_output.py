"""What a workload writes: where it goes, that nothing of it is lost, and that nobody is held up by it."""

from __future__ import annotations

import json
import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cs_harness import HoldingVerifier, Launcher, World
from cs_harness.go_between import VERIFY
from support import nothing_is_left, push, shell_image

ALWAYS = {"tee.launch_policy.log_redirect": "always"}
BOTH = "echo out; echo err >&2"
FAILURE = 1
DRAIN_SECONDS = 5  # for what a blocked console does not take


@contextmanager
def launched(
    world: World,
    folder: Path,
    script: str,
    redirect: str,
    console: Path | None = None,
    *,
    more: dict[str, str] | None = None,
    user: str = "",
) -> Iterator[Launcher]:
    """Launch a script whose output goes where `redirect` says; the console is a file unless another is given."""
    if console is None:
        console = folder / "console"
        console.write_bytes(b"")
    image = push(world.registry, shell_image(script, labels=ALWAYS, user=user))
    attributes = {"tee-image-reference": image.by_tag, "tee-container-log-redirect": redirect}
    options = {"--console": console, "--output-directory": folder / "output", **(more or {})}
    with world.launcher(attributes, options=options) as launcher:
        yield launcher


def lines_of(launcher: Launcher) -> list[dict[str, str]]:
    """Return the lines of JSON on the launcher's standard output."""
    return [json.loads(line) for line in launcher.process.stdout_lines]


@pytest.mark.parametrize(
    ("redirect", "to_journal", "to_console"),
    [("false", False, False), ("true", True, True), ("cloud_logging", True, False), ("serial", False, True)],
)
def test_output_goes_where_the_operator_says(
    world: World, folder: Path, redirect: str, to_journal: bool, to_console: bool
) -> None:
    """Lines of JSON with a severity, raw bytes, both or nothing."""
    with launched(world, folder, BOTH, redirect) as launcher:
        assert launcher.wait(60) == 0, launcher.process.last_words()
    lines = sorted((line["severity"], line["message"]) for line in lines_of(launcher))
    assert lines == ([("ERROR", "err"), ("INFO", "out")] if to_journal else [])
    assert sorted((folder / "console").read_text().split()) == (["err", "out"] if to_console else [])
    assert not any((folder / "output").glob("*")), "the pipes are gone"


def test_output_is_only_let_out_where_the_image_says_so(world: World, folder: Path) -> None:
    """Without a label on debug images only; the workload does not run otherwise."""
    image = push(world.registry, shell_image(BOTH))
    attributes = {"tee-image-reference": image.by_tag, "tee-container-log-redirect": "cloud_logging"}
    options = {"--output-directory": folder / "output"}
    with world.launcher(attributes, options=options) as launcher:
        assert launcher.wait(60) == 1
        assert "logging redirection only allowed on debug environment by image" in launcher.log_text
    with world.launcher(attributes, options=options, hardened=False) as launcher:
        assert launcher.wait(60) == 4
    assert {line["message"] for line in lines_of(launcher)} == {"out", "err"}


def test_nothing_is_lost_at_the_end(world: World, folder: Path) -> None:
    """A workload that writes much and ends at once; the last line has no end."""
    count = 20000
    with launched(world, folder, f"seq {count}; printf last", "true") as launcher:
        assert launcher.wait(60) == 0, launcher.process.last_words()
    messages = [line["message"] for line in lines_of(launcher)]
    assert messages == [str(number) for number in range(1, count + 1)] + ["last"]
    assert (folder / "console").read_text().split() == messages


def test_output_of_a_workload_that_fails_is_kept(world: World, folder: Path) -> None:
    """It is what its author wants to see most."""
    with launched(world, folder, "echo why >&2; exit 3", "cloud_logging") as launcher:
        assert launcher.wait(60) == 1
    assert lines_of(launcher) == [{"severity": "ERROR", "message": "why"}]


def test_lines_that_are_no_text_or_very_long(world: World, folder: Path) -> None:
    """Bytes that are no UTF-8 are replaced in JSON and raw on the console; long lines come in pieces."""
    script = r"printf 'a\377b\000c\n'; head -c 100000 /dev/zero | tr '\000' x; echo"
    with launched(world, folder, script, "true") as launcher:
        assert launcher.wait(60) == 0, launcher.process.last_words()
    first, *rest = [line["message"] for line in lines_of(launcher)]
    assert first == "a\ufffdb\0c"
    assert "".join(rest) == "x" * 100000
    assert max(map(len, rest)) == 16384
    assert (folder / "console").read_bytes() == b"a\xffb\0c\n" + b"x" * 100000 + b"\n"


def test_a_console_that_takes_nothing_holds_up_neither_workload_nor_launch(world: World, folder: Path) -> None:
    """A terminal that nobody reads; what it does not take is counted, the journal has all of it."""
    controller, terminal = pty.openpty()
    try:
        script = "i=0; while [ $i -lt 200 ]; do head -c 40000 /dev/zero | tr '\\000' x; echo; i=$((i+1)); done"
        with launched(world, folder, script, "true", Path(os.ttyname(terminal))) as launcher:
            assert launcher.wait(60) == 0, launcher.process.last_words()
            assert "output of the workload was dropped" in launcher.log_text
            assert "was not taken in time" in launcher.log_text
    finally:
        os.close(controller)
        os.close(terminal)
    assert sum(len(line["message"]) for line in lines_of(launcher)) == 200 * 40000
    assert world.containerd.containers() == []


def test_a_workload_that_has_ended_is_not_killed_for_its_output(world: World, folder: Path) -> None:
    """It ends when it is asked to; that its console takes nothing is no reason to say otherwise, or to lose its status."""
    controller, terminal = pty.openpty()
    try:
        fill = "head -c 200000 /dev/zero | tr '\\000' x"
        script = f"trap 'exit 0' TERM; {fill}; echo; sleep 300 & wait"
        console = Path(os.ttyname(terminal))
        with launched(world, folder, script, "serial", console, more={"--stop-grace": "4"}) as launcher:
            launcher.wait_ready()
            launcher.terminate()
            assert launcher.wait(60) == 0, launcher.process.last_words()
            ended = launcher.wait_for("workload task ended and returned 0")
    finally:
        os.close(controller)
        os.close(terminal)
    assert "killed" not in launcher.log_text
    assert "broken off by a signal" not in launcher.log_text
    assert float(ended.fields["workload_execution_sec"]) < DRAIN_SECONDS


def test_a_console_that_is_not_there_is_an_error_before_anything_is_measured(world: World, folder: Path) -> None:
    """Nothing runs whose output can't go where it should."""
    with launched(world, folder, BOTH, "serial", folder / "none") as launcher:
        assert launcher.wait(60) == 1
        assert f"opening {folder / 'none'}" in launcher.log_text
    assert world.pcr("sha256") == bytes(32)
    assert world.containerd.containers() == []
    assert world.containerd.snapshots() == []


def test_sigterm_still_gets_the_last_words(world: World, folder: Path) -> None:
    """A workload that says good-bye when it is asked to end."""
    script = "trap 'echo good-bye; exit 0' TERM; echo up; sleep 300 & wait"
    with launched(world, folder, script, "cloud_logging") as launcher:
        launcher.wait_ready()
        launcher.terminate()
        assert launcher.wait(60) == 0, launcher.process.last_words()
    assert [line["message"] for line in lines_of(launcher)][-1] == "good-bye"


def test_a_launch_that_fails_behind_its_pipes_ends(world: World, folder: Path) -> None:
    """They are made before the container is, and with a container that can't be made nobody ever writes to them."""
    with launched(world, folder, BOTH, "true", user="nobody-knows") as launcher:
        assert launcher.wait() == FAILURE
        assert "image config.config.User: no such user" in launcher.log_text
    assert list((folder / "output").iterdir()) == []
    assert nothing_is_left(world)


def test_a_launch_that_is_stopped_behind_its_pipes_ends(world: World, folder: Path) -> None:
    """As above, with a container that waits for its token."""
    with (
        HoldingVerifier(world, VERIFY) as verifier,
        launched(world, folder, BOTH, "true", more={"--verifier": verifier.url}) as launcher,
    ):
        verifier.wait_held()
        launcher.terminate()
        assert launcher.wait() == FAILURE
    assert list((folder / "output").iterdir()) == []
    assert nothing_is_left(world)
