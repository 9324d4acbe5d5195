"""Conditions that the public documentation has, on a token of ours, by the reference implementation of their language."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cs_harness import World, binary, conditions
from cs_harness.conditions import BadPolicy
from cs_harness.cosign import SigningKey, push_simple_signatures, simple_signing_payload
from cs_harness.metadata import Instance
from cs_harness.recipe import Shell, blocks
from support import STAY, push, shell_image, verified_claims

MAPPING = {"google.subject": "assertion.sub"}
SIGNED_BY = (
    "['ECDSA_P256_SHA256:{key}'].exists(fingerprint, fingerprint in "
    "assertion.submods.container.image_signatures.map(sig, sig.signature_algorithm+':'+sig.key_id))"
)


@pytest.fixture(scope="module")
def told(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what a token says of a machine, and what else the conditions are about, by name."""
    with World(folder) as world:
        image = push(world.registry, shell_image(STAY, env=["A=1"]))
        key = SigningKey("ECDSA_P256_SHA256")
        payload = simple_signing_payload(key, image.digest)
        push_simple_signatures(world.registry, "signatures", image.digest, [(payload, key.sign(payload))])
        repository = f"{world.registry.address}/signatures"
        metadata = {"tee-image-reference": image.by_tag, "tee-signed-image-repos": repository}
        with world.launcher(metadata) as launcher:
            launcher.wait_ready()
            token = launcher.wait_token()
            claims = verified_claims(world, token)
        instance = world.metadata.instance
        yield {
            "claims": claims,
            "token": token,
            "digest": image.digest,
            "id": image.config_digest,
            "reference": image.by_tag,
            "key": key.key_id,
            "hostname": claims["submods"]["container"]["env"]["HOSTNAME"],
            "path": claims["submods"]["container"]["env"].get("PATH", ""),
            "instance": str(instance.id),
        }


def reasons(told: dict[str, Any], condition: str) -> Sequence[str]:
    """Return why a condition does not accept the token; names in angle brackets stand for what is known of the launch."""
    for name, value in told.items():
        condition = condition.replace(f"<{name}>", str(value))
    return conditions.evaluate(told["claims"], MAPPING, condition).reasons


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("assertion.dbgstat == 'disabled-since-boot'", True),
        ("assertion.dbgstat == 'enabled'", False),
        ("'STABLE' in assertion.submods.confidential_space.support_attributes", True),
        ("'EXPERIMENTAL' in assertion.submods.confidential_space.support_attributes", False),
        ("assertion.swname == 'CONFIDENTIAL_SPACE'", True),
        ("assertion.swname == 'GCE'", False),
        ("int(assertion.swversion[0]) == 260100", True),
        ("int(assertion.swversion[0]) >= 260101", False),
        ("size(assertion.submods.container.cmd_override) == 0", True),
        ("assertion.submods.container.cmd_override == ['program']", False),
        ("assertion.submods.container.env.A == '1'", True),
        ("assertion.submods.container.env == {'A': '1'}", False),  # HOSTNAME and PATH are in it as well
        ("!has(assertion.submods.container.env_override.X)", True),
        ("size(assertion.submods.container.env_override) == 0", True),
        ("assertion.submods.container.env_override == {'X': '1'}", False),
        ("assertion.submods.container.image_digest == '<digest>'", True),
        ("assertion.submods.container.image_digest == '<id>'", False),
        ("assertion.submods.container.image_id == '<id>'", True),
        ("assertion.submods.container.image_reference == '<reference>'", True),
        (SIGNED_BY.format(key="<key>"), True),
        (SIGNED_BY.format(key="0" * 64), False),
        ("assertion.submods.container.restart_policy == 'Never'", True),
        (f"'{Instance().service_account}' in assertion.google_service_accounts", True),
        ("'somebody@else' in assertion.google_service_accounts", False),
        ("assertion.hwmodel == 'SOFTWARE_TPM'", True),
        ("assertion.hwmodel == 'GCP_AMD_SEV'", False),
        ("assertion.submods.confidential_space.monitoring_enabled.memory == true", False),
        ("assertion.submods.gce.instance_id == '<instance>'", True),
        (f"assertion.submods.gce.instance_name == '{Instance().name}'", True),
        (f"assertion.submods.gce.project_id == '{Instance().project_id}'", True),
        (f"assertion.submods.gce.project_number == '{Instance().project_number}'", True),
        (f"assertion.submods.gce.zone == '{Instance().zone}'", True),
        ("assertion.submods.gce.zone == 'europe-west1-b'", False),
        ("assertion.secboot", True),
        ("!assertion.secboot", False),
        ("assertion.submods.confidential_space.reference_value.name == 'confidential-space-260100'", True),
    ],
)
def test_documented_conditions(told: dict[str, Any], condition: str, expected: bool) -> None:
    """Each accepts or refuses, and none is an error."""
    against = reasons(told, condition)
    assert (against == []) is expected
    assert not any(reason.endswith(")") and " (" in reason.partition(": found ")[2] for reason in against), against


@pytest.mark.parametrize("condition", ["nvidia_gpu.cc_mode == 'ON'", "nvidia_gpu.gpus[0].hwmodel == 'GCP_NVIDIA_H100'"])
def test_conditions_on_gpus(told: dict[str, Any], condition: str) -> None:
    """They are errors on our tokens, which say nothing of GPUs, and what they should be on others."""
    condition = f"assertion.submods.{condition}"
    (against,) = reasons(told, condition)
    assert against.endswith("(no such key: nvidia_gpu)")
    gpus = {"cc_mode": "ON", "gpus": [{"hwmodel": "GCP_NVIDIA_H100"}]}
    claims = {**told["claims"], "submods": {**told["claims"]["submods"], "nvidia_gpu": gpus}}
    assert conditions.evaluate(claims, MAPPING, condition).reasons == []
    gpus["cc_mode"], gpus["gpus"][0]["hwmodel"] = "OFF", "other"
    assert conditions.evaluate(claims, MAPPING, condition).reasons != []


def test_reasons_name_condition_and_value(told: dict[str, Any]) -> None:
    """Each condition that fails is told with what it found."""
    missing = "assertion.submods.nvidia_gpu.a"
    verdict = conditions.evaluate(
        told["claims"], MAPPING, "assertion.secboot && assertion.hwmodel == 'X' && assertion.submods.nvidia_gpu.a == 'b'"
    )
    assert verdict.reasons == [
        'condition assertion.hwmodel == "X": found assertion.hwmodel = "SOFTWARE_TPM"',
        f'condition {missing} == "b": found {missing} = null (no such key: nvidia_gpu)',
    ]
    assert verdict.attributes == {"google.subject": told["claims"]["sub"]}


def test_policies_that_make_no_sense_are_told(told: dict[str, Any]) -> None:
    """Whatever the token."""
    with pytest.raises(BadPolicy, match="mapping: lacks google.subject"):
        conditions.evaluate(told["claims"], {"attribute.a": "'b'"}, "true")


def test_the_program_of_the_recipe(told: dict[str, Any], folder: Path) -> None:
    """As documented: it says of each part of the recipe's condition what it found in a token."""
    (code,) = blocks("Recipe: Google Cloud", "bash")
    condition = next(block for block in blocks("Recipe: Google Cloud") if block.startswith("CONDITION="))
    mapping = next(block for block in blocks("Recipe: Google Cloud") if block.startswith("MAPPING="))
    home = folder / "recipe"
    home.mkdir()
    (home / "token").write_text(told["token"])
    variables = {
        "HWMODEL": "SOFTWARE_TPM",
        "OPERATOR_PROJECT": Instance().project_id,
        "OPERATOR_ACCOUNT": Instance().service_account,
    }
    with Shell(home, {}, print, binary("")) as shell:
        shell.fill_in(**variables)
        shell.type(condition)
        for line in mapping.splitlines()[:2]:
            shell.type(line)
        decision = json.loads(shell.type(code))
    assert decision["accepted"]
    assert decision["attributes"]["attribute.image_digest"] == told["digest"]
    assert [each["holds"] for each in decision["conditions"]] == [True] * condition.count("&&\n") + [True]
