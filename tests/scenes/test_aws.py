"""AWS, as it is played, refuses what AWS refuses."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
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


@pytest.fixture
def front(aws: Aws, folder: Path) -> Iterator[tuple[CloudFront, CertificateAuthority]]:
    """Yield what stands in front of the cloud."""
    authority = CertificateAuthority(folder / "tls")
    with CloudFront(authority, "clouds", aws.routes) as made:
        yield made, authority


def call(
    front: tuple[CloudFront, CertificateAuthority],
    host: str,
    method: str = "POST",
    path: str = "/",
    body: str = "{}",
    **header: str,
) -> tuple[int, str]:
    """Call something of the cloud by its name; return status and body."""
    context = ssl.create_default_context(cafile=str(front[1].certificate))
    connection = http.client.HTTPSConnection("127.0.0.1", front[0].port, timeout=20, context=context)
    connection.set_tunnel(host, 443)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in header.items()})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_a_call_that_nobody_signed_is_refused(front: tuple[CloudFront, CertificateAuthority]) -> None:
    """Of the other services every call is; and hosts that are none of AWS's are not reached."""
    for host in ("kms.us-east-1.amazonaws.com", "data.s3.us-east-1.amazonaws.com", "iam.amazonaws.com"):
        status, text = call(front, host, X_Amz_Target="TrentService.Decrypt")
        assert status == http.client.FORBIDDEN
        assert "<Code>MissingAuthenticationToken</Code>" in text
    with pytest.raises(OSError, match="403"):
        call(front, "kms.us-east-1.amazonaws.com.example")


@pytest.mark.parametrize("wrong", ["key", "secret", "session"])
def test_a_call_that_somebody_else_signed_is_refused(
    aws: Aws, front: tuple[CloudFront, CertificateAuthority], wrong: str
) -> None:
    """An access key that nobody has, another secret, another session: the signature is looked at."""
    document = ET.fromstring(aws.assume(form(ISSUER.token(AUDIENCE))))
    got = {child.tag.partition("}")[2]: child.text or "" for child in document.iter()}
    keys = [got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"]]
    keys[["key", "secret", "session"].index(wrong)] = "ASIAXXXXXXXXXXXXXXXX"
    request = AWSRequest("GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08")
    SigV4Auth(Credentials(*keys), "iam", "us-east-1").add_auth(request)
    status, text = call(
        front, "iam.amazonaws.com", "GET", "/?Action=ListUsers&Version=2010-05-08", "", **dict(request.headers)
    )
    assert status == http.client.FORBIDDEN, text


def test_nothing_else_gets_behind_the_front(front: tuple[CloudFront, CertificateAuthority]) -> None:
    """STS takes nothing but that one action, in a form, with each field once; and moto's own doors are shut."""
    sts = "sts.us-east-1.amazonaws.com"
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/sts/aws4_request"}
    token = ISSUER.token(AUDIENCE)
    right = urllib.parse.urlencode(form(token))
    assert call(front, sts, body=right)[0] == http.client.OK
    for method, path, body in (
        ("POST", "/", right.replace("AssumeRoleWithWebIdentity", "AssumeRole")),
        ("POST", "/", right.replace("AssumeRoleWithWebIdentity", "GetCallerIdentity")),
        ("POST", "/", right + "&RoleSessionName=other"),
        ("POST", "/", ""),
        ("GET", "/?" + right, ""),
    ):
        status, text = call(front, sts, method, path, body, **signed)
        assert status == http.client.BAD_REQUEST, text
        assert "<AccessKeyId>" not in text
    assert call(front, "iam.amazonaws.com", path="/moto-api/reset-auth", body="9", **signed)[0] == http.client.NOT_FOUND


def test_a_bucket_is_in_one_region(aws: Aws, front: tuple[CloudFront, CertificateAuthority]) -> None:
    """Another region's door sends there."""
    aws.client("s3").create_bucket(Bucket="here")
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-1/s3/aws4_request"}
    for host, path in (("here.s3.eu-west-1.amazonaws.com", "/name"), ("s3.eu-west-1.amazonaws.com", "/here/name")):
        status, text = call(front, host, "GET", path, "", **signed)
        assert status == http.client.MOVED_PERMANENTLY
        assert "<Code>PermanentRedirect</Code><Message>the bucket is in us-east-1</Message>" in text


def test_a_policy_that_makes_no_sense_is_told(aws: Aws) -> None:
    """Whoever calls is told so."""
    iam = aws.client("iam")
    broken = statement("sts:AssumeRoleWithWebIdentity")
    broken["Statement"][0]["Condition"] = {"StringEqual": {"a": "b"}}
    iam.create_role(RoleName="broken", AssumeRolePolicyDocument=json.dumps(broken))
    with pytest.raises(StsError, match="the operator StringEqual is not known"):
        aws.assume(form(ISSUER.token(AUDIENCE), RoleArn=ROLE.replace("reader", "broken")))
