"""The good launch, seen from every side: the workload, the TPM, the token and the log."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cs_harness import Image, Postbox, World, cel
from support import (
    ALLOW_CMD,
    STAY,
    container_claims,
    nothing_is_left,
    push,
    shell_image,
    verified_claims,
)


def write_metadata_file(world: World, attributes: dict[str, str]) -> Path:
    """Write the attributes that the metadata server would have served to a file."""
    path = world.folder / "metadata.json"
    path.write_text(json.dumps(attributes))
    return path


@pytest.mark.parametrize("source", ["metadata server", "metadata file"])
@pytest.mark.parametrize("reference", ["tag", "digest"])
def test_a_launch_from_metadata_to_exit(world: World, postbox: Postbox, source: str, reference: str) -> None:
    """The workload runs with the arguments and environment that the token tells of, and PCR 13 says the same."""
    script = postbox.send('id -u; echo "$GREETING"; hostname 2>/dev/null; echo "$HOSTNAME"')
    image = push(world.registry, shell_image(script, env=["PATH=/bin", "GREETING=hello"]))
    name = image.by_tag if reference == "tag" else image.by_digest
    attributes = {"tee-image-reference": name}
    file = write_metadata_file(world, attributes) if source == "metadata file" else None
    with world.launcher(attributes, metadata_file=file) as launcher:
        token = launcher.wait_token()
        code = launcher.wait()
        assert code == 0, launcher.process.last_words()
        log = launcher.log_text

    assert postbox.wait().split("\n")[:2] == ["0", "hello"]
    claims = verified_claims(world, token)
    container = container_claims(claims)
    accounts = [world.metadata.instance.service_account] if file is None else []
    assert claims.get("google_service_accounts", []) == accounts
    assert container["image_digest"] == image.digest
    assert container["image_id"] == image.config_digest
    assert container["image_reference"] == name
    assert container["restart_policy"] == "Never"
    assert container["args"] == ["/bin/sh", "-c", script]
    assert container["env"]["GREETING"] == "hello"
    assert not container.get("cmd_override")
    assert not container.get("env_override")
    env = [f"{key}={container['env'][key]}" for key in ("PATH", "GREETING", "HOSTNAME")]
    events = cel.expected_events(
        reference=name,
        digest=image.digest,
        config_digest=image.config_digest,
        args=container["args"],
        env=env,
    )
    for bank in ("sha256", "sha384"):
        assert world.pcr(bank) == cel.replay(events, bank)

    for message in (
        "TEE container launcher initiating",
        "workload task started",
        "workload task ended and returned 0",
        "TEE container launcher exiting",
    ):
        assert message in log
    assert "hello" not in log, "values of environment variables don't belong in the log"


def test_the_token_names_machine_and_vm_image(world: World) -> None:
    """Claims about everything but the container, as contract 5 lists them."""
    image = push(world.registry, shell_image())
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        token = launcher.wait_token()
        assert launcher.wait() == 0
    claims = verified_claims(world, token)
    instance = world.metadata.instance
    assert claims["swname"] == "CONFIDENTIAL_SPACE"
    assert claims["swversion"] == ["260100"]
    assert claims["dbgstat"] == "disabled-since-boot"
    assert claims["secboot"] is True
    assert claims["oemid"] == 11129
    assert claims["nbf"] == claims["iat"]
    assert claims["exp"] == claims["iat"] + 3600
    assert "eat_nonce" not in claims
    path = f"projects/{instance.project_id}/zones/{instance.zone}/instances/{instance.name}"
    assert claims["sub"] == f"https://www.googleapis.com/compute/v1/{path}"
    assert claims["submods"]["gce"] == {
        "zone": instance.zone,
        "project_id": instance.project_id,
        "project_number": str(instance.project_number),
        "instance_name": instance.name,
        "instance_id": str(instance.id),
    }
    assert claims["submods"]["confidential_space"]["support_attributes"] == ["LATEST", "STABLE", "USABLE"]
    assert claims["submods"]["confidential_space"]["monitoring_enabled"] == {"memory": False}
    assert claims["google_service_accounts"] == [instance.service_account]


def test_overrides_reach_the_workload_and_the_token(world: World, postbox: Postbox) -> None:
    """Arguments and variables of the operator, where the image allows them."""
    labels = {**ALLOW_CMD, "tee.launch_policy.allow_env_override": "GREETING,OTHER"}
    image = Image(
        shell_image().layers,
        entrypoint=["/bin/sh", "-c"],
        cmd=["exit 1"],
        env=["PATH=/bin", "GREETING=image"],
        labels=labels,
    )
    pushed = push(world.registry, image)
    script = postbox.send('echo "$GREETING $OTHER"')
    attributes = {
        "tee-image-reference": pushed.by_tag,
        "tee-cmd": json.dumps([script]),
        "tee-env-GREETING": "operator",
        "tee-env-OTHER": "a=b=c",
    }
    with world.launcher(attributes) as launcher:
        token = launcher.wait_token()
        assert launcher.wait() == 0, launcher.process.last_words()
    assert postbox.wait() == "operator a=b=c"
    container = container_claims(verified_claims(world, token))
    assert container["cmd_override"] == [script]
    assert container["env_override"] == {"GREETING": "operator", "OTHER": "a=b=c"}
    assert container["args"] == ["/bin/sh", "-c", script]


def test_the_files_that_the_workload_is_given(world: World, postbox: Postbox) -> None:
    """Token and socket are there, may be used by anyone, and can't be changed from inside (contract 3.5)."""
    directory = "/run/container_launcher"
    checks = "; ".join(
        [
            f"cat {directory}/attestation_verifier_claims_token | wc -c",
            f"[ -S {directory}/teeserver.sock ] && echo socket",
            f"echo x > {directory}/attestation_verifier_claims_token && echo written",
            f"echo x > {directory}/new && echo created",
            f"mv {directory}/teeserver.sock {directory}/other && echo moved",
        ]
    )
    script = postbox.send(f"({checks}) 2>/dev/null") + f"; {STAY}"
    image = push(
        world.registry, shell_image(script.replace("wc -c", "/bin/busybox wc -c").replace("mv ", "/bin/busybox mv "))
    )
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        launcher.wait_ready()
        length, *rest = postbox.wait().split()
        assert int(length) == len(launcher.token)
        assert rest == ["socket"]
        assert stat.S_IMODE(launcher.token_file.stat().st_mode) == 0o644
        assert stat.S_IMODE(launcher.socket.stat().st_mode) == 0o777
        names = {path.name for path in launcher.runtime_directory.iterdir()}
        assert not {name for name in names if "tmp" in name}


def test_a_user_of_the_image_may_use_the_socket(world: World, postbox: Postbox) -> None:
    """The image's USER is honoured, and a program that is not root reads the token."""
    file = "/run/container_launcher/attestation_verifier_claims_token"
    script = postbox.send(f"id -u; id -g; [ -r {file} ] && echo readable")
    image = push(world.registry, shell_image(script, user="workload"))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        assert launcher.wait() == 0, launcher.process.last_words()
    assert postbox.wait().split() == ["1000", "1000", "readable"]


def test_nothing_is_left_after_a_launch(world: World) -> None:
    """Container and snapshot are gone, and so is the socket."""
    image = push(world.registry, shell_image())
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        assert launcher.wait() == 0
        assert not launcher.socket.exists()
    assert nothing_is_left(world)


def test_the_next_launch_takes_over_what_a_killed_one_left(world: World) -> None:
    """After kill -9 the workload still runs; the next start removes it and goes its way."""
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        launcher.wait_ready()
        launcher.process.signal(9)
        launcher.wait()
    assert world.containerd.containers() == ["tee-container"]
    done = push(world.registry, shell_image(), tag="done")
    with world.launcher({"tee-image-reference": done.by_tag}) as launcher:
        assert launcher.wait() == 0, launcher.process.last_words()


def test_a_launch_that_is_refused_removes_what_a_killed_one_left(world: World) -> None:
    """PCR 13 is used up until the next boot, so there is no second launch; but nothing may run on without a launcher."""
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        launcher.wait_ready()
        launcher.process.signal(9)
        launcher.wait()
    assert world.containerd.containers() == ["tee-container"]
    with world.launcher({"tee-image-reference": image.by_tag}, reboot=False) as launcher:
        assert launcher.wait() == 1, launcher.process.last_words()
        errors = [line.message for line in launcher.log if line.level == "ERROR"]
    assert len(errors) == 1
    assert "PCR 13 of bank" in errors[0]
    assert nothing_is_left(world)
    assert "tee-container" not in world.containerd.ctr("tasks", "list")


def test_a_containerd_that_is_absent_is_no_second_error(world: World) -> None:
    """The first error is the one that counts."""
    with world.launcher({}, options={"--containerd": world.folder / "no-such.sock"}) as launcher:
        assert launcher.wait() == 1
        errors = [line.message for line in launcher.log if line.level == "ERROR"]
    assert errors == ["failed to get launchspec: tee-image-reference is not specified in the custom metadata"]


def test_a_debug_image_relays_sigterm(world: World, postbox: Postbox) -> None:
    """On the debug image SIGTERM goes to the workload, which ends in order."""
    image = push(world.registry, shell_image(f"trap 'exit 0' TERM; {postbox.send('echo up')}; {STAY}"))
    with world.launcher({"tee-image-reference": image.by_tag}, hardened=False) as launcher:
        postbox.wait()
        launcher.terminate()
        assert launcher.wait() == 4
        assert "workload task ended and returned 0" in launcher.log_text


def test_nobody_but_google_is_given_the_access_token(world: World) -> None:
    """For another registry and another verifier the metadata server is not even asked for it."""
    image = push(world.registry, shell_image())
    world.metadata.requests.clear()
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        assert launcher.wait(60) == 0, launcher.process.last_words()
    asked = [path for path in world.metadata.requests if path.startswith("/computeMetadata/v1/instance/service-accounts")]
    assert asked, "an ID token at least"
    assert all("/identity?" in path for path in asked), asked
