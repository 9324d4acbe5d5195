"""EXPOSE (ExposedPorts): ports in the image's own ruleset, as long as the launcher lives."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import FirewalledNetwork, World
from support import ALLOW_CMD, STAY, push, shell_image

FAILURE = 1
CLOSED = [False, False]
OPEN = [True, True]
PORTS = ("80/tcp", "53/udp", "81/tcp", "53/tcp")


@pytest.fixture
def network() -> Iterator[FirewalledNetwork]:
    """Yield a network in which the inner machine answers on more ports than are exposed."""
    with FirewalledNetwork() as made:
        made.serve(*PORTS)
        yield made


def answers(network: FirewalledNetwork) -> dict[str, list[bool]]:
    """Return which ports answer, by IPv4 and IPv6."""
    return {port: network.call(port) for port in PORTS}


def test_exposed_ports_are_open_while_the_workload_runs(world: World, folder: Path, network: FirewalledNetwork) -> None:
    """These alone, by either protocol's version; `80` is 80/tcp."""
    image = push(world.registry, shell_image(STAY, exposed_ports=["80", "53/udp"]))
    helper = network.firewall(folder)
    assert answers(network) == dict.fromkeys(PORTS, CLOSED)
    with world.launcher({"tee-image-reference": image.by_tag}, options={"--firewall": helper.socket}) as launcher:
        launcher.wait_ready()
        assert launcher.wait_for("Exposed Ports:").fields["ports"] == "53/udp 80"
        assert answers(network) == {
            "80/tcp": OPEN,
            "53/udp": OPEN,
            "81/tcp": CLOSED,
            "53/tcp": CLOSED,
        }
        launcher.terminate()
        assert launcher.wait(60) == 0
    assert helper.process.wait(10) == 0
    assert "elements" not in network.open_ports()


def test_ports_are_closed_when_the_launcher_is_killed(world: World, folder: Path, network: FirewalledNetwork) -> None:
    """And when the helper is: its unit closes them."""
    image = push(world.registry, shell_image(STAY, exposed_ports=["80/tcp"]))
    helper = network.firewall(folder)
    with world.launcher({"tee-image-reference": image.by_tag}, options={"--firewall": helper.socket}) as launcher:
        launcher.wait_ready()
        assert network.call("80/tcp") == OPEN
        launcher.process.signal(signal.SIGKILL)
        launcher.wait(10)
    assert helper.process.wait(10) == 0
    assert network.call("80/tcp") == CLOSED

    second = network.firewall(folder)
    with world.launcher({"tee-image-reference": image.by_tag}, options={"--firewall": second.socket}) as launcher:
        launcher.wait_ready()
        second.process.signal(signal.SIGKILL)
        second.process.wait(10)
        assert network.call("80/tcp") == OPEN
        network.close_ports()
        assert network.call("80/tcp") == CLOSED
        launcher.wait_for("the firewall's helper has gone, and the workload's ports are closed")
        launcher.terminate()
        assert launcher.wait(60) == 0


def test_no_port_is_opened_for_a_launch_that_is_refused(world: World, folder: Path, network: FirewalledNetwork) -> None:
    """The policy is checked before, and all that is wrong with an image is said at once."""
    image = push(world.registry, shell_image(exposed_ports=["80/tcp"]))
    helper = network.firewall(folder)
    with world.launcher(
        {"tee-image-reference": image.by_tag, "tee-cmd": '["x"]'},
        options={"--firewall": helper.socket},
    ) as launcher:
        assert launcher.wait(60) == FAILURE
        assert "CMD is not allowed to be overridden on this image" in launcher.log_text
    assert not any("ports are open" in line for line in helper.process.lines)
    wrong = push(
        world.registry,
        shell_image(
            exposed_ports=["80/sctp", "0/tcp"],
            labels={**ALLOW_CMD, "tee.launch_policy.log_redirect": "x"},
        ),
    )
    with world.launcher({"tee-image-reference": wrong.by_tag}, options={"--firewall": helper.socket}) as launcher:
        assert launcher.wait(60) == FAILURE
        for words in (
            "failed to parse image Launch Policy",
            "tee.launch_policy.log_redirect",
            "EXPOSE: received unknown protocol: got sctp, expected tcp or udp",
            "EXPOSE: received invalid port number: got 0",
        ):
            assert words in launcher.log_text
    assert not helper.mark.exists()


def test_a_second_request_of_one_boot_is_refused(world: World, folder: Path, network: FirewalledNetwork) -> None:
    """The launch ends with the helper's own words, and nothing is opened."""
    image = push(world.registry, shell_image(exposed_ports=["80/tcp"]))
    helper = network.firewall(folder)
    helper.mark.touch()
    with world.launcher({"tee-image-reference": image.by_tag}, options={"--firewall": helper.socket}) as launcher:
        assert launcher.wait(60) == FAILURE
        assert (
            "failed to open the ports 80/tcp: ports have been opened once since this machine was started"
            in launcher.log_text
        )
    assert network.call("80/tcp") == CLOSED


def test_an_image_without_ports_leaves_nothing_to_ask_for(
    world: World, folder: Path, network: FirewalledNetwork
) -> None:
    """Whoever takes a launcher over that had no ports to open finds the door closed all the same."""
    helper = network.firewall(folder)
    image = push(world.registry, shell_image())
    with world.launcher({"tee-image-reference": image.by_tag}, options={"--firewall": helper.socket}) as launcher:
        assert launcher.wait(60) == 0
    assert helper.process.wait(10) == 0
    assert helper.mark.exists()
    assert network.call("80/tcp") == CLOSED


def test_a_launch_that_fails_before_it_has_measured_has_asked_for_nothing(
    world: World, folder: Path, network: FirewalledNetwork
) -> None:
    """The next one of the same boot may ask."""
    helper = network.firewall(folder)
    image = push(world.registry, shell_image(exposed_ports=["80/tcp"]))
    options = {"--firewall": helper.socket, "--verifier": "http://127.0.0.1:9"}
    with world.launcher({"tee-image-reference": image.by_tag}, options=options) as launcher:
        assert launcher.wait(60) == FAILURE
    assert not helper.mark.exists()


def test_a_machine_without_a_helper_is_left_as_it_is(world: World, folder: Path) -> None:
    """The workload runs, and a warning says that nobody opens its ports."""
    image = push(world.registry, shell_image(exposed_ports=["80/tcp"]))
    with world.launcher({"tee-image-reference": image.by_tag}, options={"--firewall": folder / "socket"}) as launcher:
        assert launcher.wait_for("no port is opened").fields["ports"] == "80/tcp"
        assert launcher.wait(60) == 0
