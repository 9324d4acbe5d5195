"""Verifier and TEE server under everything at once: what it costs, and what others notice.

CS_FLOOD_SECONDS says how long; a quarter of a minute without it. With it, how long honest clients wait is judged as well.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import World
from report import report
from support import STAY, push, shell_image

HERE = Path(__file__).parent
SECONDS = float(os.environ.get("CS_FLOOD_SECONDS", "15"))
MEBIBYTE = 1 << 20
BRIEF_SECONDS = 10  # the life of a token
RENEWALS = 3
GREEDY = 200  # processes of flood.py's role of that name
AT_ONCE = 8  # attestations that go on at a time
BEGUN = 'msg="Successfully created challenge"'
RENEWED = 'msg="successfully refreshed attestation token"'


@contextlib.contextmanager
def flood(roles: list[str], host: str, port: int, path: Path | None = None) -> Iterator[None]:
    """Let peers of these roles loose until the block ends."""
    arguments = [host, str(port), str(SECONDS + 60), *([str(path)] if path else [])]
    with contextlib.ExitStack() as stack:
        attackers = {}
        for role in roles:
            attacker = subprocess.Popen([sys.executable, HERE / "flood.py", role, *arguments], stderr=subprocess.DEVNULL)
            stack.callback(attacker.wait)
            stack.callback(attacker.kill)
            attackers[role] = attacker
        yield
        assert [role for role, attacker in attackers.items() if attacker.poll() is not None] == []


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
    with wrk(f"{verifier.url}/healthz"), flood(roles, "127.0.0.1", verifier.port):
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
        with flood(roles, "", 0, launcher.socket):
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


def test_the_default_token_is_renewed_under_a_flood(folder: Path) -> None:
    """Tokens that live for seconds are renewed in time, over and over, while the workload asks for all it can."""
    with World(folder / "brief", token_lifetime_seconds=BRIEF_SECONDS) as world:
        image = push(world.registry, shell_image(STAY))
        with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
            launcher.wait_ready()
            with flood(["silent", "tokens", "slow"], "", 0, launcher.socket):
                for _ in range(RENEWALS):
                    so_far = len(launcher.process.lines)
                    launcher.process.wait_for(RENEWED, timeout=3 * BRIEF_SECONDS, after=so_far)
                assert launcher.tee.request().status == 200
            assert "failed to refresh attestation service token" not in launcher.log_text


@pytest.mark.parametrize(("role", "in_front"), [("greedy", GREEDY), ("hoarder", 1)])
def test_greedy_clients_starve_nobody(folder: Path, role: str, in_front: int) -> None:
    """Whoever asks for one token waits for one of each other process at most, and the default token for nobody (S 26)."""
    with World(folder / role, token_lifetime_seconds=BRIEF_SECONDS) as world:
        image = push(world.registry, shell_image(STAY))
        with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
            launcher.wait_ready()
            with flood([role], "", 0, launcher.socket):
                launcher.process.wait_for(BEGUN, after=len(launcher.process.lines), timeout=60)
                for number in range(3):
                    so_far = len(launcher.process.lines)
                    answer = launcher.tee.custom_token("https://honest.example", f"honest-{number:04}")
                    assert answer.status == 200, answer.text
                    begun = sum(BEGUN in line for line in launcher.process.lines[so_far:])
                    # Each that ends while ours goes on lets another one begin.
                    assert begun <= in_front + 3 * AT_ONCE
                launcher.process.wait_for(RENEWED, timeout=3 * BRIEF_SECONDS, after=len(launcher.process.lines))
            assert "failed to refresh attestation service token" not in launcher.log_text
