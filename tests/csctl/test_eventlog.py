"""csctl eventlog: recorded logs of real machines, and logs that were changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness.csctl import CANNOT_TELL, NO, WRONG_USE, YES, csctl, csctl_at_terminal
from cs_harness.process import REPOSITORY

OVMF = REPOSITORY / "tests/data/boot-log/ovmf-secure-boot.bin"


def recorded(vectors: Path) -> Iterator[tuple[Path, dict[str, dict[str, str]]]]:
    """Yield each recorded boot log with what its machine's TPM held, by bank and register."""
    for name, entry in json.loads((vectors / "boot-eventlogs/pcrs.json").read_text()).items():
        yield vectors / "boot-eventlogs" / name, entry["pcrs"]


def changed(tmp_path: Path, name: str, change: tuple[bytes, bytes]) -> Path:
    """Return a copy of the log in which a text stands in the place of another one, as long as it."""
    old, new = change
    log = OVMF.read_bytes()
    assert log.count(old) >= 1 and len(old) == len(new)
    path = tmp_path / name
    path.write_bytes(log.replace(old, new, 1))
    return path


def test_recorded_logs_replay_to_what_their_machines_held(vectors: Path) -> None:
    """Every register of every bank that is recorded."""
    for path, banks in recorded(vectors):
        answer = csctl("eventlog", "replay", "--json", path)
        assert answer.code == YES, answer.error
        found = {(row["bank"], str(row["pcr"])): row["replayed"] for row in answer.json["registers"]}
        for bank, registers in banks.items():
            for pcr, value in registers.items():
                assert found[(bank, pcr)] == value, f"{path.name}: {bank} {pcr}"


def test_a_launch_log_replays_to_its_register(vectors: Path) -> None:
    """The one of a real machine, with the value that it held."""
    answer = csctl("eventlog", "replay", vectors / "cel-rtmr3-gpu-workload.bin")
    expected = "2261f93374ed538b35e7e93c540a1562ccb25d14f6c40a1efea03d329e29a97172d84e152344af4a7188d0c8b9fcabeb"
    assert answer.rows == [["sha384", "13", "unknown", expected, ""]]


def test_every_event_of_recorded_logs_is_shown(vectors: Path) -> None:
    """In words, and with what stands behind them."""
    for path, _ in recorded(vectors):
        document = csctl("eventlog", "show", "--json", path).json
        assert [event["number"] for event in document["boot_log"]] == list(range(len(document["boot_log"])))
        rows = csctl("eventlog", "show", path).rows
        assert len(rows) == len(document["boot_log"])
        assert all(len(row) == 5 and row[4] for row in rows)
    launch = csctl("eventlog", "show", vectors / "cel-rtmr3-gpu-workload.bin").rows
    assert [row[2] for row in launch][:3] == ["ImageRef", "ImageDigest", "RestartPolicy"]
    assert all(row[3] == "measured" for row in launch)


def test_what_an_event_means_is_told() -> None:
    """Which program, which variable, which certificate."""
    rows = {int(row[1]): row for row in csctl("eventlog", "show", OVMF).rows}
    assert rows[4][2:] == ["EV_EFI_VARIABLE_DRIVER_CONFIG", "measured", "SecureBoot = on"]
    assert rows[5][4] == "PK = CN = Confidential Space test PK"
    assert rows[24][3] == "said" and rows[24][4].endswith("\\EFI\\BOOT\\BOOTX64.EFI")
    assert {row[0] for row in csctl("eventlog", "show", OVMF, "--pcr", "7", "--pcr", "4").rows} == {"4", "7"}


def test_logs_come_from_standard_input() -> None:
    """With a dash."""
    assert csctl("eventlog", "show", "-", stdin=OVMF.read_bytes()).text == csctl("eventlog", "show", OVMF).text


def test_a_terminal_gets_headings_and_colours() -> None:
    """And no colours where they are not wanted; a pipe gets neither."""
    seen = csctl_at_terminal("eventlog", "show", OVMF)
    assert "PCR 7: Secure Boot keys" in seen and "TEXT IS" in seen and "\x1b[32m" in seen
    assert "\x1b" not in csctl_at_terminal("eventlog", "show", OVMF, no_color=True)
    assert "\x1b" not in csctl("eventlog", "show", OVMF).text


def test_equal_logs_are_equal() -> None:
    """The answer is yes."""
    answer = csctl("eventlog", "diff", OVMF, OVMF)
    assert (answer.code, answer.text) == (YES, "the logs measure the same\n")
    assert csctl("eventlog", "diff", OVMF, OVMF, "--json").json == {"differences": []}


def test_a_text_that_nothing_measures_makes_no_difference(tmp_path: Path) -> None:
    """The path of a program is only said; the digest beside it is what counts."""
    path = changed(tmp_path, "log", ("BOOTX64".encode("utf-16-le"), "GRUBX64".encode("utf-16-le")))
    assert csctl("eventlog", "diff", OVMF, path).code == YES


def test_the_first_difference_that_matters_comes_first(tmp_path: Path, vectors: Path) -> None:
    """Of two machines: what is each one's own does not matter, and stands behind."""
    debian = vectors / "boot-eventlogs/debian-10.bin"
    answer = csctl("eventlog", "diff", "--json", OVMF, debian)
    assert answer.code == NO
    differences = answer.json["differences"]
    matters = [difference["matters"] for difference in differences]
    assert matters == sorted(matters, reverse=True) and True in matters and False in matters
    assert differences[0]["pcr"] == 0
    first = csctl("eventlog", "diff", OVMF, debian).text.splitlines()[0]
    assert first.startswith("PCR 0 (firmware): expected 0000, found ")


def test_one_event_less_is_one_difference(vectors: Path, tmp_path: Path) -> None:
    """Of a launch: the argument that is gone, by name, and nothing else."""
    log = (vectors / "cel-rtmr3-gpu-workload.bin").read_bytes()
    events = csctl("eventlog", "show", "--json", vectors / "cel-rtmr3-gpu-workload.bin").json["launch_log"]
    assert events[-1]["type"] == "LaunchSeparator"
    record = len(log) - log.rindex(b"\x00\x00\x00\x00\x08")
    shorter = tmp_path / "shorter"
    shorter.write_bytes(log[:-record])
    answer = csctl("eventlog", "diff", "--json", vectors / "cel-rtmr3-gpu-workload.bin", shorter)
    assert answer.code == NO
    [difference] = answer.json["differences"]
    assert difference["expected"]["type"] == "LaunchSeparator" and difference["found"] is None


def test_logs_of_different_kinds_can_not_be_compared(vectors: Path) -> None:
    """The file is named."""
    answer = csctl("eventlog", "diff", OVMF, vectors / "cel-rtmr3-gpu-workload.bin")
    assert answer.code == CANNOT_TELL and "has no log of the kind that" in answer.error


@pytest.mark.parametrize("verb", ["show", "replay"])
def test_what_is_no_log_is_one_line(verb: str, tmp_path: Path) -> None:
    """And names the file."""
    path = tmp_path / "file"
    for content in (b"", b"x", b"\0" * 100, b"{", b'{"a": 1}', OVMF.read_bytes()[:-1]):
        path.write_bytes(content)
        answer = csctl("eventlog", verb, path)
        assert answer.code == CANNOT_TELL and answer.text == ""
        assert answer.error.startswith(f"csctl: {path}") and answer.error.count("\n") == 1
    answer = csctl("eventlog", verb, tmp_path / "absent")
    assert answer.code == CANNOT_TELL and "No such file" in answer.error


def test_wrong_use_is_told(tmp_path: Path) -> None:
    """With the word that is wrong."""
    for words in (("eventlog",), ("eventlog", "frob"), ("eventlog", "diff", OVMF), ("eventlog", "show", "--pcr", "24")):
        answer = csctl(*words)
        assert answer.code == WRONG_USE and answer.error.count("\n") == 1
    assert "frob" in csctl("eventlog", "frob").error
