"""csctl policy test with conditions of Google Cloud's, evaluated by the reference implementation of their language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cs_harness import binary
from cs_harness.csctl import CANNOT_TELL, NO, YES, csctl

CLAIMS = {
    "iss": "https://issuer.example",
    "sub": "machine",
    "swname": "CONFIDENTIAL_SPACE",
    "submods": {"confidential_space": {"support_attributes": ["LATEST", "STABLE"]}},
}
CONDITION = "assertion.swname == 'CONFIDENTIAL_SPACE' && 'STABLE' in assertion.submods.confidential_space.support_attributes"


@pytest.fixture
def provider(tmp_path: Path) -> Path:
    """Return a provider as gcloud describes it."""
    path = tmp_path / "provider.json"
    path.write_text(
        json.dumps({"name": "p", "attributeMapping": {"google.subject": "assertion.sub"}, "attributeCondition": CONDITION})
    )
    return path


def test_a_condition_is_decided_part_by_part(provider: Path) -> None:
    """With what was found."""
    words = ("policy", "test", provider, "-", "--conditions", binary("cs-conditions"))
    accepted = csctl(*words, "--json", stdin=json.dumps(CLAIMS).encode())
    assert accepted.code == YES and accepted.json["accepted"] is True
    assert len(accepted.json["conditions"]) == 2
    refused = csctl(*words, "--json", stdin=json.dumps(CLAIMS | {"swname": "GCE"}).encode())
    assert refused.code == NO
    assert [condition["holds"] for condition in refused.json["conditions"]] == [False, True]
    assert "GCE" in refused.json["conditions"][0]["found"]
    changed = csctl(*words, "--what-if", "swname=GCE", stdin=json.dumps(CLAIMS).encode())
    assert changed.code == NO and changed.rows[0] == ["as it is: accepted; then: REFUSED"] and len(changed.rows) == 2


def test_a_condition_that_makes_no_sense_is_one_line(provider: Path) -> None:
    """In the words of the language's own implementation."""
    provider.write_text(json.dumps({"attributeCondition": "assertion.swname =="}))
    answer = csctl("policy", "test", provider, "-", "--conditions", binary("cs-conditions"), stdin=b'{"sub": "x"}')
    assert answer.code == CANNOT_TELL and answer.error.count("\n") == 1
