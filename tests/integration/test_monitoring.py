"""Metrics of the machine: on a socket of the host, as far as operator and image agree, and said in the token."""

from __future__ import annotations

import http.client
import re
import socket
from pathlib import Path

import pytest
from cs_harness import World
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
    assert all(re.fullmatch(r'# TYPE \S+ \w+|guest_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? \S+|# EOF', line) for line in lines)
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
