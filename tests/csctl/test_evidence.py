"""csctl evidence and csctl explain: what a machine of the harness sent, as it is and changed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cs_harness import boot_log
from cs_harness.csctl import CANNOT_TELL, NO, WRONG_USE, YES, Answer, csctl
from machine import Launched

PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "does not apply"


def verify(machine: Launched, evidence: Path, *more: str | Path) -> Answer:
    """Judge evidence by the configuration of the machine's verifier."""
    return csctl("evidence", "verify", evidence, "--config", machine.config, "--json", *more)


def failed(answer: Answer) -> list[str]:
    """Return the names of the checks that failed."""
    return [check["check"] for check in answer.json["checks"] if check["result"] == FAILED]


def changed(machine: Launched, tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Return a request in which something is another one."""
    request = json.loads(machine.request.read_bytes())
    change(request)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(request))
    return path


def flip(evidence: dict[str, Any], key: str, place: int) -> None:
    """Change one bit of a part in base64."""
    data = bytearray(base64.b64decode(evidence[key]))
    data[place] ^= 1
    evidence[key] = base64.b64encode(data).decode()


@pytest.mark.parametrize("kind", ["request", "evidence"])
def test_what_evidence_holds_is_shown(machine: Launched, kind: str) -> None:
    """Whose machine, which quotes, which certificates."""
    shown = csctl("evidence", "show", "--json", getattr(machine, kind)).json
    instance = machine.world.metadata.instance
    assert shown["machine"]["instance_name"] == instance.name
    assert shown["machine"]["project_id"] == instance.project_id
    assert "sha256" in [quote["bank"] for quote in shown["quotes"]]
    assert shown["boot_log_bytes"] == len(machine.boot_log.read_bytes())
    rows = {row[0]: row[1] for row in csctl("evidence", "show", getattr(machine, kind)).rows}
    assert rows["machine.instance_name"] == instance.name
    assert rows["quotes[0].bank"] == shown["quotes"][0]["bank"]


@pytest.mark.parametrize("kind", ["request", "evidence"])
def test_good_evidence_passes_every_check(machine: Launched, kind: str) -> None:
    """Offline, by the verifier's own configuration."""
    answer = verify(machine, getattr(machine, kind))
    assert answer.code == YES, answer.text
    assert {check["result"] for check in answer.json["checks"]} <= {PASSED, NOT_APPLICABLE}
    assert len(answer.json["checks"]) >= 12
    assert answer.json["image"] == {"standing": "matched", "entry": "confidential-space-260100"}
    assert answer.json["freshness_checked"] is (kind == "evidence")


def test_years_later_a_certificate_has_ended(machine: Launched) -> None:
    """And all else still holds."""
    answer = verify(machine, machine.request, "--at", "2099-01-01T00:00:00Z")
    assert answer.code == NO
    assert failed(answer) == ["AK certificate's chain ends at a root"]


def test_each_part_fails_by_its_own_name(machine: Launched, tmp_path: Path) -> None:
    """One bit in one part."""
    sound, replays = "boot event log tells of a sound boot", "boot event log replays"
    launch = "launch event log tells of one launch"
    digest = bytes.fromhex(json.loads(machine.reference_values.read_text())["images"][0]["events"]["7"][0]["sha256"])
    for key, place, expected in (
        ("tcgEventLog", machine.boot_log.read_bytes().index(digest), [replays, sound]),
        ("tcgEventLog", machine.boot_log.read_bytes().index(b"test PK"), [sound]),
        ("canonicalEventLog", -1, [launch]),
        ("akCert", -1, ["AK certificate's chain ends at a root"]),
    ):
        answer = verify(machine, changed(machine, tmp_path, lambda r, k=key, p=place: flip(r["tpmAttestation"], k, p)))
        assert answer.code == NO
        assert failed(answer) == expected, key
    for key in ("rawQuote", "rawSignature"):
        answer = verify(
            machine, changed(machine, tmp_path, lambda r, k=key: flip(r["tpmAttestation"]["quotes"][0], k, -1))
        )
        assert failed(answer) == ["quote holds"]


def test_a_register_that_differs_is_told_with_both_values(machine: Launched, tmp_path: Path) -> None:
    """What the log makes, what was quoted, and what helps."""
    other = "00" * 31 + "01"

    def change(request: dict[str, Any]) -> None:
        for quote in request["tpmAttestation"]["quotes"]:
            if quote["hashAlgo"] == 0xB:
                quote["pcrValues"]["7"] = base64.b64encode(bytes.fromhex(other)).decode()

    answer = csctl("evidence", "verify", changed(machine, tmp_path, change), "--config", machine.config)
    [row] = [row for row in answer.rows if row[0] == "FAILED" and row[1].startswith("boot event log replays")]
    assert "PCR 7: makes " in row[2] and other in row[2]
    assert "csctl eventlog replay" in row[3]


def test_evidence_for_another_nonce_is_not_fresh(machine: Launched) -> None:
    """Where somebody says for which it must be."""
    quoted = csctl("evidence", "show", "--json", machine.request).json["quotes"][0]["made_over"]
    answer = verify(machine, machine.request, "--nonce", quoted)
    assert answer.code == YES and answer.json["freshness_checked"] is True
    answer = verify(machine, machine.request, "--nonce", "00" * 32)
    assert answer.code == NO and set(failed(answer)) == {"quote holds"}


def with_values(machine: Launched, tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Return the verifier's reference values, changed."""
    values = json.loads(machine.reference_values.read_text())
    change(values["images"][0])
    path = tmp_path / "values.json"
    path.write_text(json.dumps(values))
    return path


@pytest.mark.parametrize("kind", ["request", "evidence", "boot_log"])
def test_a_known_image_is_told(machine: Launched, kind: str) -> None:
    """From whatever holds the boot log."""
    answer = csctl("explain", getattr(machine, kind), "--config", machine.config)
    assert (answer.code, answer.text) == (YES, 'image: it runs image "confidential-space-260100"\n')


def test_what_differs_from_the_nearest_entry_is_told(machine: Launched, tmp_path: Path) -> None:
    """In the words of the entry's file."""

    def change(entry: dict[str, Any]) -> None:
        entry["kernel_command_line"] = "quiet one more"
        entry["pcrs"]["sha256"].pop("9")

    values = with_values(machine, tmp_path, change)
    answer = csctl("explain", machine.boot_log, "--reference", values)
    assert answer.code == NO
    assert answer.rows[1][:2] == ["kernel_command_line", "quiet one more"] and len(answer.rows) == 2
    document = csctl("explain", machine.boot_log, "--reference", values, "--json").json
    assert document["standing"] == "nearest"
    assert [deviation["field"] for deviation in document["deviations"]] == ["kernel_command_line"]


def test_an_event_that_differs_is_named(machine: Launched, tmp_path: Path) -> None:
    """Not the register alone: here the key that the firmware was given."""
    log = boot_log.changed(
        machine.boot_log, tmp_path, lambda events: boot_log.replace_measured(events, 7, b"test PK", b"test QK")
    )
    answer = csctl("explain", log, "--reference", machine.reference_values, "--json")
    assert answer.code == NO
    [deviation] = answer.json["deviations"]
    assert deviation["field"] == "pcrs.sha256.7"
    assert deviation["events"] == [
        {"expected": "PK = CN = Confidential Space test PK", "found": "PK = CN = Confidential Space test QK"}
    ]


def test_a_deprecated_image_is_told(machine: Launched, tmp_path: Path) -> None:
    """It is the reason why there is no other."""
    values = with_values(machine, tmp_path, lambda entry: entry.update(deprecated=True))
    answer = csctl("explain", machine.boot_log, "--reference", values, "--json")
    assert (answer.code, answer.json["standing"]) == (NO, "retired")


def test_the_verifier_logs_how_the_image_was_appraised(machine: Launched) -> None:
    """For its operator."""
    line = machine.world.verifier.wait_for('msg="image appraised"')
    assert "standing=matched" in line and "confidential-space-260100" in line


def test_wrong_input_is_one_line(machine: Launched, tmp_path: Path) -> None:
    """And exit code 2 or 3."""
    file = tmp_path / "file"
    for content in (b"", b"{}", b"[]", b"\xff\xfe", b'{"tpmAttestation": 1}', machine.request.read_bytes()[:-1]):
        file.write_bytes(content)
        for words in (("show", file), ("verify", file, "--config", machine.config)):
            answer = csctl("evidence", *words)
            assert (answer.code, answer.text, answer.error.count("\n")) == (CANNOT_TELL, "", 1), answer
        answer = csctl("explain", file, "--config", machine.config)
        assert (answer.code, answer.error.count("\n")) == (CANNOT_TELL, 1)
    for words in (("--at", "tomorrow"), ("--nonce", "xyz")):
        answer = csctl("evidence", "verify", machine.request, "--config", machine.config, *words)
        assert answer.code == CANNOT_TELL and words[0] in answer.error
    assert csctl("explain", machine.boot_log).code == WRONG_USE
    assert csctl("evidence", "verify", machine.request).code == WRONG_USE
