"""Mappings and conditions on a token's claims, evaluated by cs-conditions."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .process import HarnessError, binary

ACCEPTED, REFUSED = 0, 1
SECONDS = 30


class BadPolicy(Exception):
    """A mapping or condition that makes no sense, whatever the token."""


@dataclass(frozen=True)
class Verdict:
    """What became of a token's claims: `reasons` says why not, and is empty when they are accepted."""

    attributes: Mapping[str, Any]
    reasons: Sequence[str]


def evaluate(assertion: Mapping[str, Any], mapping: Mapping[str, str], condition: str) -> Verdict:
    """Evaluate a mapping and a condition on claims."""
    request = json.dumps({"assertion": assertion, "mapping": mapping, "condition": condition})
    done = subprocess.run(
        [binary("cs-conditions")], input=request, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode not in (ACCEPTED, REFUSED):
        raise BadPolicy(done.stderr.strip())
    decision = json.loads(done.stdout)
    reasons = [*decision["problems"], *(_reason(each) for each in decision["conditions"] if not each["holds"])]
    if decision["accepted"] != (not reasons):
        raise HarnessError(f"cs-conditions contradicts itself: {done.stdout}")
    return Verdict(decision["attributes"], reasons)


def _reason(condition: Mapping[str, Any]) -> str:
    found = ", ".join(f"{path} = {json.dumps(value)}" for path, value in condition["found"].items())
    error = f" ({condition['error']})" if "error" in condition else ""
    return f"condition {condition['expression']}: found {found or 'nothing'}{error}"
