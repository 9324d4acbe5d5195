"""csctl image: what an author should know before an image is shipped."""

from __future__ import annotations

import json
from pathlib import Path

from cs_harness.cosign import SigningKey, push_simple_signatures, simple_signing_payload
from cs_harness.csctl import CANNOT_TELL, NO, WRONG_USE, YES, Answer, csctl
from cs_harness.images import Image, digest_of, index_of
from machine import Launched
from support import program_image, push

POLICY = "tee.launch_policy."


def check(machine: Launched, image: Image, *more: str) -> Answer:
    """Push an image, and have it checked."""
    return csctl("image", "check", push(machine.world.registry, image, "checked").by_tag, *more)


def found(answer: Answer, kind: str) -> list[str]:
    """Return the errors or the warnings."""
    return [row[1] for row in answer.rows if row[0] == kind]


def test_an_image_without_a_fault(machine: Launched) -> None:
    """Is described, and nothing is said against it."""
    image = program_image("/bin/true", user="1000", env=["GREETING=hello"], labels={f"{POLICY}allow_env_override": "LANG"})
    answer = check(machine, image)
    assert (answer.code, answer.rows[-1]) == (YES, ["it can be launched"])
    assert found(answer, "error") == found(answer, "warning") == []
    document = check(machine, image, "--json").json
    assert document["launches"] is True
    described = document["image"]
    pushed = push(machine.world.registry, image, "checked")
    assert described["digest"] == pushed.digest
    assert described["entrypoint"] == ["/bin/true"] and described["env"] == ["GREETING"]
    assert described["operator_may"]["AllowedEnvOverride"] == ["LANG"]
    assert described["compressed_bytes"] > 0 and described["layers"] == 1
    assert "hello" not in answer.text


def test_what_ends_every_launch_is_an_error(machine: Launched) -> None:
    """All of it is told."""
    image = Image(
        program_image().layers,
        env=["a-b=c"],
        labels={f"{POLICY}allow_cmd_override": "perhaps", f"{POLICY}log_redirect": "sometimes"},
    )
    answer = check(machine, image)
    assert answer.code == NO and answer.rows[-1] == ["it can't be launched"]
    labels, nothing_to_run, name = found(answer, "error")
    assert "allow_cmd_override" in labels and "log_redirect" in labels
    assert "a-b" in name
    assert "run" in nothing_to_run or "ENTRYPOINT" in nothing_to_run.upper()


def test_what_an_author_may_not_have_meant_is_a_warning(machine: Launched) -> None:
    """It launches."""
    labels = {
        "allow_env_overide": "GREETING",
        "allow_env_override": "LD_PRELOAD,LANG",
        "log_redirect": "always",
        "allow_capabilities": "true",
    }
    image = program_image("/bin/true", env=["DB_PASSWORD=x"], labels={POLICY + name: text for name, text in labels.items()})
    answer = check(machine, image)
    assert answer.code == YES
    warnings = "\n".join(found(answer, "warning"))
    for words in (
        f"label {POLICY}allow_env_overide: there is no such label",
        "the operator may set LD_PRELOAD",
        "may read the output",
        "may add capabilities",
        "runs as root",
        "ENV DB_PASSWORD: its value stands in every token",
    ):
        assert words in warnings
    assert len(warnings.splitlines()) == len(labels) + 2


def test_a_command_that_no_launch_goes_with(machine: Launched) -> None:
    """The operator would choose the program."""
    image = Image(program_image().layers, cmd=["/bin/true"], user="1000", labels={f"{POLICY}allow_cmd_override": "true"})
    (warning,) = found(check(machine, image), "warning")
    assert warning.startswith("the operator may set tee-cmd, but no launch goes with it: ")


def test_an_image_in_a_folder(machine: Launched, tmp_path: Path) -> None:
    """Before it is pushed anywhere."""
    layout = machine.write_layout(tmp_path)
    answer = csctl("image", "check", "--layout", layout, "--json")
    assert answer.code == YES and answer.json["launches"] is True


def test_what_can_not_be_looked_at_is_one_line(machine: Launched, tmp_path: Path) -> None:
    """And exit code 3, as for no image or two."""
    for words in (["127.0.0.1:1/x"], ["x y"], ["--layout", tmp_path], ["x", "--layout", tmp_path], []):
        answer = csctl("image", "check", *words)
        assert (answer.code, answer.text, answer.error.count("\n")) == (CANNOT_TELL, "", 1), (words, answer)
    assert csctl("image", "check", "x", "y").code == WRONG_USE


def test_who_has_signed_an_image_is_told(machine: Launched) -> None:
    """By signatures in its own repository or in another, and what is none."""
    registry = machine.world.registry
    image = push(registry, program_image("/bin/true", user="1000"), "signed")
    assert csctl("image", "check", image.by_tag, "--json").json["image"]["signatures"] == []
    key = SigningKey("ECDSA_P256_SHA256")
    payload = simple_signing_payload(key, image.digest)
    push_simple_signatures(registry, "signed", image.digest, [(payload, key.sign(payload)), (payload, b"none")])
    answer = csctl("image", "check", image.by_tag, "--json")
    good, bad = answer.json["image"]["signatures"]
    assert good == {"key_id": key.key_id, "algorithm": "ECDSA_P256_SHA256"} and "error" in bad
    assert answer.code == YES and answer.json["warnings"] == [f"a signature is none that a token would name: {bad['error']}"]
    other = push(registry, program_image("/bin/true", user="1000"), "other")
    assert other.digest == image.digest
    signed_in = image.by_tag.rpartition(":")[0]
    found = csctl("image", "check", other.by_tag, "--signed-in", signed_in, "--json").json["image"]["signatures"]
    assert found == [good, bad]
    assert csctl("image", "check", other.by_tag, "--json").json["image"]["signatures"] == []
    answer = csctl("image", "check", other.by_tag, "--signed-in", "127.0.0.1:1/nobody", "--json")
    assert answer.code == YES and answer.json["image"]["signatures"] is None
    (warning,) = answer.json["warnings"]
    assert warning.startswith("its signatures can't be looked for: ") and "127.0.0.1:1" in warning


def test_a_layout_has_no_signatures_beside_it(machine: Launched, tmp_path: Path) -> None:
    """Nor are any looked for."""
    layout = machine.write_layout(tmp_path)
    described = csctl("image", "check", "--layout", layout, "--json").json["image"]
    assert described["signatures"] is None and described["platforms"] == ["linux/amd64"]


def test_all_platforms_of_an_index_are_told(machine: Launched) -> None:
    """Also those that this machine can't run."""
    built = program_image("/bin/true", user="1000").build()
    registry = machine.world.registry
    registry.push(built, "index")
    attestation = json.dumps(json.loads(built.manifest) | {"annotations": {"x": "y"}}).encode()
    registry.push_manifest("index", "attestation", attestation)
    index = index_of([(built.manifest, "arm64"), (built.manifest, "amd64"), (attestation, "unknown")])
    registry.push_manifest("index", "both", index)
    described = csctl("image", "check", f"{registry.address}/index:both", "--json").json["image"]
    assert described["platforms"] == ["linux/arm64", "linux/amd64"] and described["platform"] == "linux/amd64"
    assert described["digest"] == digest_of(index)
