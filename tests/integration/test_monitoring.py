"""Metrics of the machine: on a socket of the host, as far as operator and image agree, and said in the token."""

from __future__ import annotations

import http.client
import re
import socket
from pathlib import Path

import pytest
from cs_harness import GoogleApis, World
from cs_harness.google_apis import MONITORING
from support import STAY, push, shell_image, verified_claims

FAILURE = 1
ALL = {"tee.launch_policy.hardened_monitoring": "all"}


def metrics_of(path: Path, target: str = "/metrics", method: str = "GET") -> tuple[int, str, str]:
    """Ask for metrics; returns status, type and text."""

    class Connection(http.client.HTTPConnection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(str(path))

    connection = Connection("localhost")
    try:
        connection.request(method, target)
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("wanted", ["memoryOnly", "all"])
def test_metrics_are_shown_as_far_as_was_asked_for(world: World, folder: Path, wanted: str) -> None:
    """In OpenMetrics; the token says that memory is watched, and the socket goes with the launcher."""
    image = push(world.registry, shell_image(STAY, labels=ALL))
    attributes = {"tee-image-reference": image.by_tag, "tee-monitoring-enable": wanted}
    with world.launcher(attributes, options={"--output-directory": folder / "output"}) as launcher:
        launcher.wait_ready()
        claims = verified_claims(world, launcher.token)
        path = folder / "output/metrics.sock"
        status, kind, text = metrics_of(path)
        assert metrics_of(path, "/other")[0] == http.client.NOT_FOUND
        assert metrics_of(path, method="POST")[0] == http.client.METHOD_NOT_ALLOWED
        launcher.terminate()
        assert launcher.wait(60) == 0
    assert not path.exists()
    assert claims["submods"]["confidential_space"]["monitoring_enabled"] == {"memory": True}
    assert (status, kind.split(";")[0]) == (http.client.OK, "application/openmetrics-text")
    lines = text.splitlines()
    assert lines[-1] == "# EOF"
    families = re.findall(r"(?m)^# TYPE (\S+) (?:gauge|counter)$", text)
    assert len(families) == len(set(families))
    assert all(
        re.fullmatch(r'# TYPE \S+ \w+|guest_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? \S+|# EOF', line) for line in lines
    )
    total = re.search(r'guest_memory_bytes_used\{state="free"\} (\S+)', text)
    assert total is not None
    assert float(total[1]) > 0
    others = {"guest_cpu_usage_time", "guest_cpu_load_1m", "guest_host_uptime", "guest_memory_dirty_used"}
    assert (others <= set(families)) == (wanted == "all")
    assert wanted == "all" or families == ["guest_memory_bytes_used"]


def test_more_than_the_image_allows_is_refused(world: World, folder: Path) -> None:
    """On a hardened machine nothing is watched without a label."""
    image = push(world.registry, shell_image())
    attributes = {"tee-image-reference": image.by_tag, "tee-monitoring-memory-enable": "true"}
    with world.launcher(attributes, options={"--output-directory": folder / "output"}) as launcher:
        assert launcher.wait(60) == FAILURE
        assert "spec configured for memoryOnly but policy is none" in launcher.log_text
    assert not (folder / "output/metrics.sock").exists()


def test_metrics_reach_cloud_monitoring(world: World, folder: Path) -> None:
    """Where the machine's image says so: as the time series that Google's own agent writes."""
    image = push(world.registry, shell_image(STAY, labels=ALL))
    attributes = {"tee-image-reference": image.by_tag, "tee-monitoring-enable": "all"}
    with GoogleApis(world) as google:
        options = {**google.options, "--output-directory": folder / "output"}
        with world.launcher(
            attributes, options=options, flags=["--cloud-monitoring"], env=google.environment
        ) as launcher:
            call = google.wait_for(MONITORING, lambda call: True)
            launcher.wait_ready()
            launcher.terminate()
            assert launcher.wait(60) == 0, launcher.process.last_words()
    instance = world.metadata.instance
    assert call.path == f"/v3/projects/{instance.project_id}/timeSeries"
    assert call.authorization == "Bearer test-access-token"
    series = call.body["timeSeries"]
    for each in series:
        assert set(each) == {"metric", "resource", "metricKind", "valueType", "points"}
        assert each["resource"]["labels"]["instance_id"] == str(instance.id)
        (point,) = each["points"]
        assert ("startTime" in point["interval"]) == (each["metricKind"] == "CUMULATIVE")
        assert list(point["value"]) == ["int64Value" if each["valueType"] == "INT64" else "doubleValue"]
    types = {each["metric"]["type"].removeprefix("compute.googleapis.com/guest/") for each in series}
    assert {"memory/bytes_used", "memory/dirty_used", "cpu/usage_time", "cpu/load_1m", "system/uptime"} <= types
    (free,) = [
        each
        for each in series
        if each["metric"]["labels"].get("state") == "free"
        and "bytes" in each["metric"]["type"]
        and "memory" in each["metric"]["type"]
    ]
    assert int(free["points"][0]["value"]["int64Value"]) > 0


def test_a_cloud_that_takes_no_metrics_ends_no_launch(world: World, folder: Path) -> None:
    """It is said once."""
    image = push(world.registry, shell_image(STAY, labels=ALL))
    attributes = {"tee-image-reference": image.by_tag, "tee-monitoring-enable": "memoryOnly"}
    with GoogleApis(world) as google:
        google.refusal = (403, "lacks monitoring.timeSeries.create")
        options = {**google.options, "--output-directory": folder / "output"}
        with world.launcher(
            attributes, options=options, flags=["--cloud-monitoring"], env=google.environment
        ) as launcher:
            warning = launcher.wait_for("metrics do not reach the cloud")
            assert "lacks monitoring.timeSeries.create" in warning.fields["error"]
            launcher.wait_ready()
            launcher.terminate()
            assert launcher.wait(60) == 0
