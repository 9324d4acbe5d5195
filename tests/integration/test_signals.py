"""A stop is answered in every state within a bound (docs/operator.md, "Signals")."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import HoldingVerifier, World
from cs_harness.go_between import CHALLENGES
from support import STAY, nothing_is_left, push, shell_image

FAILURE = 1
IGNORE = "trap '' TERM; while :; do sleep 1; done"
STOP_BOUND_SECONDS = 40
NO_PROXY = {name: "" for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy")}


def test_a_workload_that_ignores_sigterm_is_killed_after_its_grace(world: World) -> None:
    """PID 1 gets no signal that it does not handle, so most workloads are of this kind."""
    image = push(world.registry, shell_image(IGNORE))
    with world.launcher({"tee-image-reference": image.by_tag}, options={"--stop-grace": "2"}) as launcher:
        launcher.wait_ready()
        began = time.monotonic()
        launcher.terminate()
        asked = launcher.wait_for("received a signal, the workload is asked to end")
        assert asked.fields["grace_sec"] == "2"
        killed = launcher.wait_for("the workload has not ended within its grace, it is killed")
        assert killed.level == "WARN"
        assert time.monotonic() - began >= 2
        assert launcher.wait() == FAILURE
        assert "return_code=137" in launcher.log_text
    assert nothing_is_left(world)


def test_a_second_signal_does_not_wait_for_the_grace(world: World) -> None:
    """Whoever asks twice is in a hurry."""
    image = push(world.registry, shell_image(IGNORE))
    with world.launcher({"tee-image-reference": image.by_tag}, options={"--stop-grace": "600"}) as launcher:
        launcher.wait_ready()
        launcher.terminate()
        launcher.wait_for("received a signal, the workload is asked to end")
        launcher.terminate()
        launcher.wait_for("received a second signal, the workload is killed")
        assert launcher.wait() == FAILURE
    assert nothing_is_left(world)


def test_a_workload_that_ends_in_order_is_not_killed(world: World) -> None:
    """Its status counts as if nobody had asked."""
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}, options={"--stop-grace": "600"}) as launcher:
        launcher.wait_ready()
        launcher.terminate()
        assert launcher.wait() == 0, launcher.process.last_words()
        assert "is killed" not in launcher.log_text


def test_a_task_that_is_half_made_is_ended_before_it_is_removed(world: World) -> None:
    """The next launcher would find it in its way."""
    image = push(world.registry, shell_image(STAY))
    with (
        world.containerd.held_task() as being_made,
        world.launcher({"tee-image-reference": image.by_tag}) as launcher,
    ):
        with being_made():
            launcher.terminate()
        assert launcher.wait(STOP_BOUND_SECONDS) == FAILURE
        assert nothing_is_left(world)
    assert "workload task started" not in launcher.log_text


def test_a_tpm_that_hangs_does_not_hold_up_the_end(world: World) -> None:
    """The thread that waits for the TPM is left behind."""
    image = push(world.registry, shell_image())
    with contextlib.ExitStack() as stack:
        launcher = world.launcher({"tee-image-reference": image.by_tag})
        stack.enter_context(world.machine.tpm.hanging())
        stack.enter_context(launcher)
        launcher.wait_for("connected to containerd")
        launcher.terminate()
        assert launcher.wait(STOP_BOUND_SECONDS) == FAILURE
        assert "the launch was broken off by a signal" in launcher.log_text


@pytest.fixture
def deaf_name_server(folder: Path) -> Iterator[tuple[Path, socket.socket]]:
    """Yield a resolv.conf, and the socket of its name server, which takes every question and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        try:
            server.bind(("127.0.0.99", 53))
        except OSError as error:
            pytest.skip(f"no name server can be played here: {error}")
        configuration = folder / "resolv.conf"
        configuration.write_text("nameserver 127.0.0.99\noptions timeout:30 attempts:5\n")
        server.settimeout(30)
        yield configuration, server


def test_the_look_up_of_a_name_does_not_hold_up_the_end(
    world: World, deaf_name_server: tuple[Path, socket.socket]
) -> None:
    """The C library waits for its name servers for minutes, and can't be asked to stop: its thread is left behind."""
    configuration, server = deaf_name_server
    script = f'mount --bind {configuration} /etc/resolv.conf && exec "$@"'
    wrapper = ["unshare", "--mount", "sh", "-c", script, "sh"]
    attributes = {"tee-image-reference": "registry.example/team/app:1"}
    with world.launcher(attributes, env=NO_PROXY, wrapper=wrapper) as launcher:
        server.recvfrom(512)
        launcher.terminate()
        assert launcher.wait(STOP_BOUND_SECONDS) == FAILURE
        assert "left behind" not in launcher.log_text
        assert "the launch was broken off by a signal" in launcher.log_text


def test_sigterm_during_a_quote(world: World) -> None:
    """The TPM hangs when it is to quote: measured is measured, but the launcher ends within its bound."""
    image = push(world.registry, shell_image())
    with (
        HoldingVerifier(world, CHALLENGES) as verifier,
        world.launcher({"tee-image-reference": image.by_tag}, options={"--verifier": verifier.url}) as launcher,
    ):
        verifier.wait_held()
        with world.machine.tpm.hanging():
            verifier.let_go()
            launcher.wait_for("Successfully created challenge")
            launcher.terminate()
            assert launcher.wait(STOP_BOUND_SECONDS) == FAILURE
        assert "the launch was broken off by a signal" in launcher.log_text
    assert not launcher.socket.exists()


def test_sigterm_during_a_pull(world: World) -> None:
    """A registry that takes the request and never answers is left."""
    with socket.create_server(("127.0.0.1", 0)) as registry:
        registry.settimeout(30)
        reference = f"127.0.0.1:{registry.getsockname()[1]}/app:1"
        with world.launcher({"tee-image-reference": reference}) as launcher, registry.accept()[0] as connection:
            assert connection.recv(16).startswith(b"GET /v2/")
            launcher.terminate()
            assert launcher.wait(STOP_BOUND_SECONDS) == FAILURE
            assert "the launch was broken off by a signal" in launcher.log_text
    assert nothing_is_left(world)
