"""The launcher as a service of a machine that is still starting: what it waits for, what it checks, whom it tells."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from cs_harness import GoBetween, World
from cs_harness.go_between import CHALLENGES
from support import STAY, push, shell_image

SUCCESS, FAILURE, REBOOT = 0, 1, 3
WAIT = {"--wait": "60"}


@contextlib.contextmanager
def without_metadata_server(world: World) -> Iterator[None]:
    """Take the metadata server away for a while."""
    world.metadata.stop()
    try:
        yield
    finally:
        world.metadata.start()


@contextlib.contextmanager
def without_verifier(world: World) -> Iterator[None]:
    """Take the verifier away for a while."""
    world.verifier.stop()
    try:
        yield
    finally:
        world.verifier.start()


def test_a_metadata_server_that_comes_late_is_waited_for(world: World) -> None:
    """The launcher may be faster than the machine's network."""
    image = push(world.registry, shell_image())
    with contextlib.ExitStack() as stack:
        absence = stack.enter_context(contextlib.ExitStack())
        absence.enter_context(without_metadata_server(world))
        launcher = stack.enter_context(world.launcher({"tee-image-reference": image.by_tag}, options=WAIT))
        waiting = launcher.wait_for("waiting for the metadata server")
        assert waiting.level == "WARN"
        assert waiting.fields["wait_sec"] == "60"
        assert waiting.fields["waited_sec"].isdigit()
        absence.close()
        there = launcher.wait_for("the metadata server is there")
        assert there.level == "INFO"
        assert there.fields["waited_sec"].isdigit()
        assert launcher.wait() == SUCCESS, launcher.process.last_words()


def test_a_verifier_that_comes_late_is_waited_for(world: World) -> None:
    """The same for the attestation service."""
    image = push(world.registry, shell_image())
    with contextlib.ExitStack() as stack:
        absence = stack.enter_context(contextlib.ExitStack())
        absence.enter_context(without_verifier(world))
        launcher = stack.enter_context(world.launcher({"tee-image-reference": image.by_tag}, options=WAIT))
        waiting = launcher.wait_for("waiting for the verifier")
        assert waiting.level == "WARN"
        absence.close()
        launcher.wait_for("the verifier is there")
        assert launcher.wait() == SUCCESS, launcher.process.last_words()


@pytest.mark.parametrize("service", ["metadata server", "verifier"])
def test_a_wait_has_an_end(world: World, service: str) -> None:
    """Past the bound the reason for the last failure is the launch's."""
    image = push(world.registry, shell_image())
    absence = without_verifier(world) if service == "verifier" else without_metadata_server(world)
    with absence, world.launcher({"tee-image-reference": image.by_tag}, options={"--wait": "1"}) as launcher:
        launcher.wait_for(f"waiting for the {service}")
        assert launcher.wait() == FAILURE
        assert f"{service}: not reached within 1 s: " in launcher.log_text
        assert "connecting to" in launcher.log_text or "no answer" in launcher.log_text


def test_a_signal_ends_a_wait_at_once(world: World) -> None:
    """Nobody has to sit out a wait."""
    image = push(world.registry, shell_image())
    with (
        without_metadata_server(world),
        world.launcher({"tee-image-reference": image.by_tag}, options=WAIT) as launcher,
    ):
        launcher.wait_for("waiting for the metadata server")
        launcher.terminate()
        assert launcher.wait() == FAILURE
        assert "the launch was broken off by a signal" in launcher.log_text
        assert "not reached within" not in launcher.log_text


def test_a_certificate_that_is_not_trusted_is_not_waited_out(world: World) -> None:
    """A wrong root certificate stays wrong."""
    image = push(world.registry, shell_image())
    options = {**WAIT, "--verifier-ca": world.machine.attestation_root}
    with world.launcher({"tee-image-reference": image.by_tag}, options=options) as launcher:
        assert launcher.wait() == FAILURE
        assert "waiting for the verifier" not in launcher.log_text
        assert "TLS with" in launcher.log_text


def test_a_machine_that_is_not_a_hardened_image_is_refused(world: World) -> None:
    """Where the tests run, the root is an ordinary disk: with --check-machine that is a reason to reboot."""
    image = push(world.registry, shell_image())
    with world.launcher({"tee-image-reference": image.by_tag}, flags=["--check-machine"]) as launcher:
        assert launcher.wait() == REBOOT
        errors = [line.message for line in launcher.log if line.level == "ERROR"]
        assert len(errors) == 1
        assert errors[0].startswith("failed to verify disk integrity: ")
        assert "connected to containerd" not in launcher.log_text


def test_the_service_manager_is_told_each_step(world: World) -> None:
    """`systemctl status` shows what the launcher is doing, and the watchdog sees that it is alive."""
    image = push(world.registry, shell_image())
    path = world.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(10)
        env = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "200000"}
        with world.launcher({"tee-image-reference": image.by_tag}, env=env) as launcher:
            messages = []
            while not messages or messages[-1] != "STOPPING=1":
                messages.append(systemd.recv(4096).decode())
            assert launcher.wait() == SUCCESS, launcher.process.last_words()
    assert messages.count("READY=1") == 1
    assert "WATCHDOG=1" in messages
    steps = [message.removeprefix("STATUS=") for message in messages if message.startswith("STATUS=")]
    assert steps[0] == "reading the launch specification"
    assert f"pulling {image.by_tag}" in steps
    assert steps[-2:] == ["the workload runs", "cleaning up"]


def test_options_come_from_credentials(world: World, tmp_path: Path) -> None:
    """A machine's builder, or its hypervisor, may hand options over as credentials of the service."""
    image = push(world.registry, shell_image())
    (tmp_path / "cs-launcher.conf").write_text('verifier = "https://127.0.0.1:9"\nwait = 0\n')
    (tmp_path / "cs-launcher.verifier-ca").write_bytes(world.authority.certificate.read_bytes())
    attributes, env = {"tee-image-reference": image.by_tag}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    with world.launcher(attributes, env=env, options={"--verifier-ca": None}) as launcher:
        assert launcher.wait() == SUCCESS, launcher.process.last_words()  # the command line's --verifier counts
    with world.launcher(attributes, env=env, options={"--verifier": None}) as launcher:
        assert launcher.wait() == FAILURE
        assert "https://127.0.0.1:9" in launcher.log_text


USER = 4711
CAPABILITIES = "+sys_admin,+dac_read_search"
AS_USER = [
    "setpriv",
    f"--reuid={USER}",
    f"--regid={USER}",
    "--clear-groups",
    f"--inh-caps=-all,{CAPABILITIES}",
    f"--ambient-caps=-all,{CAPABILITIES}",
    f"--bounding-set=-all,{CAPABILITIES}",
]


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_a_launch_as_a_user_with_two_capabilities(world: World) -> None:
    """The service need not be root: CAP_SYS_ADMIN mounts the image, CAP_DAC_READ_SEARCH reads it and the boot log.

    The sockets of containerd and the TPM are that user's, as the machine's groups make them.
    """
    image = push(world.registry, shell_image(STAY, more_layers=[]))
    runtime = world.folder / "runtime-of-user"
    runtime.mkdir(mode=0o755)
    os.chown(runtime, USER, USER)
    boot_log = world.folder / "boot-log-of-root"
    boot_log.write_bytes(world.machine.boot_log.read_bytes())
    boot_log.chmod(0o440)
    launcher = world.launcher(
        {"tee-image-reference": image.by_tag},
        runtime_directory=runtime,
        options={"--boot-log": boot_log},
        wrapper=AS_USER,
    )
    sockets = [world.containerd.socket, *world.machine.tpm.sockets]
    for path in sockets:
        os.chown(path, USER, USER)
    try:
        with launcher:
            launcher.wait_ready()
            status = Path(f"/proc/{launcher.process.pid}/status").read_text()
            assert f"Uid:\t{USER}\t{USER}" in status
            assert launcher.tee.request().status == HTTPStatus.OK
            launcher.terminate()
            assert launcher.wait() == SUCCESS, launcher.process.last_words()
            assert "stays mounted" not in launcher.log_text
    finally:
        for path in sockets:
            os.chown(path, 0, 0)


@pytest.mark.parametrize(
    ("path", "answer", "word"),
    [
        ("instance/service-accounts/default/identity", "ey\udcff.a.b", "identity token"),
        ("instance/service-accounts/default/identity", "x" * 20000, "identity token"),
        ("instance/name", "vm\udcff", "instance/name"),
        ("instance/zone", "projects/1/zones/..", "instance/zone"),
        ("project/project-id", "a\r\nb", "project/project-id"),
    ],
)
def test_what_the_metadata_server_says_is_no_panic(world: World, path: str, answer: str, word: str) -> None:
    """A value that is no name or token ends the launch with an error that names it, and nothing is left."""
    image = push(world.registry, shell_image())
    world.metadata.overrides = {path: answer}
    try:
        with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
            assert launcher.wait() == FAILURE, launcher.process.last_words()
            assert word in next(line for line in launcher.log if line.level == "ERROR").message
            assert "Panic" not in launcher.log_text
    finally:
        world.metadata.overrides = {}
    assert world.containerd.containers() == []
    assert world.containerd.snapshots() == []


def test_a_machine_whose_name_can_not_be_had_starts_anew_where_the_policy_says_so(world: World) -> None:
    """As on the public system: the metadata server may do better then."""
    image = push(world.registry, shell_image())
    world.metadata.overrides = {"instance/name": "vm\udcff"}
    attributes = {"tee-image-reference": image.by_tag, "tee-restart-policy": "OnFailure"}
    try:
        with world.launcher(attributes) as launcher:
            assert launcher.wait() == REBOOT, launcher.process.last_words()
            assert "cannot get hostname: " in launcher.log_text
    finally:
        world.metadata.overrides = {}


def test_a_mistyped_attribute_is_warned_about(world: World) -> None:
    """The launch goes on without it, as the cloud puts attributes of its own there."""
    image = push(world.registry, shell_image())
    attributes = {"tee-image-reference": image.by_tag, "tee-restartpolicy": "Always", "ssh-keys": "a:ssh-rsa AAAA"}
    with world.launcher(attributes) as launcher:
        assert launcher.wait() == SUCCESS, launcher.process.last_words()
        (warning,) = [line for line in launcher.log if line.message.startswith("an attribute is not known")]
    assert warning.level == "WARN"
    assert warning.fields["attribute"] == "tee-restartpolicy"
    assert warning.fields["did_you_mean"] == "tee-restart-policy"


@pytest.mark.parametrize(
    ("option", "value"),
    [("--containerd", "run/containerd.sock"), ("--verifier", "verifier.example"), ("--verifier-ca", "/no/such/file")],
)
def test_a_wrong_option_is_no_panic(world: World, option: str, value: str) -> None:
    """It is named before the log begins."""
    with world.launcher({}, options={option: value}) as launcher:
        assert launcher.wait() > 100
        assert option in launcher.log_text
        assert "level=" not in launcher.log_text


def test_tracing_of_a_library_prints_no_values(world: World) -> None:
    """Values of variables are in no log, whatever the environment asks libraries to print."""
    image = push(world.registry, shell_image(labels={"tee.launch_policy.allow_env_override": "A"}))
    attributes = {"tee-image-reference": image.by_tag, "tee-env-A": "canary-in-the-trace"}
    env = {"GRPC_TRACE": "all", "GRPC_VERBOSITY": "DEBUG"}
    with world.launcher(attributes, env=env) as launcher:
        assert launcher.wait() == SUCCESS, launcher.process.last_words()
        assert "canary-in-the-trace" not in launcher.log_text
        assert all(line.level for line in launcher.log), "lines that are not the launcher's"


class BusyVerifier(GoBetween):
    """Stands before the verifier, and refuses the first requests for a challenge."""

    def __init__(self, world: World, status: int, refusals: int) -> None:
        super().__init__(world)
        self.refused = 0
        self._status = status
        self._refusals = refusals

    def on_request(self, path: str, body: bytes) -> bytes | int:
        """Refuse, or pass it on."""
        if not path.endswith(CHALLENGES) or self.refused == self._refusals:
            return body
        self.refused += 1
        return self._status


@pytest.mark.parametrize("status", [429, 503])
def test_a_verifier_that_is_busy_with_the_first_challenge_is_waited_for(world: World, status: int) -> None:
    """Everything has been measured by then; to give up would cost a reboot."""
    image = push(world.registry, shell_image())
    refusals = 4  # one more than is tried without a wait
    with BusyVerifier(world, status, refusals) as verifier:
        options = {**WAIT, "--verifier": verifier.url}
        with world.launcher({"tee-image-reference": image.by_tag}, options=options) as launcher:
            assert launcher.wait(60) == SUCCESS, launcher.process.last_words()
        assert verifier.refused == refusals
