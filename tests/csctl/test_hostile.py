"""Whatever is handed to csctl, it answers or says in one line why not: the seeds of the fuzzers, and worse."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
from cs_harness.csctl import CANNOT_TELL, NO, YES, csctl
from cs_harness.process import REPOSITORY

SEEDS = sorted(path for path in (REPOSITORY / "tests/fuzz/seeds").rglob("*") if path.is_file())
LOGS = sorted((REPOSITORY / "tests/data/boot-log").iterdir())


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return what questions are asked by: a set of keys, and reference values."""
    folder = tmp_path_factory.mktemp("trusted")
    keys, values = folder / "keys.json", folder / "values.json"
    keys.write_text('{"keys": []}')
    values.write_text('{"images": []}')
    return {"keys": keys, "values": values}


def questions(file: Path, trusted: dict[str, Path]) -> list[tuple[str | Path, ...]]:
    """Return every question that takes a file from somebody else."""
    return [
        ("eventlog", "show", file),
        ("eventlog", "show", "--json", file),
        ("eventlog", "replay", file),
        ("eventlog", "diff", file, LOGS[0]),
        ("eventlog", "diff", LOGS[0], file),
        ("evidence", "show", file),
        ("explain", file, "--reference", trusted["values"]),
        ("explain", LOGS[0], "--reference", file),
        ("token", "show", file),
        ("token", "verify", file, "--jwks", trusted["keys"]),
        ("token", "verify", file, "--jwks", file),
        ("token", "verify", file, "--pki-root", file),
        ("predict", "--hostname", "vm", "--metadata", file, "--layout", file.parent),
        ("policy", "test", file, file),
        ("spec", "check", file),
        ("verifier", "check", file),
    ]


def ask_all(file: Path, trusted: dict[str, Path]) -> None:
    """Ask every question, and look at how it is answered."""
    for words in questions(file, trusted):
        answer = csctl(*words)
        assert answer.code in (YES, NO, CANNOT_TELL), (words, answer)
        assert answer.error.count("\n") == (1 if answer.code == CANNOT_TELL else 0), (words, answer)
        if answer.code == CANNOT_TELL:
            assert answer.text == "" and answer.error.startswith("csctl: ")
        for text in (answer.text, answer.error):
            assert all(char in "\n\t" or (ord(char) >= 0x20 and not 0x7F <= ord(char) <= 0x9F) for char in text), words


def test_the_seeds_of_the_fuzzers(trusted: dict[str, Path]) -> None:
    """One of each few, so that all kinds are among them."""
    assert len(SEEDS) > 100
    for file in (*SEEDS[::3], *LOGS):
        ask_all(file, trusted)


def test_what_is_cut_off_or_changed(trusted: dict[str, Path], tmp_path: Path) -> None:
    """A real log, a real request and a real token, at places that chance has chosen."""
    chance = random.Random(20261129)
    request = next(path for path in SEEDS if path.parent.name == "verify_request")
    token = next(path for path in SEEDS if path.parent.name == "jwt")
    file = tmp_path / "file"
    for source in (LOGS[0], request, token):
        whole = source.read_bytes()
        for _ in range(8):
            cut = bytearray(whole[: chance.randrange(len(whole))])
            if cut:
                cut[chance.randrange(len(cut))] ^= 1 << chance.randrange(8)
            file.write_bytes(cut)
            ask_all(file, trusted)


def test_what_is_too_large_is_refused(trusted: dict[str, Path], tmp_path: Path) -> None:
    """Before it is understood, also from a pipe that never ends."""
    file = tmp_path / "file"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 30)
    ask_all(file, trusted)
    answer = csctl("eventlog", "show", "-", stdin=os.urandom(64) * (1 << 19))
    assert answer.code == CANNOT_TELL and "standard input: is longer than" in answer.error


def test_what_nests_deeply_or_has_many_values_is_refused(trusted: dict[str, Path], tmp_path: Path) -> None:
    """JSON of all sorts."""
    file = tmp_path / "file"
    for text in ("[" * 100000, '{"a":' * 5000 + "1" + "}" * 5000, json.dumps({"quote": [0] * 200000}), '{"a":1,"a":2}'):
        file.write_text(text)
        ask_all(file, trusted)


def test_what_is_no_file_is_told(trusted: dict[str, Path], tmp_path: Path) -> None:
    """A folder, a pipe, nothing at all."""
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo", tmp_path / "absent", Path("/dev/zero")):
        for words in (("eventlog", "show", path), ("evidence", "show", path), ("token", "show", path)):
            answer = csctl(*words)
            assert (answer.code, answer.text, answer.error.count("\n")) == (CANNOT_TELL, "", 1), (words, answer)
