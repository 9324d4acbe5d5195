"""csctl policy test: AWS trust policies and lists of claims, on a token of the harness and on what is predicted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cs_harness import aws_policy
from cs_harness.csctl import CANNOT_TELL, NO, WRONG_USE, YES, csctl
from machine import Launched

ACCOUNT = "arn:aws:iam::111122223333"


@pytest.fixture(scope="module")
def token(machine: Launched, folder: Path) -> Path:
    """Return a token for AWS."""
    body = {"audience": "https://sts.amazonaws.com", "token_type": "AWS_PRINCIPALTAGS", "aws_principal_tag_options": {}}
    path = folder / "aws.jwt"
    path.write_text(machine.launcher.tee.request("POST", "/v1/token", body).text)
    return path


@pytest.fixture(scope="module")
def claims(token: Path) -> dict[str, Any]:
    """Return its claims."""
    return csctl("token", "show", "--json", token).json["claims"]


def provider(claims: dict[str, Any]) -> str:
    """Return the ARN of the issuer."""
    return f"{ACCOUNT}:oidc-provider/{claims['iss'].removeprefix('https://')}"


def trust_policy(claims: dict[str, Any], conditions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return one that allows what its conditions let through."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider(claims)},
                "Action": [aws_policy.ASSUME, aws_policy.TAG],
                "Condition": conditions,
            }
        ],
    }


def written(folder: Path, document: object, name: str = "policy.json") -> Path:
    """Write a policy."""
    path = folder / name
    path.write_text(json.dumps(document))
    return path


def keys_of(claims: dict[str, Any]) -> dict[str, Any]:
    """Return the condition keys of a token, as the stand-in for AWS has them."""
    issuer = claims["iss"].removeprefix("https://")
    tags = claims["https://aws.amazon.com/tags"]["principal_tags"]
    return {
        f"{issuer}:aud": claims["aud"],
        f"{issuer}:sub": claims["sub"],
        **{f"aws:RequestTag/{tag}": value for tag, value in tags.items()},
        "aws:TagKeys": list(tags),
    }


CONDITIONS: list[dict[str, dict[str, Any]]] = [
    {"StringEquals": {"aws:RequestTag/swname": "CONFIDENTIAL_SPACE"}},
    {"StringEquals": {"aws:RequestTag/swname": "GCE"}},
    {"StringLike": {"aws:RequestTag/confidential_space.support_attributes": "*STABLE*"}},
    {"StringLike": {"aws:RequestTag/confidential_space.support_attributes": "*EXPERIMENTAL*"}},
    {"StringNotLike": {"aws:RequestTag/confidential_space.support_attributes": "*EXPERIMENTAL*"}},
    {"StringEquals": {"aws:RequestTag/absent": "x"}},
    {"StringEqualsIfExists": {"aws:RequestTag/absent": "x"}},
    {"Null": {"aws:RequestTag/absent": "true"}},
    {"ForAnyValue:StringEquals": {"aws:TagKeys": ["container.image_digest", "x"]}},
    {"ForAllValues:StringEquals": {"aws:TagKeys": ["x"]}},
    {"StringEqualsIgnoreCase": {"aws:RequestTag/SWNAME": "confidential_space"}},
]


@pytest.mark.parametrize("conditions", CONDITIONS, ids=lambda each: json.dumps(each)[:60])
def test_trust_policies_are_decided_as_by_another_implementation(
    token: Path, claims: dict[str, Any], tmp_path: Path, conditions: dict[str, dict[str, Any]]
) -> None:
    """That of the scenes, which is in another language."""
    policy = trust_policy(claims, conditions)
    expected = aws_policy.decide(policy, provider(claims), [aws_policy.ASSUME, aws_policy.TAG], keys_of(claims))
    answer = csctl("policy", "test", written(tmp_path, policy), token, "--json")
    assert answer.json["accepted"] is expected.allowed
    assert answer.code == (YES if expected.allowed else NO)
    [condition] = answer.json["conditions"]
    assert condition["holds"] is expected.allowed


def test_each_condition_is_told_with_the_value_found(token: Path, claims: dict[str, Any], tmp_path: Path) -> None:
    """As a table."""
    conditions = {"StringEquals": {"aws:RequestTag/swname": "GCE", "aws:RequestTag/hwmodel": "SOFTWARE_TPM"}}
    answer = csctl("policy", "test", written(tmp_path, trust_policy(claims, conditions)), token)
    assert answer.code == NO and answer.rows[0] == ["REFUSED"]
    assert ["NO", "StringEquals aws:RequestTag/swname: GCE", "CONFIDENTIAL_SPACE"] in answer.rows


def test_what_would_be_if_a_claim_were_another(token: Path, tmp_path: Path) -> None:
    """And which conditions come out otherwise."""
    policy = written(tmp_path, {"claims": {"swname": "CONFIDENTIAL_SPACE", "secboot": True}})
    answer = csctl("policy", "test", policy, token, "--what-if", "swname=GCE", "--what-if", "secboot=true")
    assert answer.code == NO
    assert answer.rows == [
        ["as it is: accepted; then: REFUSED"],
        ["yes", "NO", 'swname = "CONFIDENTIAL_SPACE"', '"GCE"'],
    ]


def test_predicted_claims_are_decided_on(machine: Launched, tmp_path: Path) -> None:
    """Before anything boots."""
    metadata = written(tmp_path, machine.world.metadata.attributes, "metadata.json")
    predicted = csctl("predict", "--json", "--metadata", metadata, "--hostname", machine.world.metadata.instance.name)
    digest = predicted.json["claims"]["submods"]["container"]["image_digest"]
    policy = written(tmp_path, {"claims": {"submods.container.image_digest": digest, "submods.container.env_override": {}}})
    assert csctl("policy", "test", policy, "-", stdin=predicted.text.encode()).code == YES
    policy = written(tmp_path, {"claims": {"submods.container.image_digest": "sha256:" + "0" * 64}})
    assert csctl("policy", "test", policy, "-", stdin=predicted.text.encode()).code == NO


def test_a_new_policy_is_tried_on_recorded_tokens(token: Path, claims: dict[str, Any], tmp_path: Path) -> None:
    """Which of them it would have refused, and why."""
    history = tmp_path / "tokens"
    history.mkdir()
    (history / "a.jwt").write_text(token.read_text())
    (history / "b.json").write_text(json.dumps(claims | {"swname": "GCE"}))
    policy = written(tmp_path, {"claims": {"swname": "CONFIDENTIAL_SPACE"}})
    answer = csctl("policy", "test", policy, "--history", history)
    assert answer.code == NO
    assert answer.rows == [
        ["accepted", "a.jwt", ""],
        ["REFUSED", "b.json", 'swname = "CONFIDENTIAL_SPACE": found "GCE"'],
    ]
    (history / "b.json").unlink()
    answer = csctl("policy", "test", policy, "--history", history, "--json")
    assert (answer.code, answer.json["refused"]) == (YES, 0)


def test_google_conditions_take_their_program(token: Path, tmp_path: Path) -> None:
    """Which is told where it is not there."""
    policy = written(tmp_path, {"attributeCondition": "assertion.swname == 'CONFIDENTIAL_SPACE'"})
    answer = csctl("policy", "test", policy, token, "--conditions", tmp_path / "absent")
    assert answer.code == CANNOT_TELL and str(tmp_path / "absent") in answer.error


def test_wrong_input_is_one_line(token: Path, tmp_path: Path) -> None:
    """And exit code 2 or 3."""
    good = written(tmp_path, {"claims": {"swname": "GCE"}}, "good.json")
    for document in ({}, {"claims": {}}, {"Statement": []}, {"Version": "2012-10-17", "Statement": [{}]}, [], "x"):
        answer = csctl("policy", "test", written(tmp_path, document), token)
        assert (answer.code, answer.text, answer.error.count("\n")) == (CANNOT_TELL, "", 1), (document, answer)
    for text in (b"", b"{", b"a.b", b"\x1b[2J"):
        answer = csctl("policy", "test", good, "-", stdin=text)
        assert (answer.code, answer.error.count("\n")) == (CANNOT_TELL, 1)
    answer = csctl("policy", "test", good, "--history", tmp_path / "absent")
    assert answer.code == CANNOT_TELL and "absent" in answer.error
    assert csctl("policy", "test", good).code == WRONG_USE
    assert csctl("policy", "test", good, token, "--what-if", "nothing").code == WRONG_USE
    assert csctl("policy", "test", good, token, "--history", tmp_path).code == WRONG_USE
