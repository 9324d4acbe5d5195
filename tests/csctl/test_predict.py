"""csctl predict: what a launch will measure, from a registry and from a folder, against what was measured."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cs_harness.csctl import CANNOT_TELL, NO, WRONG_USE, YES, Answer, csctl
from machine import Launched


@pytest.fixture
def metadata(machine: Launched, tmp_path: Path) -> Path:
    """Return the operator's attributes as a file."""
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(machine.world.metadata.attributes))
    return path


def predict(machine: Launched, metadata: Path, *more: str | Path) -> Answer:
    """Ask for the machine of the harness."""
    return csctl("predict", "--metadata", metadata, "--hostname", machine.world.metadata.instance.name, *more)


def other(metadata: Path, **attributes: str) -> Path:
    """Change the operator's attributes."""
    changed = json.loads(metadata.read_text()) | {name.replace("_", "-"): text for name, text in attributes.items()}
    metadata.write_text(json.dumps(changed))
    return metadata


def claims(machine: Launched) -> dict[str, Any]:
    """Return those of the token that the machine got."""
    text = machine.launcher.tee.request("GET", "/v1/token").text
    payload = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_what_is_predicted_is_what_was_measured(machine: Launched, metadata: Path) -> None:
    """Events, register and claims."""
    predicted = predict(machine, metadata, "--json", "--bank", "sha256", "--bank", "sha384").json
    measured = csctl("eventlog", "show", machine.request, "--pcr", "13", "--json").json["launch_log"]
    assert [(event["type"], event["text"]) for event in predicted["events"]] == [
        (event["type"], event["text"]) for event in measured
    ]
    registers = csctl("eventlog", "replay", machine.request, "--json").json["registers"]
    held = {row["bank"]: row["held"] for row in registers if row["pcr"] == 13}
    for bank in ("sha256", "sha384"):
        assert predicted["pcr13"][bank] == held[bank]
    submods = claims(machine)["submods"]
    assert predicted["claims"]["submods"]["container"] == submods["container"]
    monitoring = submods["confidential_space"]["monitoring_enabled"]
    assert predicted["claims"]["submods"]["confidential_space"]["monitoring_enabled"] == monitoring


@pytest.mark.parametrize("kind", ["request", "evidence"])
def test_a_launch_is_the_one_that_is_predicted(machine: Launched, metadata: Path, kind: str) -> None:
    """By its log."""
    answer = predict(machine, metadata, "--against", getattr(machine, kind))
    assert (answer.code, answer.text) == (YES, "the launch is the one that is predicted\n")


def test_the_first_event_that_parts_is_said(machine: Launched, metadata: Path) -> None:
    """And the others behind it."""
    answer = predict(machine, other(metadata, tee_restart_policy="Always"), "--against", machine.request)
    assert answer.code == NO
    assert answer.text.splitlines()[0] == (
        "the launch parts at: predicted RestartPolicy Always, measured RestartPolicy Never"
    )
    answer = csctl(
        *("predict", "--metadata", metadata, "--hostname", "other", "--json", "--against", machine.request)
    )
    assert {"predicted": "EnvVar HOSTNAME=other", "measured": f"EnvVar HOSTNAME={machine.world.metadata.instance.name}"} in (
        answer.json["differences"]
    )


def test_an_image_in_a_folder_is_predicted_as_in_the_registry(machine: Launched, metadata: Path, tmp_path: Path) -> None:
    """Before it is pushed."""
    layout = machine.write_layout(tmp_path)
    from_registry = predict(machine, metadata, "--json").json
    assert predict(machine, metadata, "--json", "--layout", layout).json == from_registry
    assert predict(machine, metadata, "--json", "--layout", f"{layout}:latest").json == from_registry
    answer = predict(machine, metadata, "--layout", f"{layout}:absent")
    assert answer.code == CANNOT_TELL and 'names no image "absent"' in answer.error
    for blob in (layout / "blobs/sha256").iterdir():
        blob.write_bytes(blob.read_bytes() + b" ")
    answer = predict(machine, metadata, "--layout", layout)
    assert answer.code == CANNOT_TELL and answer.error.count("\n") == 1


def test_what_a_launch_would_refuse_is_said(machine: Launched, metadata: Path) -> None:
    """In the launcher's words."""
    answer = predict(machine, other(metadata, tee_env_SECRET="x", tee_cmd='["other"]'))
    assert answer.code == CANNOT_TELL and answer.text == "" and answer.error.count("\n") == 1
    assert "SECRET" in answer.error and "tee-cmd" in answer.error or "CMD" in answer.error


def test_wrong_input_is_one_line(machine: Launched, metadata: Path, tmp_path: Path) -> None:
    """And exit code 2 or 3."""
    file = tmp_path / "file"
    for text in ("", "{", "[]", '{"a": 1}', "{}", '{"tee-image-reference": "x y"}'):
        file.write_text(text)
        answer = predict(machine, file)
        assert (answer.code, answer.text, answer.error.count("\n")) == (CANNOT_TELL, "", 1), (text, answer)
    assert predict(machine, metadata, "--bank", "md5").code == WRONG_USE
    assert csctl("predict", "--metadata", metadata).code == WRONG_USE
    answer = predict(machine, metadata, "--layout", tmp_path / "absent")
    assert answer.code == CANNOT_TELL and "absent" in answer.error
    answer = predict(machine, other(metadata, tee_image_reference="127.0.0.1:1/x"), "--json")
    assert answer.code == CANNOT_TELL and "127.0.0.1:1" in answer.error
