"""csctl spec: an operator's attributes, before a machine is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cs_harness.csctl import CANNOT_TELL, NO, WRONG_USE, YES, csctl
from machine import Launched


@pytest.fixture
def metadata(machine: Launched, tmp_path: Path) -> Path:
    """Return the attributes by which a machine was launched, as a file."""
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(machine.world.metadata.attributes))
    return path


def change(metadata: Path, **attributes: str) -> Path:
    """Change some of them."""
    changed = json.loads(metadata.read_text()) | {name.replace("_", "-"): text for name, text in attributes.items()}
    metadata.write_text(json.dumps(changed))
    return metadata


def test_what_launched_is_sound(machine: Launched, metadata: Path) -> None:
    """With and without its image, from the registry and from a folder."""
    answer = csctl("spec", "check", metadata)
    assert (answer.code, answer.rows[-1]) == (YES, ["it asks for what there is"])
    assert ["ImageRef", machine.world.metadata.attributes["tee-image-reference"]] in answer.rows
    answer = csctl("spec", "check", metadata, "--image")
    assert (answer.code, answer.rows[-1]) == (YES, ["the image can be launched with it"])
    document = csctl("spec", "check", metadata, "--image", "--json").json
    assert document["launches"] is True and document["errors"] == [] and document["warnings"] == []


def test_all_that_is_wrong_is_told(metadata: Path) -> None:
    """Not only what comes first, and a slip is guessed."""
    wrong = change(metadata, tee_restart_policy="Sometimes", tee_container_log_redirect="maybe", tee_imag_reference="x")
    answer = csctl("spec", "check", wrong)
    assert answer.code == NO and answer.rows[-1] == ["nothing can be launched with it"]
    errors = " ".join(row[1] for row in answer.rows if row[0] == "error")
    assert "Sometimes" in errors and "tee-container-log-redirect" in errors
    (warning,) = [row[1] for row in answer.rows if row[0] == "warning"]
    assert warning == "tee-imag-reference: there is no such attribute; is tee-image-reference meant?"
    document = csctl("spec", "check", wrong, "--json").json
    assert document["launches"] is False and document["asks_for"] is None and document["warnings"] == [warning]


def test_what_the_image_forbids_is_told(metadata: Path) -> None:
    """Only when it is looked at."""
    forbidden = change(metadata, tee_cmd='["other"]', tee_env_GREETING="hello")
    assert csctl("spec", "check", forbidden).code == YES
    answer = csctl("spec", "check", forbidden, "--image")
    assert answer.code == NO
    errors = " ".join(row[1] for row in answer.rows if row[0] == "error")
    assert "GREETING" in errors and "CMD" in errors
    assert "hello" not in answer.text


def test_a_debug_machine_may_let_more_out(metadata: Path) -> None:
    """By the image's default policy."""
    asks = change(metadata, tee_container_log_redirect="true")
    assert csctl("spec", "check", asks, "--image").code == NO
    assert csctl("spec", "check", asks, "--image", "--debug").code == YES


def test_what_can_not_be_looked_at_is_one_line(metadata: Path, tmp_path: Path) -> None:
    """And exit code 2 or 3."""
    file = tmp_path / "file"
    for text in ("", "{", "[]", '{"a": 1}'):
        file.write_text(text)
        answer = csctl("spec", "check", file)
        assert (answer.code, answer.text, answer.error.count("\n")) == (CANNOT_TELL, "", 1), (text, answer)
    assert csctl("spec", "check").code == WRONG_USE
    answer = csctl("spec", "check", change(metadata, tee_image_reference="127.0.0.1:1/x"), "--image")
    assert answer.code == CANNOT_TELL and "127.0.0.1:1" in answer.error
