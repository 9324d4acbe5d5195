"""csctl report: a page of a machine, of a token, or of what two machines have not in common."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cs_harness import boot_log
from cs_harness.csctl import CANNOT_TELL, NO, WRONG_USE, YES, csctl
from machine import Launched

LINKS = ["TPM", "Firmware", "Keys", "Kernel", "Root", "Launcher", "Container", "Token"]


def states(document: dict[str, Any]) -> dict[str, str]:
    """Return the state of each link."""
    return {link["name"]: link["state"] for link in document["chain"]}


def write_token(machine: Launched, folder: Path) -> tuple[Path, Path]:
    """Write the machine's token, and the keys that it is verified by."""
    token, keys = folder / "token.jwt", folder / "keys.json"
    token.write_text(machine.launcher.tee.request("GET", "/v1/token").text)
    keys.write_text(json.dumps(machine.world.verifier.keys()))
    return token, keys


def test_a_machine_and_its_token(machine: Launched, tmp_path: Path) -> None:
    """From the TPM to the token every link holds, and every claim has its source."""
    token, keys = write_token(machine, tmp_path)
    answer = csctl("report", machine.request, "--config", machine.config, "--token", token, "--jwks", keys, "--json")
    assert answer.code == YES, answer.error
    document = answer.json
    assert states(document) == dict.fromkeys(LINKS, "holds")
    assert document["state"] == "holds" and document["verdict"] == 'it runs image "confidential-space-260100"'
    assert document["title"] == f"Machine {machine.world.metadata.instance.name}"
    assert all(check["state"] != "does not hold" for check in document["checks"])
    assert {moment["phase"] for moment in document["moments"]} == {"boot", "launch"}
    assert all(line["proves"] and line["source"] for line in document["claims"])
    page = tmp_path / "report.html"
    answer = csctl("report", machine.request, "--config", machine.config, "--output", page)
    assert (answer.code, answer.text) == (YES, "")
    assert page.read_text().startswith("<!DOCTYPE html>") and "confidential-space-260100" in page.read_text()


def test_the_launcher_is_asked_where_nothing_is_named(machine: Launched) -> None:
    """For evidence and token at once."""
    socket = machine.launcher.socket
    document = csctl("report", "--socket", socket, "--config", machine.config, "--json").json
    assert states(document) == dict.fromkeys(LINKS, "holds") | {"Token": "not known"}
    assert csctl("report", "--socket", socket).text.startswith("<!DOCTYPE html>")


def test_a_machine_with_another_key_is_told_where_it_parts(machine: Launched, tmp_path: Path) -> None:
    """By a verifier's entry, and by another machine's log."""

    def other_key(events: list[Any]) -> None:
        boot_log.replace_measured(events, 7, b"test PK", b"test QK")

    other = boot_log.changed(machine.boot_log, tmp_path, other_key)
    answer = csctl("report", other, "--config", machine.config, "--json")
    assert answer.code == NO
    assert states(answer.json)["Keys"] == "does not hold" and states(answer.json)["TPM"] == "not known"
    (keys,) = [link for link in answer.json["chain"] if link["name"] == "Keys"]
    (expectation,) = keys["expectations"]
    assert "test PK" in expectation["expected"] and "test QK" in expectation["found"]
    answer = csctl("report", other, "--against", machine.boot_log, "--json")
    assert answer.code == NO and answer.json["verdict"] == "1 event that matters is another one"
    assert [name for name, state in states(answer.json).items() if state == "does not hold"] == ["Keys"]
    marked = [moment for moment in answer.json["moments"] if "expected" in moment]
    assert len(marked) == 1 and "test PK" in marked[0]["expected"] and "test QK" in marked[0]["text"]
    same = csctl("report", machine.boot_log, "--against", machine.boot_log, "--json")
    assert same.code == YES and "does not hold" not in states(same.json).values()


def test_a_token_alone(machine: Launched, tmp_path: Path) -> None:
    """Verified, not verified, and forged."""
    token, keys = write_token(machine, tmp_path)
    document = csctl("report", token, "--jwks", keys, "--json").json
    assert states(document) == dict.fromkeys(LINKS, "holds") | {"Firmware": "not known"}
    assert document["state"] == "holds" and document["verdict"] == "it is genuine"
    answer = csctl("report", token, "--json")
    assert answer.code == YES and set(states(answer.json).values()) == {"not known"}
    assert "--issuer" in answer.json["verdict"]
    head, payload, signature = token.read_text().split(".")
    forged = tmp_path / "forged.jwt"
    forged.write_text(f"{head}.{payload}.{signature[:-8]}AAAAAAAA")
    answer = csctl("report", forged, "--jwks", keys, "--json")
    assert answer.code == NO and states(answer.json)["Token"] == "does not hold"
    assert "holds" not in states(answer.json).values()


def test_a_token_of_another_launch_is_not_this_ones(machine: Launched, tmp_path: Path) -> None:
    """However genuine it is."""
    token, _ = write_token(machine, tmp_path)
    claims = json.loads(base64.urlsafe_b64decode(token.read_text().split(".")[1] + "=="))
    claims["submods"]["container"]["image_digest"] = "sha256:" + "0" * 64
    claims["submods"]["gce"]["instance_id"] = "1"
    other = tmp_path / "other.jwt"
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    other.write_text(f"{token.read_text().split('.')[0]}.{body}.c2lnbmF0dXJl")
    answer = csctl("report", machine.request, "--config", machine.config, "--token", other, "--json")
    assert answer.code == NO and states(answer.json) == dict.fromkeys(LINKS, "holds") | {"Token": "does not hold"}
    (link,) = [link for link in answer.json["chain"] if link["name"] == "Token"]
    assert {expectation["field"] for expectation in link["expectations"]} == {
        "claim submods/container/image_digest", "claim submods/gce/instance_id"
    }


def test_what_is_not_used_is_refused(machine: Launched, tmp_path: Path) -> None:
    """Nothing that somebody asks for is passed over."""
    token, keys = write_token(machine, tmp_path)
    for words, option in (
        (["report", token, "--config", machine.config], "--config"),
        (["report", token, "--token", token], "--token"),
        (["report", machine.request, "--jwks", keys], "--jwks"),
    ):
        answer = csctl(*words)
        assert (answer.code, answer.text) == (CANNOT_TELL, "") and option in answer.error
    assert csctl("report", "--token", token).code == WRONG_USE
    before = token.read_bytes()
    answer = csctl("report", token, "--output", token)
    assert (answer.code, answer.error) == (CANNOT_TELL, f"csctl: --output: is {token}, which is read\n")
    assert token.read_bytes() == before
    assert "--audience" in csctl("report", token, "--audience", "https://rp.example").error
    page = tmp_path / "report.json"
    assert csctl("report", token, "--json", "--output", page).text == ""
    assert json.loads(page.read_text())["title"] == "Token for https://sts.googleapis.com"


def test_whether_evidence_is_fresh_is_told(machine: Launched) -> None:
    """Of a captured request nobody knows; of a workload's evidence its challenge is known."""
    stale = csctl("report", machine.request, "--config", machine.config, "--json").json["checks"]
    assert {"check": "evidence is fresh", "state": "not known", "why": "nobody said what it must be made over"} in stale
    fresh = csctl("report", machine.evidence, "--config", machine.config, "--json").json["checks"]
    assert "evidence is fresh" not in [check["check"] for check in fresh]


def test_a_file_may_have_any_name(machine: Launched, tmp_path: Path) -> None:
    """Also one that is no UTF-8, on the page and in the document, wherever they go."""
    log, output = tmp_path / os.fsdecode(b"\xff<b>.bin"), tmp_path / "output"
    log.write_bytes(machine.boot_log.read_bytes())
    for words in ((), ("--json",)):
        shown = csctl("report", log, *words)
        assert shown.code == YES and "Machine of" in shown.text
        answer = csctl("report", log, *words, "--output", output)
        assert (answer.code, answer.text, answer.error) == (YES, "", "")
        assert "Machine of" in output.read_text()


def test_recorded_logs_are_shown(vectors: Path) -> None:
    """Each, without anybody who vouches for them: then nothing is known to hold."""
    logs = [path for path in sorted((vectors / "boot-eventlogs").rglob("*")) if path.suffix == ".bin"]
    assert logs
    for log in logs:
        answer = csctl("report", log, "--json")
        assert answer.code == YES, (log, answer.error)
        assert set(states(answer.json).values()) == {"not known"} and answer.json["moments"]


def test_what_can_not_be_reported_is_one_line(machine: Launched, tmp_path: Path) -> None:
    """And no page is left."""
    page, file = tmp_path / "report.html", tmp_path / "file"
    write: Callable[[str], int] = file.write_text
    for text in ("", "{}", "eyJ.eyJ.x", "no log"):
        write(text)
        answer = csctl("report", file, "--output", page)
        assert (answer.code, answer.text, answer.error.count("\n")) == (CANNOT_TELL, "", 1), (text, answer)
    odd = boot_log.changed(machine.boot_log, tmp_path, lambda events: events[4].measure(b"another SecureBoot"))
    file.write_bytes(odd.read_bytes())
    for words in (("report", file, "--config", machine.config), ("explain", file, "--config", machine.config)):
        answer = csctl(*words)
        assert answer.code == CANNOT_TELL and answer.error.startswith(f"csctl: {file}"), answer
    token, _ = write_token(machine, tmp_path)
    assert csctl("report", token, "--against", machine.boot_log).code == CANNOT_TELL
    assert csctl("report", machine.boot_log, "--against", token).code == CANNOT_TELL
    assert csctl("report", machine.boot_log, "--against", token, "--config", machine.config).code == WRONG_USE
    assert csctl("report", machine.boot_log, "--output", tmp_path / "absent/report.html").code == CANNOT_TELL
    assert not page.exists()
