"""The log, and the workload's lines, in Google's Cloud Logging."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from cs_harness import GoogleApis, Launcher, World
from cs_harness.google_apis import LOGGING
from support import push, shell_image

FAILURE = 1
END_SECONDS = 12  # of which the launcher says 6, on an idle machine
SPEECH = "echo out; echo err >&2"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def entries_of(google: GoogleApis) -> list[dict[str, Any]]:
    """Return all entries that were written, each once, in their order."""
    found = {entry["insertId"]: entry for call in google.calls(LOGGING) for entry in call.body["entries"]}
    return list(found.values())


def silent_launch(world: World, google: GoogleApis) -> Launcher:
    """Return a launcher whose workload says nothing, ready to be entered."""
    image = push(world.registry, shell_image())
    return world.launcher(
        {"tee-image-reference": image.by_tag},
        options=google.options,
        flags=["--cloud-logging"],
        env=google.environment,
    )


def launch(world: World, folder: Path, google: GoogleApis, redirect: str) -> int:
    """Launch a workload that speaks; returns the exit code."""
    image = push(world.registry, shell_image(SPEECH, labels={"tee.launch_policy.log_redirect": "always"}))
    attributes = {"tee-image-reference": image.by_tag, "tee-container-log-redirect": redirect}
    options = {**google.options, "--output-directory": folder / "output", "--console": folder / "console"}
    (folder / "console").touch()
    with world.launcher(attributes, options=options, flags=["--cloud-logging"], env=google.environment) as launcher:
        code = launcher.wait(60)
        assert "test-access-token" not in launcher.log_text
        return code


@pytest.mark.parametrize(("redirect", "speaks"), [("cloud_logging", True), ("true", True), ("serial", False)])
def test_every_field_is_as_documented(world: World, folder: Path, redirect: str, speaks: bool) -> None:
    """The whole launch stands there, from its first line to its last; the workload's lines where the operator says so."""
    with GoogleApis(world) as google:
        assert launch(world, folder, google, redirect) == 0
        calls, entries = google.calls(LOGGING), entries_of(google)
    instance = world.metadata.instance
    for call in calls:
        assert (call.path, call.authorization) == ("/v2/entries:write", "Bearer test-access-token")
        assert set(call.body) == {"logName", "resource", "partialSuccess", "entries"}
        assert call.body["logName"] == f"projects/{instance.project_id}/logs/confidential-space-launcher"
        assert call.body["resource"] == {
            "type": "gce_instance",
            "labels": {"project_id": instance.project_id, "zone": instance.zone, "instance_id": str(instance.id)},
        }
    for entry in entries:
        assert set(entry) == {"severity", "timestamp", "jsonPayload", "insertId"}
        assert TIME.fullmatch(entry["timestamp"])
        assert entry["jsonPayload"]["_HOSTNAME"] == instance.name
    own = [entry["jsonPayload"]["MESSAGE"] for entry in entries if "MESSAGE" in entry["jsonPayload"]]
    assert (own[0], own[-1]) == ("Boot completed", "TEE container launcher exiting")
    assert {"TEE container launcher initiating", "workload task started"} <= set(own)
    said = {
        (entry["severity"], entry["jsonPayload"]["stream"], entry["jsonPayload"]["message"])
        for entry in entries
        if "message" in entry["jsonPayload"]
    }
    assert said == ({("INFO", "stdout", "out"), ("ERROR", "stderr", "err")} if speaks else set())


def test_what_is_wrong_with_attributes_stands_there(world: World) -> None:
    """The operator of a hardened machine has no other place to read it."""
    with GoogleApis(world) as google:
        attributes = {"tee-image-reference": "x.example/y", "tee-restart-policy": "Sometimes"}
        with world.launcher(
            attributes, options=google.options, flags=["--cloud-logging"], env=google.environment
        ) as launcher:
            assert launcher.wait(60) == FAILURE
        errors = [entry["jsonPayload"]["MESSAGE"] for entry in entries_of(google) if entry["severity"] == "ERROR"]
    assert any("invalid restart policy: Sometimes" in error for error in errors)


@pytest.mark.parametrize(("status", "message"), [(403, "lacks logging.logEntries.create"), (503, "busy")])
def test_a_log_that_takes_nothing_holds_up_nobody(world: World, folder: Path, status: int, message: str) -> None:
    """It is said once, and the launch is what it would have been."""
    with GoogleApis(world) as google:
        google.refusal = (status, message)
        with silent_launch(world, google) as launcher:
            assert launcher.wait(60) == 0
            warnings = [line for line in launcher.log if line.message == "lines of the log do not reach the cloud"]
            assert len(warnings) == 1
            assert message in warnings[0].fields["error"]


def test_a_log_that_never_answers_is_left_with_what_it_did_not_take(world: World) -> None:
    """Its bound is docs/operator.md's; the lines are counted."""
    with GoogleApis(world) as google:
        google.may_answer.clear()
        with silent_launch(world, google) as launcher:
            launcher.wait_for("TEE container launcher exiting")
            assert launcher.wait(END_SECONDS) == 0
            lost = launcher.wait_for("lines of the log were lost for the cloud")
        google.may_answer.set()
    assert int(lost.fields["lines_at_most"]) > 10


def test_a_machine_elsewhere_has_no_such_log(world: World, folder: Path) -> None:
    """A warning, and no request."""
    image = push(world.registry, shell_image())
    document = folder / "metadata.json"
    document.write_text(f'{{"tee-image-reference": "{image.by_tag}"}}')
    with world.launcher(metadata_file=document, flags=["--cloud-logging"]) as launcher:
        assert launcher.wait(60) == 0, launcher.process.last_words()
        assert "there is no Cloud Logging outside of Google's cloud" in launcher.log_text
