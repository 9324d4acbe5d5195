"""Verifier and TEE server under everything at once: what it costs, and what others notice.

CS_FLOOD_SECONDS says how long; a quarter of a minute without it. With it, how long honest clients wait is judged as well.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import World
from flood import let_loose
from report import report
from support import push, shell_image

SECONDS = float(os.environ.get("CS_FLOOD_SECONDS", "15"))
MEBIBYTE = 1 << 20


@contextlib.contextmanager
def wrk(url: str) -> Iterator[None]:
    """Let wrk ask for `url` until the block ends."""
    command = [shutil.which("wrk") or "wrk", "-t1", "-c64", f"-d{int(SECONDS) + 30}s", url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def peak_memory(pid: int) -> int:
    """Return the most memory that a process has had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def report_latency(what: str, taken: list[float]) -> None:
    taken.sort()
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    report(what, f"{len(taken)} requests, p50 {p50:.3f} s, p99 {p99:.3f} s")
    if "CS_FLOOD_SECONDS" in os.environ:
        assert p99 < 1


def test_the_verifier_under_a_flood(world: World) -> None:
    """Ten thousand connections, small fields, trailers, giant bodies, slow clients and wrk: nobody honest is refused."""
    verifier = world.verifier
    before = peak_memory(verifier.pid)
    taken: list[float] = []
    roles = ["silent", "fields", "trailers", "giants", "slow", "challenges", "uploads", "numbers"]
    with wrk(f"{verifier.url}/healthz"), let_loose(roles, SECONDS + 60, "127.0.0.1", verifier.port):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            begin = time.monotonic()
            assert verifier.get("/.well-known/jwks.json")["keys"]
            taken.append(time.monotonic() - begin)
    report_latency("a client of the verifier during a flood", taken)
    peak = peak_memory(verifier.pid)
    report("memory of the verifier during a flood", f"{peak / MEBIBYTE:.0f} MiB, {before / MEBIBYTE:.0f} MiB before")
    assert peak < 200e6


@pytest.mark.parametrize(
    "roles", [["silent", "trailers", "giants", "slow"], ["fields", "tokens", "trailers", "giants"]], ids="-".join
)
def test_the_tee_server_under_a_flood(world: World, roles: list[str]) -> None:
    """The same on the workload's socket, which then still gives tokens: many connections, and dear ones."""
    image = push(world.registry, shell_image(f"trap 'exit 0' TERM; sleep {SECONDS + 300:.0f} & wait"))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        launcher.wait_ready()
        taken: list[float] = []
        with let_loose(roles, SECONDS + 60, path=launcher.socket):
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                begin = time.monotonic()
                assert launcher.tee.request().status == 200
                taken.append(time.monotonic() - begin)
        report_latency("a workload's request during a flood", taken)
        peak = peak_memory(launcher.process.pid)
        report("memory of the launcher during a flood", f"{peak / MEBIBYTE:.0f} MiB")
        assert peak < 64e6
        assert launcher.tee.request(headers={"Cache-Control": "no-cache"}).status == 200
