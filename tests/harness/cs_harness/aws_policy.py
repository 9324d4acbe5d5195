"""Trust policies of AWS: who may assume a role with a web identity token, and with which session tags.

IAM User Guide, "IAM JSON policy elements"; as much of it as a policy on attestation tokens needs. What is not known here
is refused, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ASSUME = "sts:AssumeRoleWithWebIdentity"
TAG = "sts:TagSession"
_STATEMENT_MEMBERS = {"Sid", "Effect", "Principal", "Action", "Condition"}


class PolicyError(Exception):
    """A policy that can't be evaluated."""


@dataclass(frozen=True)
class Condition:
    """One condition of a statement, as it came out."""

    operator: str
    key: str
    wanted: Sequence[str]
    found: Sequence[str] | None
    holds: bool

    def __str__(self) -> str:
        found = "nothing" if self.found is None else _listed(self.found)
        return f"condition {self.operator} {self.key}: found {found}, wanted {_listed(self.wanted)}"


@dataclass(frozen=True)
class Decision:
    """`reasons` is why not, in words; empty when it is allowed."""

    reasons: Sequence[str]

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed."""
        return not self.reasons


def decide(policy: Mapping[str, Any], provider: str, actions: Sequence[str], keys: Mapping[str, Any]) -> Decision:
    """Say whether a principal of a provider, named by its ARN, may do all of `actions`.

    `keys` are the request's condition keys: text, or lists of text.
    """
    if policy.get("Version") != "2012-10-17":
        raise PolicyError("Version is not 2012-10-17")
    statements = _as_list(policy.get("Statement"))
    reasons: list[str] = []
    for action in actions:
        reasons += [reason for reason in _reasons_against(statements, provider, action, keys) if reason not in reasons]
    return Decision(reasons)


def _reasons_against(statements: Sequence[Any], provider: str, action: str, keys: Mapping[str, Any]) -> list[str]:
    """Return why an action is not allowed: a statement that denies it, or what is missing from those that would allow."""
    allowed = False
    missing: list[str] = []
    for statement in statements:
        unknown = set(statement) - _STATEMENT_MEMBERS
        if unknown or statement.get("Effect") not in ("Allow", "Deny"):
            raise PolicyError(f"a statement has {sorted(unknown) or 'no Effect'}")
        conditions = evaluate(statement.get("Condition", {}), keys)
        if "Action" not in statement:
            raise PolicyError("a statement has no Action")
        concerns = any(_is_like(action.lower(), name.lower()) for name in _as_list(statement["Action"]))
        if not concerns or not _is_principal(statement.get("Principal"), provider):
            continue
        failed = [str(condition) for condition in conditions if not condition.holds]
        if statement["Effect"] == "Deny" and not failed:
            return [f"a statement denies {action}"]
        if statement["Effect"] == "Allow":
            allowed = allowed or not failed
            missing += failed
    if allowed:
        return []
    return missing or [f"no statement allows {action} to {provider}"]


def _is_principal(principal: Any, provider: str) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, Mapping) or not set(principal) <= {"Federated", "AWS", "Service"}:
        raise PolicyError(f"Principal is {principal!r}")
    return provider in _as_list(principal.get("Federated", []))


def evaluate(block: Mapping[str, Mapping[str, Any]], keys: Mapping[str, Any]) -> list[Condition]:
    """Evaluate a Condition block: all must hold, and of the values of one any."""
    by_lower_case = {name.lower(): value for name, value in keys.items()}
    conditions = []
    for operator, wanted_of_key in block.items():
        for key, wanted in wanted_of_key.items():
            value = by_lower_case.get(key.lower())
            found = None if value is None else _as_list(value)
            values = [str(each) for each in _as_list(wanted)]
            conditions.append(Condition(operator, key, values, found, _holds(operator, values, found)))
    return conditions


def _holds(operator: str, wanted: Sequence[str], found: Sequence[str] | None) -> bool:
    if operator == "Null":
        return wanted in (["true"], ["True"]) if found is None else wanted in (["false"], ["False"])
    base = operator.removesuffix("IfExists")
    if found is None and operator != base:
        return True
    quantifier, _, name = base.rpartition(":")
    if name not in _OPERATORS or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise PolicyError(f"the operator {operator} is not known")
    negated, matches = _OPERATORS[name]
    if found is None:
        return quantifier == "ForAllValues" or (negated and not quantifier)
    if not quantifier and len(found) > 1:
        raise PolicyError(f"{operator} is for keys of one value")
    verdicts = [any(matches(each, pattern) for pattern in wanted) != negated for each in found]
    return all(verdicts) if quantifier == "ForAllValues" else any(verdicts)


def _is_like(text: str, pattern: str) -> bool:
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(char, re.escape(char)) for char in pattern), text, re.DOTALL) is not None


_OPERATORS: dict[str, tuple[bool, Callable[[str, str], bool]]] = {
    "StringEquals": (False, lambda text, wanted: text == wanted),
    "StringNotEquals": (True, lambda text, wanted: text == wanted),
    "StringEqualsIgnoreCase": (False, lambda text, wanted: text.casefold() == wanted.casefold()),
    "StringNotEqualsIgnoreCase": (True, lambda text, wanted: text.casefold() == wanted.casefold()),
    "StringLike": (False, _is_like),
    "StringNotLike": (True, _is_like),
    "ArnEquals": (False, _is_like),
    "ArnLike": (False, _is_like),
}


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _listed(values: Sequence[str]) -> str:
    return " or ".join(f'"{value}"' for value in values)
