"""AWS, as it is played, refuses what AWS refuses."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cs_harness import CertificateAuthority, CloudFront
from cs_harness.aws import ACCOUNT, TAGS_CLAIM, Aws, StsError
from cs_harness.published_issuer import PublishedIssuer

AUDIENCE = "https://keys.example"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
ISSUER = PublishedIssuer("https://issuer.example/path")


def statement(*actions: str) -> dict[str, Any]:
    """Return a trust policy for whoever has a token of the issuer's."""
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/issuer.example/path"
    allowed = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": list(actions)}
    return {"Version": "2012-10-17", "Statement": [allowed]}


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """Yield a cloud with a role that tokens of the issuer's lead to."""
    with Aws(ISSUER.fetch) as cloud:
        iam = cloud.client("iam")
        iam.create_open_id_connect_provider(Url=ISSUER.url, ClientIDList=[AUDIENCE], ThumbprintList=["0" * 40])
        policy = statement("sts:AssumeRoleWithWebIdentity", "sts:TagSession")
        iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(policy))
        untagged = statement("sts:AssumeRoleWithWebIdentity")
        iam.create_role(RoleName="untagged", AssumeRolePolicyDocument=json.dumps(untagged))
        yield cloud


def form(token: str, **changed: str | None) -> dict[str, str]:
    """Return a call's form, with fields changed, or left out where they are None."""
    usual = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "session",
        "WebIdentityToken": token,
        **changed,
    }
    return {name: value for name, value in usual.items() if value is not None}


def tags(**values: str) -> dict[str, Any]:
    """Return the claim that makes session tags."""
    return {TAGS_CLAIM: {"principal_tags": {key: [value] for key, value in values.items()}}}


def test_a_right_token_gets_credentials(aws: Aws) -> None:
    """With the answer's fields, and up to the limits."""
    for claims in (
        {},
        tags(swname="CONFIDENTIAL_SPACE"),
        tags(long="x" * 256),
        tags(**{"k" * 128: ""}),
        tags(**{f"k{number}": "_.:/=+-@ 9" for number in range(50)}),
        {"aud": ["other", AUDIENCE]},
        {"padding": "x" * 13000},
    ):
        answer = aws.assume(form(ISSUER.token(AUDIENCE, **claims))).decode()
        assert "<AccessKeyId>" in answer
        assert f"<Audience>{AUDIENCE}</Audience>" in answer
        assert "<SubjectFromWebIdentityToken>machine</SubjectFromWebIdentityToken>" in answer


@pytest.mark.parametrize(
    ("token", "code", "message"),
    [
        (ISSUER.token("https://other.example"), "InvalidIdentityToken", "is for .*other.example"),
        (ISSUER.token(AUDIENCE, exp=int(time.time()) - 5), "ExpiredTokenException", "has expired"),
        (ISSUER.token(AUDIENCE, iat=int(time.time()) + 600), "InvalidIdentityToken", "its iat lies in the future"),
        (ISSUER.token(AUDIENCE, nbf=int(time.time()) + 600), "InvalidIdentityToken", "its nbf lies in the future"),
        (ISSUER.token(AUDIENCE, exp=None), "InvalidIdentityToken", "exp"),
        (ISSUER.token(AUDIENCE, sub=None), "InvalidIdentityToken", "sub"),
        (ISSUER.token(AUDIENCE, key_id="second"), "InvalidIdentityToken", 'no key "second"'),
        (ISSUER.token(AUDIENCE, iss="https://issuer.example"), "InvalidIdentityToken", "no OpenID Connect provider"),
        (
            ISSUER.token(AUDIENCE, key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
            "InvalidIdentityToken",
            "its signature",
        ),
        ("no token", "InvalidIdentityToken", "no JSON Web Token"),
        ("x", "ValidationError", "WebIdentityToken has 1 characters"),
        ("x" * 20001, "ValidationError", "WebIdentityToken has 20001 characters"),
        (ISSUER.token(AUDIENCE, **tags(long="x" * 257)), "ValidationError", "tag long has 257 characters"),
        (ISSUER.token(AUDIENCE, **tags(bad="a,b")), "ValidationError", "tag bad has a character"),
        (ISSUER.token(AUDIENCE, **tags(**{"k" * 129: "v"})), "ValidationError", "is no key of a tag"),
        (ISSUER.token(AUDIENCE, **tags(**{"aws:x": "v"})), "ValidationError", "is no key of a tag"),
        (ISSUER.token(AUDIENCE, **tags(a="1", A="2")), "InvalidParameterValue", "differ in their case"),
        (ISSUER.token(AUDIENCE, **tags(**{f"k{n}": "v" for n in range(51)})), "ValidationError", "there are 51 tags"),
        (
            ISSUER.token(AUDIENCE, **{TAGS_CLAIM: {"principal_tags": {"a": ["1", "2"]}}}),
            "InvalidIdentityToken",
            "array of one text",
        ),
        (ISSUER.token(AUDIENCE, **{TAGS_CLAIM: {"tags": {}}}), "InvalidIdentityToken", "something else than tags"),
    ],
)
def test_a_wrong_token_is_refused(aws: Aws, token: str, code: str, message: str) -> None:
    """By its code and its reason."""
    with pytest.raises(StsError, match=message) as refusal:
        aws.assume(form(token))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ({"RoleArn": ROLE + "s"}, "AccessDenied", "there is no role"),
        ({"RoleArn": ROLE.replace(ACCOUNT, "210987654321")}, "AccessDenied", "there is no role"),
        ({"RoleSessionName": "s"}, "ValidationError", "RoleSessionName"),
        ({"RoleSessionName": None}, "ValidationError", "lacks .*RoleSessionName"),
        ({"ProviderId": "www.amazon.com"}, "ValidationError", "ProviderId"),
        ({"Version": "2010-05-08"}, "InvalidAction", "Version"),
        ({"DurationSeconds": "899"}, "ValidationError", "not between 900 and 3600"),
        ({"DurationSeconds": "3601"}, "ValidationError", "not between 900 and 3600"),
    ],
)
def test_a_wrong_call_is_refused(aws: Aws, changed: dict[str, str | None], code: str, message: str) -> None:
    """By its code and its reason."""
    with pytest.raises(StsError, match=message) as refusal:
        aws.assume(form(ISSUER.token(AUDIENCE), **changed))
    assert refusal.value.code == code


def test_tags_take_an_action_of_their_own(aws: Aws) -> None:
    """A role that may not be assumed with tags is not, whatever they are."""
    role = ROLE.replace("reader", "untagged")
    assert aws.assume(form(ISSUER.token(AUDIENCE), RoleArn=role))
    with pytest.raises(StsError, match="no statement allows sts:TagSession"):
        aws.assume(form(ISSUER.token(AUDIENCE, **tags(a="b")), RoleArn=role))


def test_an_issuer_that_is_not_what_it_says_is_not_believed(aws: Aws) -> None:
    """Its discovery document must be its own, and its keys must be had."""
    discovery = ISSUER.documents[f"{ISSUER.url}/.well-known/openid-configuration"]
    for changed, message in (("https://issuer.example", "is that of"), (None, "can't be had")):
        discovery["issuer" if changed else "jwks_uri"] = changed or ISSUER.url + "/nothing"
        with pytest.raises(StsError, match=message):
            aws.assume(form(ISSUER.token(AUDIENCE)))
        discovery["issuer"] = ISSUER.url
    discovery["jwks_uri"] = ISSUER.url + "/keys"
    assert aws.assume(form(ISSUER.token(AUDIENCE)))


def test_a_call_that_nobody_signed_is_refused(aws: Aws, folder: Path) -> None:
    """Of the other services every call is; and hosts that are none of AWS's are not reached."""
    authority = CertificateAuthority(folder / "tls")
    context = ssl.create_default_context(cafile=str(authority.certificate))
    with CloudFront(authority, "clouds", aws.routes) as front:

        def call(host: str) -> tuple[int, str]:
            connection = http.client.HTTPSConnection("127.0.0.1", front.port, timeout=20, context=context)
            connection.set_tunnel(host, 443)
            connection.request("POST", "/", "{}", {"X-Amz-Target": "TrentService.Decrypt"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

        for host in ("kms.us-east-1.amazonaws.com", "data.s3.us-east-1.amazonaws.com", "iam.amazonaws.com"):
            status, text = call(host)
            assert status == http.client.FORBIDDEN
            assert "<Code>MissingAuthenticationToken</Code>" in text
        with pytest.raises(OSError, match="403"):
            call("kms.us-east-1.amazonaws.com.example")
