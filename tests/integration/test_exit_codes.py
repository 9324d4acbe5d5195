"""The exit code decides what becomes of the VM (contract 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from cs_harness import World
from support import STAY, push, shell_image

SUCCESS, FAILURE, REBOOT, HOLD = 0, 1, 3, 4
EXIT_MESSAGES = {
    SUCCESS: "workload finished successfully, shutting down the VM",
    FAILURE: "workload or launcher error, shutting down the VM",
    REBOOT: "rebooting VM",
    HOLD: "VM remains running",
}
WORKLOAD_FAILED = ("workload task ended and returned non-zero", "workload finished with a non-zero return code")


def launch(
    world: World, attributes: dict[str, str], *, hardened: bool, errors: Sequence[str] = (), **options: str | Path
) -> int:
    """Launch to the end and return the exit code; the log's errors say `errors`, its last line explains the code."""
    settings = {f"--{name.replace('_', '-')}": value for name, value in options.items()}
    with world.launcher(attributes, hardened=hardened, options=settings) as launcher:
        code = launcher.wait()
        last = [line for line in launcher.log if line.message == "TEE container launcher exiting"]
        assert len(last) == 1, launcher.process.last_words()
        assert last[0].fields["exit_code"] == str(code)
        assert last[0].fields["exit_msg"] == EXIT_MESSAGES[code]
        logged = [line.message for line in launcher.log if line.level == "ERROR"]
        assert len(logged) == len(errors), logged
        assert all(expected in message for expected, message in zip(errors, logged, strict=True)), logged
    return code


@pytest.mark.parametrize(
    ("policy", "status", "code"),
    [
        ("Never", 0, SUCCESS),
        ("OnFailure", 0, SUCCESS),
        ("Always", 0, REBOOT),
        ("Never", 1, FAILURE),
        ("OnFailure", 1, REBOOT),
        ("Always", 1, REBOOT),
        ("Never", 137, FAILURE),
        ("OnFailure", 137, REBOOT),
        ("Always", 137, REBOOT),
    ],
)
def test_a_hardened_image_obeys_the_restart_policy(world: World, policy: str, status: int, code: int) -> None:
    """Whether the VM reboots depends on the workload's end and the operator's policy."""
    image = push(world.registry, shell_image(f"exit {status}"), tag=f"exit-{status}")
    attributes = {"tee-image-reference": image.by_tag, "tee-restart-policy": policy}
    assert launch(world, attributes, hardened=True, errors=WORKLOAD_FAILED if status else ()) == code


def test_a_workload_that_a_signal_ends_has_failed(world: World) -> None:
    """Killed is not finished."""
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        launcher.wait_ready()
        world.containerd.ctr("tasks", "kill", "--signal", "SIGKILL", "tee-container")
        assert launcher.wait() == FAILURE
        assert "workload task ended and returned non-zero" in launcher.log_text


@pytest.mark.parametrize("status", [0, 1, 137])
def test_a_debug_image_stays_up(world: World, status: int) -> None:
    """On the debug image the VM stays up whatever the workload does."""
    image = push(world.registry, shell_image(f"exit {status}"), tag=f"exit-{status}")
    attributes = {"tee-image-reference": image.by_tag, "tee-restart-policy": "Always"}
    assert launch(world, attributes, hardened=False, errors=WORKLOAD_FAILED if status else ()) == HOLD


@pytest.mark.parametrize(("hardened", "code"), [(True, FAILURE), (False, HOLD)])
def test_a_policy_violation_is_never_retried(world: World, hardened: bool, code: int) -> None:
    """Rebooting would not change what the image's author allows."""
    image = push(world.registry, shell_image())
    attributes = {"tee-image-reference": image.by_tag, "tee-restart-policy": "Always", "tee-cmd": '["x"]'}
    assert launch(world, attributes, hardened=hardened, errors=["CMD is not allowed to be overridden"]) == code


@pytest.mark.parametrize(("hardened", "code"), [(True, FAILURE), (False, HOLD)])
def test_an_image_that_is_not_there_is_a_failure(world: World, hardened: bool, code: int) -> None:
    """A pull that fails ends the launch, whatever the restart policy."""
    name = f"{world.registry.address}/no-such-image:1"
    attributes = {"tee-image-reference": name, "tee-restart-policy": "Always"}
    reason = f"cannot pull the image: {name}: the registry answered 404 (MANIFEST_UNKNOWN)"
    assert launch(world, attributes, hardened=hardened, errors=[reason]) == code


@pytest.mark.parametrize("hardened", [True, False])
@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({}, "tee-image-reference is not specified"),
        (
            {"tee-image-reference": "x.example/y", "tee-restart-policy": "sometimes"},
            "tee-restart-policy: invalid restart policy: sometimes",
        ),
    ],
    ids=["no image reference", "bad restart policy"],
)
def test_bad_metadata_ends_the_launch_on_any_image(
    world: World, hardened: bool, attributes: dict[str, str], reason: str
) -> None:
    """Metadata is read before the launcher knows what to do about errors, so the code is 1 on debug images too."""
    assert launch(world, attributes, hardened=hardened, errors=[f"failed to get launchspec: {reason}"]) == FAILURE


@pytest.mark.parametrize("hardened", [True, False])
def test_a_tpm_that_is_absent_means_reboot(world: World, hardened: bool) -> None:
    """The TPM can't be opened: reboot, on any image."""
    image = push(world.registry, shell_image())
    missing = f"swtpm:path={world.folder / 'no-such.sock'}"
    reason = f"failed to open TPM device: {missing}"
    attributes = {"tee-image-reference": image.by_tag}
    assert launch(world, attributes, hardened=hardened, errors=[reason], tcti=missing) == REBOOT


@pytest.mark.parametrize(("policy", "code"), [("Never", FAILURE), ("OnFailure", REBOOT), ("Always", REBOOT)])
def test_containerd_that_is_absent_may_be_retried(world: World, policy: str, code: int) -> None:
    """A containerd that does not answer may answer after a reboot, if the operator wants one."""
    image = push(world.registry, shell_image())
    attributes = {"tee-image-reference": image.by_tag, "tee-restart-policy": policy}
    socket = world.folder / "no-such.sock"
    reason = f"unix:{socket}: No such file or directory"
    assert launch(world, attributes, hardened=True, errors=[reason], containerd=socket) == code
