"""Conditions that the public documentation has, on a token of ours, by the reference implementation of their language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cs_harness import World, conditions
from cs_harness.conditions import BadPolicy
from cs_harness.cosign import SigningKey, push_simple_signatures, simple_signing_payload
from cs_harness.metadata import Instance
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
            claims = verified_claims(world, launcher.wait_token())
        instance = world.metadata.instance
        yield {
            "claims": claims,
            "digest": image.digest,
            "id": image.config_digest,
            "reference": image.by_tag,
            "key": key.key_id,
            "hostname": claims["submods"]["container"]["env"]["HOSTNAME"],
            "path": claims["submods"]["container"]["env"].get("PATH", ""),
            "instance": str(instance.id),
        }


def holds(told: dict[str, Any], condition: str) -> bool:
    """Tell whether a condition accepts the token; names in angle brackets stand for what is known of the launch."""
    for name, value in told.items():
        condition = condition.replace(f"<{name}>", str(value))
    return conditions.evaluate(told["claims"], MAPPING, condition).reasons == []


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
        ("assertion.submods.nvidia_gpu.cc_mode == 'ON'", False),
        ("assertion.secboot", True),
        ("assertion.submods.confidential_space.reference_value.name == 'confidential-space-260100'", True),
    ],
)
def test_documented_conditions(told: dict[str, Any], condition: str, expected: bool) -> None:
    """Each accepts or refuses; none is an error but that on a claim which no machine of ours has."""
    assert holds(told, condition) is expected


def test_reasons_name_condition_and_value(told: dict[str, Any]) -> None:
    """Each condition that fails is told with what it found."""
    verdict = conditions.evaluate(
        told["claims"], MAPPING, "assertion.secboot && assertion.hwmodel == 'X' && assertion.submods.nvidia_gpu.a == 'b'"
    )
    assert verdict.reasons == [
        'condition assertion.hwmodel == "X": found assertion.hwmodel = "SOFTWARE_TPM"',
        'condition assertion.submods.nvidia_gpu.a == "b": found assertion.submods.nvidia_gpu.a = null',
    ]
    assert verdict.attributes == {"google.subject": told["claims"]["sub"]}


def test_policies_that_make_no_sense_are_told(told: dict[str, Any]) -> None:
    """Whatever the token."""
    with pytest.raises(BadPolicy, match="mapping: lacks google.subject"):
        conditions.evaluate(told["claims"], {"attribute.a": "'b'"}, "true")
