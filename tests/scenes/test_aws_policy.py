"""Trust policies of AWS, decided as AWS decides them."""

from __future__ import annotations

from typing import Any

import pytest
from cs_harness.aws_policy import ASSUME, TAG, PolicyError, decide, evaluate

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/issuer.example"
KEYS = {
    "issuer.example:aud": "https://keys.example",
    "aws:RequestTag/swname": "CONFIDENTIAL_SPACE",
    "aws:RequestTag/confidential_space.support_attributes": "LATEST=STABLE=USABLE",
    "aws:TagKeys": ["swname", "confidential_space.support_attributes"],
}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """Return a policy of statements that are about the provider, unless they say otherwise."""
    usual = {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": [ASSUME, TAG]}
    return {"Version": "2012-10-17", "Statement": [{**usual, **statement} for statement in statements]}


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "holds"),
    [
        ("StringEquals", "aws:RequestTag/swname", "CONFIDENTIAL_SPACE", True),
        ("StringEquals", "AWS:requesttag/swname", "CONFIDENTIAL_SPACE", True),  # keys have no case, values do
        ("StringEquals", "aws:RequestTag/swname", "confidential_space", False),
        ("StringEquals", "aws:RequestTag/swname", ["GCE", "CONFIDENTIAL_SPACE"], True),
        ("StringEquals", "aws:RequestTag/swname", "*", False),
        ("StringEquals", "aws:RequestTag/hwmodel", "GCP_AMD_SEV", False),
        ("StringEqualsIfExists", "aws:RequestTag/hwmodel", "GCP_AMD_SEV", True),
        ("StringEqualsIfExists", "aws:RequestTag/swname", "GCE", False),
        ("StringNotEquals", "aws:RequestTag/swname", "GCE", True),
        ("StringNotEquals", "aws:RequestTag/swname", ["GCE", "CONFIDENTIAL_SPACE"], False),
        ("StringNotEquals", "aws:RequestTag/hwmodel", "GCP_AMD_SEV", True),
        ("StringEqualsIgnoreCase", "aws:RequestTag/swname", "confidential_space", True),
        ("StringLike", "aws:RequestTag/confidential_space.support_attributes", "*STABLE*", True),
        ("StringLike", "aws:RequestTag/confidential_space.support_attributes", "STABLE", False),
        ("StringLike", "aws:RequestTag/confidential_space.support_attributes", "L?TEST=*", True),
        ("StringLike", "aws:RequestTag/confidential_space.support_attributes", "L.TEST=.*", False),
        ("StringNotLike", "aws:RequestTag/swname", "CONF*", False),
        ("Null", "aws:RequestTag/hwmodel", "true", True),
        ("Null", "aws:RequestTag/swname", "true", False),
        ("Null", "aws:RequestTag/swname", "false", True),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["swname", "other"], True),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["swname", "other"], False),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["swname", "confidential_space.support_attributes"], True),
        ("ForAllValues:StringEquals", "aws:Nothing", ["x"], True),
        ("ForAnyValue:StringEquals", "aws:Nothing", ["x"], False),
        ("ForAnyValue:StringNotEquals", "aws:Nothing", ["x"], False),
        ("ForAllValues:StringNotEquals", "aws:Nothing", ["x"], True),
        ("StringNotEquals", "aws:Nothing", ["x"], True),
    ],
)
def test_operators(operator: str, key: str, wanted: Any, holds: bool) -> None:
    """Each holds as AWS's user guide says, and says what it found and what it wanted."""
    (condition,) = evaluate({operator: {key: wanted}}, KEYS)
    assert condition.holds == holds
    assert str(condition).startswith(f"condition {operator} {key}: found ")
    assert (condition.found is None) == (": found nothing, wanted" in str(condition))


def test_what_is_not_known_is_refused() -> None:
    """An operator or a member that this does not know must not be passed over."""
    for block in ({"StringEqual": {"a": "b"}}, {"Each:StringEquals": {"aws:TagKeys": "b"}}, {"StringEquals": {"aws:TagKeys": "b"}}):
        with pytest.raises(PolicyError):
            evaluate(block, KEYS)
    for wrong in (
        {**policy({}), "Version": "2008-10-17"},
        policy({"Effect": "Maybe"}),
        policy({"NotAction": "sts:*"}),
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*"}]},
        policy({"Principal": {"Anybody": "*"}}),
        policy({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
    ):
        with pytest.raises(PolicyError):
            decide(wrong, PROVIDER, [ASSUME], {"aws:SecureTransport": "true"})


def test_decisions() -> None:
    """All conditions of one statement, any statement, both actions, and no denial."""
    good = {"StringEquals": {"aws:RequestTag/swname": "CONFIDENTIAL_SPACE"}}
    bad = {"StringEquals": {"aws:RequestTag/swname": "GCE"}}
    both = [ASSUME, TAG]
    failed = 'condition StringEquals aws:RequestTag/swname: found "CONFIDENTIAL_SPACE", wanted "GCE"'
    assert decide(policy({"Condition": good}), PROVIDER, both, KEYS).allowed
    assert decide(policy({"Condition": bad}), PROVIDER, both, KEYS).reasons == [failed]
    assert decide(policy({"Condition": bad}, {"Condition": good}), PROVIDER, both, KEYS).allowed
    denial = {"Effect": "Deny", "Condition": good}
    assert decide(policy({"Condition": good}, denial), PROVIDER, both, KEYS).reasons == [
        f"a statement denies {ASSUME}",
        f"a statement denies {TAG}",
    ]
    assert decide(policy({"Condition": good, "Action": ASSUME}), PROVIDER, both, KEYS).reasons == [
        f"no statement allows {TAG} to {PROVIDER}"
    ]
    assert decide(policy({"Action": "sts:*"}), PROVIDER, both, KEYS).allowed
    assert not decide(policy({"Action": "sts:[A-Z]*"}), PROVIDER, both, KEYS).allowed
    assert decide(policy({}), PROVIDER + "/other", both, KEYS).reasons[0] == f"no statement allows {ASSUME} to {PROVIDER}/other"
    assert decide(policy({"Principal": "*"}), PROVIDER, both, KEYS).allowed
    assert not decide({"Version": "2012-10-17", "Statement": []}, PROVIDER, both, KEYS).allowed
