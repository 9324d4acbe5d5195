"""What is measured (cases M)."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest
from cs_harness import HoldingVerifier, Image, Machine, Postbox, World, cel
from cs_harness.go_between import VERIFY
from support import (
    ALLOW_CMD,
    container_claims,
    program_image,
    push,
    shell_image,
    verified_claims,
)

FAILURE = 1


def measured(world: World, attributes: dict[str, str]) -> bytes:
    """Launch and return PCR 13."""
    with world.launcher(attributes) as launcher:
        assert launcher.wait() == 0, launcher.process.last_words()
    return world.pcr()


def test_no_two_commands_are_measured_alike(world: World) -> None:
    """Arguments can't be moved across the borders between them."""
    image = push(world.registry, program_image("/bin/true", cmd=["a"], labels=ALLOW_CMD))
    commands: list[list[str] | None] = [None, ["a"], [""], ["", ""], ["a b"], ["a", "b"]]
    values = {}
    for command in commands:
        attributes = {"tee-image-reference": image.by_digest}
        if command is not None:
            attributes["tee-cmd"] = json.dumps(command)
        values[measured(world, attributes)] = command
    assert len(values) == len(commands)


def test_the_order_of_the_input_does_not_matter(world: World) -> None:
    """However the metadata server orders the variables, the measurement is the same."""
    names = ["ALPHA", "BETA", "GAMMA", "DELTA", "_EPSILON", "zeta"]
    labels = {"tee.launch_policy.allow_env_override": ",".join(names)}
    image = push(world.registry, program_image("/bin/true", labels=labels, env=["PATH=/bin", "GAMMA=image"]))
    items = [("tee-image-reference", image.by_digest), *((f"tee-env-{name}", name.lower()) for name in names)]
    generator = random.Random(2)
    values = set()
    for _ in range(5):
        generator.shuffle(items)
        values.add(measured(world, dict(items)))
    assert len(values) == 1


@pytest.mark.parametrize("name", ["foo.bar", "foo-bar", "1st", "NAME\n"])
def test_an_env_name_that_no_verifier_would_accept(world: World, name: str) -> None:
    """The image is refused, by name, before anything has been measured."""
    image = push(world.registry, shell_image(env=["PATH=/bin", f"{name}=value"]))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        assert launcher.wait() == FAILURE
        assert name.strip() in launcher.log_text
    assert world.pcr() == bytes(32)


@pytest.mark.parametrize("name", ["foo.bar", "foo-bar", "", "1st"])
def test_an_env_name_of_the_operator(world: World, name: str) -> None:
    """Malformed names are refused when the metadata is read."""
    image = push(world.registry, shell_image())
    with world.launcher({"tee-image-reference": image.by_tag, f"tee-env-{name}": "x"}) as launcher:
        assert launcher.wait() == FAILURE
        assert "malformed env name" in launcher.log_text
    assert world.pcr() == bytes(32)


def test_values_with_equals_signs_duplicates_and_nothing(world: World, postbox: Postbox) -> None:
    """What the process gets, what is measured and what the token says are the same."""
    env = ["PATH=/bin", "TWICE=first", "EQUALS=b=c", "EMPTY=", "TWICE=second"]
    image = push(world.registry, shell_image(postbox.send('echo "$TWICE|$EQUALS|$EMPTY"'), env=env))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        token = launcher.wait_token()
        assert launcher.wait() == 0, launcher.process.last_words()
    claimed = container_claims(verified_claims(world, token))["env"]
    assert postbox.wait() == f"{claimed['TWICE']}|{claimed['EQUALS']}|{claimed['EMPTY']}"
    assert (claimed["EQUALS"], claimed["EMPTY"]) == ("b=c", "")


def test_a_config_of_the_wrong_media_type(world: World) -> None:
    """An image whose configuration is something else is refused, not measured in part."""
    image = Image(shell_image().layers, entrypoint=["/bin/true"], config_media_type="application/vnd.example+json")
    pushed = push(world.registry, image)
    with world.launcher({"tee-image-reference": pushed.by_tag}) as launcher:
        assert launcher.wait() == FAILURE
        assert "mediaType" in launcher.log_text
    assert world.pcr() == bytes(32)


def test_a_tag_that_moves_after_it_was_resolved(world: World, postbox: Postbox) -> None:
    """What runs is what was measured, though the tag now names another image."""
    first = push(world.registry, shell_image(postbox.send("echo first")), tag="moving")
    with world.launcher({"tee-image-reference": first.by_tag}) as launcher:
        token = launcher.wait_token()
        second = push(world.registry, shell_image(postbox.send("echo second")), tag="moving")
        claims = verified_claims(world, token)
        assert launcher.wait() == 0
    assert first.digest != second.digest
    assert container_claims(claims)["image_digest"] == first.digest
    assert postbox.wait() == "first"


def test_only_a_sha1_bank(world: World, folder: Path, postbox: Postbox) -> None:
    """SHA-1 alone proves nothing: refuse, and say so."""
    image = push(world.registry, shell_image(postbox.send("echo ran")))
    with Machine(folder / "sha1", world.metadata.instance, banks=["sha1"]) as machine:
        with world.launcher({"tee-image-reference": image.by_tag}, machine=machine, reboot=False) as launcher:
            assert launcher.wait() == FAILURE
            assert "bank" in launcher.log_text.lower()
        assert machine.tpm.read_pcrs("sha1", [cel.PCR])[cel.PCR] == bytes(20)
    assert postbox.messages == []


def test_no_sha256_bank(world: World, folder: Path, postbox: Postbox) -> None:
    """A TPM with SHA-384 alone is strong enough for the launcher; cs-verifier wants SHA-256 and says so."""
    image = push(world.registry, shell_image(postbox.send("echo ran")))
    with (
        Machine(
            folder / "sha384",
            world.metadata.instance,
            banks=["sha384"],
            authority_folder=world.machine.authority_folder,
        ) as machine,
        world.launcher({"tee-image-reference": image.by_tag}, machine=machine, reboot=False) as launcher,
    ):
        assert launcher.wait() == FAILURE
        assert "holds no quote of the sha256 bank" in launcher.log_text, launcher.log_text
    assert postbox.messages == []


def test_the_register_is_not_zero(world: World, postbox: Postbox) -> None:
    """Somebody has measured before us: refuse, name the PCR, and run nothing."""
    image = push(world.registry, shell_image(postbox.send("echo ran")))
    world.machine.reboot()
    world.machine.tpm.extend(cel.PCR, {"sha256": hashlib.sha256(b"somebody else").digest()})
    before = world.pcr()
    with world.launcher({"tee-image-reference": image.by_tag}, reboot=False) as launcher:
        assert launcher.wait() == FAILURE
        assert "PCR 13" in launcher.log_text
    assert world.pcr() == before
    assert postbox.messages == []


def test_a_second_launch_without_reboot_is_refused(world: World, postbox: Postbox) -> None:
    """The register still holds the first launch, so the second could not be told apart from it."""
    first = push(world.registry, shell_image())
    measured(world, {"tee-image-reference": first.by_tag})
    second = push(world.registry, shell_image(postbox.send("echo ran")), tag="second")
    with world.launcher({"tee-image-reference": second.by_tag}, reboot=False) as launcher:
        assert launcher.wait() != 0
        assert "PCR 13" in launcher.log_text
    assert postbox.messages == []


@pytest.mark.parametrize(("length", "code"), [(131069, 0), (131070, FAILURE)])
def test_a_variable_that_no_program_can_be_given(world: World, length: int, code: int) -> None:
    """The kernel takes 131,072 bytes with name, equals sign and NUL; what is longer is not measured."""
    image = push(world.registry, shell_image(labels={"tee.launch_policy.allow_env_override": "A"}))
    attributes = {"tee-image-reference": image.by_tag, "tee-env-A": "x" * length}
    with world.launcher(attributes) as launcher:
        assert launcher.wait() == code, launcher.process.last_words()
        refused = "tee-env-A: longer than the 131072 bytes that a program can be given" in launcher.log_text
        assert refused == (code == FAILURE)
    assert (world.pcr() == bytes(32)) == (code == FAILURE)


def test_the_longest_arguments_are_executed_and_told(world: World) -> None:
    """What is accepted has a token and runs; what no token could hold is not measured."""
    image = push(world.registry, program_image("/bin/true", labels=ALLOW_CMD))
    command = ["x" * 119_000] * 3  # as arguments and as what overrides them, in 720,896 bytes of claims
    attributes = {"tee-image-reference": image.by_tag, "tee-cmd": json.dumps(command)}
    with world.launcher(attributes) as launcher:
        assert launcher.wait() == 0, launcher.process.last_words()
        assert container_claims(verified_claims(world, launcher.token))["args"] == ["/bin/true", *command]
    attributes["tee-cmd"] = json.dumps([*command, "x" * 5_000])
    with world.launcher(attributes) as launcher:
        assert launcher.wait() == FAILURE
        assert "more than the 1048576 that are taken of one" in launcher.log_text
    assert world.pcr() == bytes(32)


def test_an_image_without_environment_gets_the_default_path(world: World) -> None:
    """As containerd's own client gives it; the program is found by it, and the token says so."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    image = push(world.registry, program_image("sh", "-c", "exit 0", env=[]))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        assert launcher.wait() == 0, launcher.process.last_words()
        env = container_claims(verified_claims(world, launcher.token))["env"]
    assert env == {"PATH": path, "HOSTNAME": world.metadata.instance.name}


def test_a_container_that_is_changed_before_its_start(world: World, postbox: Postbox) -> None:
    """Somebody at containerd's socket puts another one in its place once it has been measured: it does not run."""
    image = push(world.registry, shell_image(postbox.send("echo ran")))
    attributes = {"tee-image-reference": image.by_tag, "tee-restart-policy": "Always"}
    with (
        HoldingVerifier(world, VERIFY) as verifier,
        world.launcher(attributes, options={"--verifier": verifier.url}) as launcher,
    ):
        verifier.wait_held()
        launcher.wait_for("measured")
        spec = json.loads(world.containerd.ctr("containers", "info", "--spec", "tee-container"))
        spec["process"]["args"] = ["/bin/sh", "-c", postbox.send("echo something else")]
        changed = world.folder / "changed.json"
        changed.write_text(json.dumps(spec))
        record = json.loads(world.containerd.ctr("containers", "info", "tee-container"))
        world.containerd.ctr("containers", "delete", "--keep-snapshot", "tee-container")
        world.containerd.ctr("containers", "create", "--config", str(changed), "tee-container")
        assert record["SnapshotKey"]
        verifier.let_go()
        assert launcher.wait(60) == FAILURE, launcher.process.last_words()
        assert "was changed after it had been measured" in launcher.log_text
    assert postbox.messages == []


@pytest.mark.parametrize(
    "value",
    ["two\nlines", "tab\tand bell\a", "\u00e9\u4e2d\U0001f512", "a" * 100_000],
    ids=["lines", "control", "UTF-8", "long"],
)
def test_a_value_of_the_operator_arrives_as_it_is(world: World, postbox: Postbox, value: str) -> None:
    """In the process, in the event log and in the token."""
    labels = {"tee.launch_policy.allow_env_override": "VALUE"}
    image = push(world.registry, shell_image(postbox.send('printf %s "$VALUE"'), labels=labels))
    with world.launcher({"tee-image-reference": image.by_tag, "tee-env-VALUE": value}) as launcher:
        token = launcher.wait_token()
        assert launcher.wait(60) == 0, launcher.process.last_words()
    claims = container_claims(verified_claims(world, token))
    assert claims["env"]["VALUE"] == claims["env_override"]["VALUE"] == value
    assert postbox.wait() == value


@pytest.mark.parametrize(("value", "reason"), [("a\0b", "NUL"), ("a" * (1 << 20), "longer than")], ids=["NUL", "MiB"])
def test_a_value_that_no_process_can_have(world: World, value: str, reason: str) -> None:
    """It is refused by the variable's name, and the value is not shown."""
    labels = {"tee.launch_policy.allow_env_override": "VALUE"}
    image = push(world.registry, shell_image(labels=labels))
    with world.launcher({"tee-image-reference": image.by_tag, "tee-env-VALUE": value}) as launcher:
        assert launcher.wait(60) == FAILURE
        assert "VALUE" in launcher.log_text
        assert reason in launcher.log_text
        assert "aaaa" not in launcher.log_text
    assert world.pcr() == bytes(32)


def test_a_value_that_is_no_text(world: World, folder: Path) -> None:
    """Bytes that are not UTF-8 end the launch before anything is pulled."""
    document = folder / "metadata.json"
    document.write_bytes(b'{"tee-image-reference": "x.example/y", "tee-env-VALUE": "\xff\xfe"}')
    with world.launcher(metadata_file=document) as launcher:
        assert launcher.wait(60) == FAILURE
        assert "not valid JSON at byte 58" in launcher.log_text


def test_ten_thousand_variables(world: World, postbox: Postbox) -> None:
    """All of them arrive, are measured, and stand in the token."""
    env = [f"V{number}={number}" for number in range(10_000)]
    image = push(world.registry, shell_image(postbox.send("env | busybox grep -c ^V"), env=["PATH=/bin", *env]))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        token = launcher.wait_token(120)
        assert launcher.wait(60) == 0, launcher.process.last_words()
    claimed = container_claims(verified_claims(world, token))["env"]
    assert [claimed[f"V{number}"] for number in (0, 5_000, 9_999)] == ["0", "5000", "9999"]
    assert postbox.wait().strip() == "10000"
