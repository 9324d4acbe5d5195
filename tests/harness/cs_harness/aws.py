"""AWS, played: moto's IAM, KMS and S3, behind a front that decides on web identity tokens as AWS's STS does.

moto takes any token and reads neither trust policies nor tags, so all of that is done here, on the provider and the role that
moto's IAM has. Every other call must be signed, which moto checks, with the policies of the role that signs.
"""

from __future__ import annotations

import contextlib
import datetime
import http.client
import json
import os
import re
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

try:
    import boto3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from botocore.exceptions import ClientError
except ImportError:  # missing_clouds() says so
    boto3 = None

from . import aws_policy
from .cloud_front import relay
from .identity_provider import IdentityProvider, TokenRefused, Why, issuer_of
from .process import Process, clouds_python, free_port, wait_connect
from .serving import Handler, form_of

ACCOUNT = "123456789012"
REGION = "us-east-1"
REGIONS = (REGION, "eu-west-1")
TAGS_CLAIM = "https://aws.amazon.com/tags"

# STS API reference, AssumeRoleWithWebIdentity; IAM user guide, "IAM and AWS STS quotas".
MIN_TOKEN_LENGTH = 4
MAX_TOKEN_LENGTH = 20000
MAX_TAGS = 50
MAX_TAG_KEY_LENGTH = 128
MAX_TAG_VALUE_LENGTH = 256
MIN_SESSION_SECONDS = 900
DEFAULT_SESSION_SECONDS = 3600
_TAG_TEXT = re.compile(r"[\w .:/=+\-@]*")
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_FORM_FIELDS = {"Action", "Version", "RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds"}

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_ALL_REQUESTS = 10**9
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class StsError(Exception):
    """What STS answers instead of credentials."""

    def __init__(self, code: str, message: str, status: int = http.client.BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True)
class AssumeCall:
    """One call of AssumeRoleWithWebIdentity: its form, and the error that it got, if it got one."""

    form: Mapping[str, str]
    error: StsError | None = None


@dataclass
class Session:
    """What a token says of the session that is wanted."""

    claims: Mapping[str, Any]
    provider_arn: str
    provider_url: str
    audience: str
    tags: Mapping[str, str] = field(default_factory=dict)

    def condition_keys(self, name: str) -> dict[str, Any]:
        """Return the keys that a trust policy can be about."""
        keys: dict[str, Any] = {
            f"{self.provider_url}:aud": self.audience,
            f"{self.provider_url}:sub": self.claims["sub"],
            "sts:RoleSessionName": name,
        }
        keys.update({f"aws:RequestTag/{key}": value for key, value in self.tags.items()})
        if self.tags:
            keys["aws:TagKeys"] = list(self.tags)
        return keys


def session_tags(claims: Mapping[str, Any]) -> dict[str, str]:
    """Return the session tags of a token, or throw for one that AWS does not take."""
    described = claims.get(TAGS_CLAIM, {})
    if not isinstance(described, Mapping) or not set(described) <= {"principal_tags", "transitive_tag_keys"}:
        raise StsError("InvalidIdentityToken", f"the claim {TAGS_CLAIM} holds something else than tags")
    tags: dict[str, str] = {}
    for key, values in described.get("principal_tags", {}).items():
        if not isinstance(values, list) or len(values) != 1 or not isinstance(values[0], str):
            raise StsError("InvalidIdentityToken", f"the tag {key} is not an array of one text")
        tags[key] = values[0]
    if len(tags) > MAX_TAGS:
        raise StsError("ValidationError", f"there are {len(tags)} tags, and at most {MAX_TAGS} are allowed")
    if len({key.lower() for key in tags}) != len(tags):
        raise StsError("InvalidParameterValue", "two tag keys differ in their case alone")
    for key, value in tags.items():
        if not 1 <= len(key) <= MAX_TAG_KEY_LENGTH or not _TAG_TEXT.fullmatch(key) or key.lower().startswith("aws:"):
            raise StsError("ValidationError", f'"{key}" is no key of a tag')
        if len(value) > MAX_TAG_VALUE_LENGTH:
            length = f"{len(value)} characters, and at most {MAX_TAG_VALUE_LENGTH} are allowed"
            raise StsError("ValidationError", f"the value of the tag {key} has {length}")
        if not _TAG_TEXT.fullmatch(value):
            raise StsError("ValidationError", f"the value of the tag {key} has a character that is not allowed")
    return tags


class Aws:
    """A region of a cloud; `fetch` is how it gets what providers publish. It is reached through a CloudFront.

    `client` makes a client of an administrator, to set up what a story needs. `calls` are those of
    AssumeRoleWithWebIdentity; after each that got credentials `answered` is called. `session_seconds` is how long
    sessions are said to last, for less than AWS's minimum.
    """

    def __init__(self, fetch: Callable[[str], bytes]) -> None:
        self._fetch = fetch
        self._port = free_port()
        self._moto: Process | None = None
        self._admin: Credentials
        self.calls: list[AssumeCall] = []
        self.answered: Callable[[], None] = lambda: None
        self.session_seconds: int | None = None

    @property
    def routes(self) -> dict[str, type[Handler]]:
        """What a CloudFront serves for it."""
        hosts = [f"{service}.{region}.amazonaws.com" for service in ("sts", "kms", "iam") for region in REGIONS]
        hosts += [f"{bucket}s3.{region}.amazonaws.com" for bucket in ("", "*.") for region in REGIONS]
        hosts += ["iam.amazonaws.com", "sts.amazonaws.com", "s3.amazonaws.com", "*.s3.amazonaws.com"]
        return dict.fromkeys(hosts, self._handler())

    def __enter__(self) -> Self:
        environment = {"INITIAL_NO_AUTH_ACTION_COUNT": str(_ALL_REQUESTS), "MOTO_ACCOUNT_ID": ACCOUNT}
        command = [clouds_python(), Path(__file__).parents[1] / "moto_server.py", str(self._port)]
        self._moto = Process(command, name="moto", env=environment)
        try:
            wait_connect(("127.0.0.1", self._port), self._moto, timeout=60)
            self._admin = self._make_administrator()
        except BaseException:
            self._moto.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._moto is not None:
            self._moto.stop()

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a client of an administrator."""
        return self._client(service, self._admin, region)

    @property
    def administrator(self) -> dict[str, str]:
        """The environment in which AWS's command line is an administrator."""
        return {
            "AWS_ACCESS_KEY_ID": self._admin.access_key,
            "AWS_SECRET_ACCESS_KEY": self._admin.secret_key,
        }

    def _client(self, service: str, who: Credentials, region: str = REGION) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self._port}",
            region_name=region,
            aws_access_key_id=who.access_key,
            aws_secret_access_key=who.secret_key,
        )

    def _make_administrator(self) -> Credentials:
        """Make one while moto takes every call, and have it take none from then on that nobody signed."""
        iam = self._client("iam", Credentials("none", "none"))
        iam.create_user(UserName="administrator")
        iam.put_user_policy(UserName="administrator", PolicyName="all", PolicyDocument=json.dumps(_EVERYTHING))
        key = iam.create_access_key(UserName="administrator")["AccessKey"]
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        connection.request("POST", "/moto-api/reset-auth", "0")
        if connection.getresponse().status != http.client.OK:
            raise RuntimeError("moto does not check who calls")
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    # --- AssumeRoleWithWebIdentity

    def assume(self, form: Mapping[str, str]) -> bytes:
        """Return the answer to a call, or throw StsError. It is among the calls in either case."""
        try:
            answer = self._assume(form)
        except StsError as error:
            self.calls.append(AssumeCall(form, error))
            raise
        self.calls.append(AssumeCall(form))
        self.answered()
        return answer

    def _assume(self, form: Mapping[str, str]) -> bytes:
        self._check_form(form)
        session = self._session_of(form["WebIdentityToken"])
        role = self._role(form["RoleArn"])
        limit = role["MaxSessionDuration"]
        seconds = int(form.get("DurationSeconds", DEFAULT_SESSION_SECONDS))
        if not MIN_SESSION_SECONDS <= seconds <= limit:
            raise StsError("ValidationError", f"DurationSeconds is not between {MIN_SESSION_SECONDS} and {limit}")
        actions = [aws_policy.ASSUME, *([aws_policy.TAG] if session.tags else [])]
        policy = role["AssumeRolePolicyDocument"]
        keys = session.condition_keys(form["RoleSessionName"])
        try:
            decision = aws_policy.decide(policy, session.provider_arn, actions, keys)
        except aws_policy.PolicyError as error:
            raise StsError("MalformedPolicyDocument", str(error)) from error
        if not decision.allowed:
            raise _not_authorized("; ".join(decision.reasons))
        return self._credentials(form, session)

    @staticmethod
    def _check_form(form: Mapping[str, str]) -> None:
        unknown = set(form) - _FORM_FIELDS
        missing = _FORM_FIELDS - {"DurationSeconds"} - set(form)
        if unknown or missing:
            raise StsError("ValidationError", f"the call has {sorted(unknown)} and lacks {sorted(missing)}")
        if form["Version"] != "2011-06-15":
            raise StsError("InvalidAction", f"Version is {form['Version']}")
        if not _SESSION_NAME.fullmatch(form["RoleSessionName"]):
            raise StsError("ValidationError", "RoleSessionName is not 2 to 64 letters, digits and +=,.@-_")
        length = len(form["WebIdentityToken"])
        if not MIN_TOKEN_LENGTH <= length <= MAX_TOKEN_LENGTH:
            allowed = f"{MIN_TOKEN_LENGTH} to {MAX_TOKEN_LENGTH} are allowed"
            raise StsError("ValidationError", f"WebIdentityToken has {length} characters, and {allowed}")

    def _session_of(self, token: str) -> Session:
        try:
            issuer = issuer_of(token)
            arn, provider = self._provider(issuer)
            claims = provider.verify(token)
        except TokenRefused as refusal:
            code = "ExpiredTokenException" if refusal.why is Why.EXPIRED else "InvalidIdentityToken"
            raise StsError(code, f"the token is refused: {refusal}") from refusal
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        return Session(
            claims=claims,
            provider_arn=arn,
            provider_url=provider.issuer.removeprefix("https://"),
            audience=next(audience for audience in audiences if audience in provider.audiences),
            tags=session_tags(claims),
        )

    def _provider(self, issuer: str) -> tuple[str, IdentityProvider]:
        iam = self.client("iam")
        for listed in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
            provider = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=listed["Arn"])
            url = "https://" + provider["Url"].removeprefix("https://")
            if url.rstrip("/") == issuer.rstrip("/"):
                return listed["Arn"], IdentityProvider(url, provider["ClientIDList"], self._fetch)
        raise TokenRefused(Why.ISSUER, f"no OpenID Connect provider of this account has the URL {issuer}")

    def _role(self, arn: str) -> dict[str, Any]:
        account, _, name = arn.removeprefix("arn:aws:iam::").partition(":role/")
        try:
            if account != ACCOUNT:
                raise _not_authorized(f"there is no role {arn}")
            return self.client("iam").get_role(RoleName=name)["Role"]
        except ClientError as error:
            raise _not_authorized(f"there is no role {arn}") from error

    def _credentials(self, form: Mapping[str, str], session: Session) -> bytes:
        """Have moto make the session, and say of it what STS says."""
        request = AWSRequest(
            "POST",
            f"http://127.0.0.1:{self._port}/",
            data=urllib.parse.urlencode(form),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        SigV4Auth(self._admin, "sts", REGION).add_auth(request)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        connection.request("POST", "/", request.body, dict(request.headers))
        answer = connection.getresponse()
        document = ET.fromstring(answer.read())
        connection.close()
        ET.register_namespace("", _NAMESPACE)
        result = document.find(f"{{{_NAMESPACE}}}AssumeRoleWithWebIdentityResult")
        if answer.status != http.client.OK or result is None:
            raise RuntimeError(f"moto makes no session: {answer.status}")
        for name, value in {
            "SubjectFromWebIdentityToken": str(session.claims["sub"]),
            "Audience": session.audience,
            "Provider": session.provider_arn,
        }.items():
            ET.SubElement(result, f"{{{_NAMESPACE}}}{name}").text = value
        expiration = result.find(f"{{{_NAMESPACE}}}Credentials/{{{_NAMESPACE}}}Expiration")
        if self.session_seconds is not None and expiration is not None:
            end = datetime.datetime.now(tz=datetime.UTC) + datetime.timedelta(seconds=self.session_seconds)
            expiration.text = end.strftime("%Y-%m-%dT%H:%M:%SZ")
        return ET.tostring(document)

    def _other_region(self, host: str, path: str) -> str | None:
        """Return where a bucket is, if it is in another region than the host that is asked for it."""
        found = re.fullmatch(r"(?:(.+)\.)?s3(?:\.([a-z0-9-]+))?\.amazonaws\.com", host)
        bucket = found[1] or path.split("/")[1].partition("?")[0] if found else ""
        if found is None or not bucket:
            return None
        try:
            place = self.client("s3").get_bucket_location(Bucket=bucket)["LocationConstraint"] or REGION
        except ClientError:
            return None  # there is none yet, or it is not to be seen
        return place if place != (found[2] or REGION) else None

    # --- the door

    def _handler(self) -> type[Handler]:
        outer = self

        class Api(Handler):
            def do_GET(self) -> None:
                self._serve()

            def do_HEAD(self) -> None:
                self._serve()

            def do_PUT(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def do_DELETE(self) -> None:
                self._serve()

            def _serve(self) -> None:
                body = self.read_body()
                host = self.headers["Host"]
                if host.startswith("sts."):
                    self._assume(body)
                elif self.path.startswith("/moto-api"):
                    self._refuse(StsError("InvalidAction", "there is no such path", 404))
                elif "Authorization" not in self.headers:
                    self._refuse(StsError("MissingAuthenticationToken", "the call is not signed", 403))
                elif (region := outer._other_region(host, self.path)) is not None:
                    error = StsError("PermanentRedirect", f"the bucket is in {region}", http.client.MOVED_PERMANENTLY)
                    self._refuse(error, {"x-amz-bucket-region": region})
                else:
                    moto = http.client.HTTPConnection("127.0.0.1", outer._port, timeout=20)
                    with contextlib.closing(moto):
                        relay(self, moto, body, _as_kms_says_it if host.startswith("kms.") else None)

            def _assume(self, body: bytes) -> None:
                try:
                    form = form_of(body.decode())
                    if self.command != "POST" or self.path != "/" or form.get("Action") != "AssumeRoleWithWebIdentity":
                        raise StsError("InvalidAction", "nothing but AssumeRoleWithWebIdentity is played")
                    self.reply(http.client.OK, outer.assume(form), {"Content-Type": "text/xml"})
                except ValueError as error:
                    self._refuse(StsError("MalformedInput", str(error)))
                except StsError as error:
                    self._refuse(error)

            def _refuse(self, error: StsError, header: Mapping[str, str] | None = None) -> None:
                told = f"<Code>{error.code}</Code><Message>{escape(str(error))}</Message>"
                if ".s3." in "." + self.headers["Host"]:
                    text = f"<Error>{told}</Error>"
                else:
                    sender = f"<Error><Type>Sender</Type>{told}</Error><RequestId>none</RequestId>"
                    text = f'<ErrorResponse xmlns="{_NAMESPACE}">{sender}</ErrorResponse>'
                self.reply(error.status, text.encode(), {"Content-Type": "text/xml", **(header or {})})

        return Api


def _as_kms_says_it(answer: bytes) -> bytes:
    """Return a refusal of moto's, which is XML for every service, as KMS words it; anything else as it is."""
    if not answer.startswith(b"<"):
        return answer
    error = ET.fromstring(answer).find(".//Error")
    texts = {child.tag: child.text or "" for child in error} if error is not None else {}
    return json.dumps({"__type": texts.get("Code", "") + "Exception", "message": texts.get("Message", "")}).encode()


def _not_authorized(reason: str) -> StsError:
    return StsError("AccessDenied", f"Not authorized to perform {aws_policy.ASSUME}: {reason}", http.client.FORBIDDEN)


def missing_clouds() -> list[str]:
    """Say what of the clouds that are played is not there."""
    missing = [] if boto3 is not None else ["python3-boto3 is not installed"]
    if not os.access(clouds_python(), os.X_OK):
        missing.append(f"{clouds_python()} is not built (target clouds)")
    return missing
