"""Google Cloud, played: the Security Token Service, IAM Credentials, Cloud KMS and Cloud Storage.

As far as workload identity federation goes: token exchange by a pool's provider, with its attribute mapping and condition in the
hands of the reference implementation of their language; direct access by principals, and impersonation of service accounts. Every
field of a request is looked at, and what is not known here is refused.
"""

from __future__ import annotations

import base64
import datetime
import email
import http.client
import json
import re
import secrets
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import conditions
from .identity_provider import IdentityProvider, TokenRefused, Why
from .serving import Handler, form_of

STS, IAM_CREDENTIALS = "sts.googleapis.com", "iamcredentials.googleapis.com"
KMS, STORAGE = "cloudkms.googleapis.com", "storage.googleapis.com"
CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
WORKLOAD_IDENTITY_USER = "roles/iam.workloadIdentityUser"
DECRYPTER = "roles/cloudkms.cryptoKeyDecrypter"
OBJECT_VIEWER, OBJECT_CREATOR = "roles/storage.objectViewer", "roles/storage.objectCreator"

TOKEN_SECONDS = 3600
_NONCE_BYTES = 12
_POOL = r"projects/\d+/locations/global/workloadIdentityPools/[a-z0-9-]+"
_AUDIENCE = re.compile(rf"//iam\.googleapis\.com/({_POOL})/providers/([a-z0-9-]+)")
_EXCHANGE = {
    "grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"},
    "requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
    "subject_token_type": {"urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"},
}
_EXCHANGE_FIELDS = {*_EXCHANGE, "audience", "scope", "subject_token"}


class ApiError(Exception):
    """What an API answers instead of what it was asked for; of the token service in the form of RFC 6749."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def as_json(self, host: str) -> dict[str, Any]:
        """Return the answer."""
        if host == STS:
            return {"error": self.code, "error_description": str(self)}
        return {"error": {"code": self.status, "message": str(self), "status": self.code}}


@dataclass
class Provider:
    """Who may issue tokens for a pool, and what is made of them."""

    issuer_uri: str
    allowed_audiences: Sequence[str]
    mapping: Mapping[str, str]
    condition: str = ""


@dataclass
class Resource:
    """Something that IAM guards: who has which role on it, and what it holds."""

    bindings: set[tuple[str, str]] = field(default_factory=set)
    objects: dict[str, bytes] = field(default_factory=dict)
    key: AESGCM = field(default_factory=lambda: AESGCM(secrets.token_bytes(32)))


@dataclass(frozen=True)
class Principal:
    """Who stands behind an access token: the members, as IAM's bindings name them, that it is."""

    name: str
    members: frozenset[str]


@dataclass(frozen=True)
class Call:
    """One exchange of a token, with the reasons for which it was refused."""

    form: Mapping[str, str]
    error: ApiError | None = None


class GoogleCloud:
    """`providers` are those of pools, by `POOL/providers/NAME`; `resources` are keys, buckets and service accounts by their names.

    It is reached through a CloudFront; `fetch` is how it gets what issuers publish. `calls` are the exchanges of tokens;
    `token_seconds` is how long access tokens are said to last, and `decrypted` is called whenever a key was used.
    """

    def __init__(self, fetch: Callable[[str], bytes]) -> None:
        self._fetch = fetch
        self.pools: set[str] = set()
        self.providers: dict[str, Provider] = {}
        self.resources: dict[str, Resource] = {}
        self.calls: list[Call] = []
        self.decrypted: Callable[[], object] = lambda: None
        self.token_seconds = TOKEN_SECONDS
        self._principals: dict[str, tuple[Principal, float]] = {}  # and when their tokens end

    @property
    def routes(self) -> dict[str, type[Handler]]:
        """What a CloudFront serves for it."""
        return dict.fromkeys((STS, IAM_CREDENTIALS, KMS, STORAGE), self._handler())

    # --- the Security Token Service

    def exchange(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Return the answer to a token exchange, or throw ApiError. It is among the calls in either case."""
        try:
            answer = self._exchange(form)
        except ApiError as error:
            self.calls.append(Call(form, error))
            raise
        self.calls.append(Call(form))
        return answer

    def _exchange(self, form: Mapping[str, str]) -> dict[str, Any]:
        unknown, missing = set(form) - _EXCHANGE_FIELDS, _EXCHANGE_FIELDS - set(form)
        if unknown or missing:
            raise _bad_request("invalid_request", f"the request has {sorted(unknown)} and lacks {sorted(missing)}")
        for name, allowed in _EXCHANGE.items():
            if form[name] not in allowed:
                raise _bad_request("invalid_request", f"{name} is {form[name]!r}")
        if CLOUD_PLATFORM not in form["scope"].split():
            raise _bad_request("invalid_scope", f"scope is {form['scope']!r}")
        audience = _AUDIENCE.fullmatch(form["audience"])
        provider = self.providers.get(f"{audience[1]}/providers/{audience[2]}") if audience else None
        if audience is None or provider is None:
            raise _bad_request("invalid_target", f'there is no provider "{form["audience"]}"')
        verdict = self._appraise(form["subject_token"], provider, form["audience"])
        if verdict.reasons:
            rejected = "The given credential is rejected by the attribute condition"
            raise _bad_request("unauthorized_client", f"{rejected}: {'; '.join(verdict.reasons)}")
        principal = _federated(audience[1], verdict.attributes)
        return {
            "access_token": self._token_for(principal, self.token_seconds),
            "issued_token_type": form["requested_token_type"],
            "token_type": "Bearer",
            "expires_in": self.token_seconds,
        }

    def _appraise(self, token: str, provider: Provider, default_audience: str) -> conditions.Verdict:
        default = {default_audience, "https:" + default_audience}
        issuer = IdentityProvider(provider.issuer_uri, provider.allowed_audiences or default, self._fetch, refuses_x5c=True)
        try:
            claims = issuer.verify(token)
        except TokenRefused as refusal:
            code = "invalid_target" if refusal.why is Why.KEYS else "invalid_grant"
            raise _bad_request(code, f"the token is refused: {refusal}") from refusal
        try:
            return conditions.evaluate(claims, provider.mapping, provider.condition)
        except conditions.BadPolicy as error:
            raise _bad_request("invalid_request", str(error)) from error

    def _token_for(self, principal: Principal, seconds: int) -> str:
        token = "ya29." + secrets.token_urlsafe(40)
        self._principals[token] = (principal, time.monotonic() + seconds)
        return token

    # --- what principals may do

    def resource(self, name: str) -> Resource:
        """Return a resource, which is made when there is none yet."""
        return self.resources.setdefault(name, Resource())

    def encrypt(self, key: str, plaintext: bytes) -> bytes:
        """Encrypt with a key of Cloud KMS, as its owner."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self.resource(key).key.encrypt(nonce, plaintext, key.encode())

    def _allowed(self, authorization: str | None, role: str, name: str, permission: str) -> Resource:
        """Return a resource, on which the bearer of a token must have a role."""
        scheme, _, token = (authorization or "").partition(" ")
        principal, end = self._principals.get(token, (None, 0.0))
        if scheme != "Bearer" or principal is None or end <= time.monotonic():
            raise ApiError(http.client.UNAUTHORIZED, "UNAUTHENTICATED", "the call has no valid access token")
        resource = self.resources.get(name)
        if resource is None or not any(role == has and member in principal.members for has, member in resource.bindings):
            denied = f"Permission '{permission}' denied on resource '{name}' (or it may not exist)"
            raise ApiError(http.client.FORBIDDEN, "PERMISSION_DENIED", f"{denied}, for {principal.name}")
        return resource

    def _generate_access_token(self, authorization: str | None, path: str, body: bytes) -> dict[str, Any]:
        found = re.fullmatch(r"/v1/projects/-/serviceAccounts/([^:/]+):generateAccessToken", path)
        if found is None:
            raise _not_found(path)
        account = urllib.parse.unquote(found[1])
        request = _json_object(body, {"scope", "lifetime", "delegates"})
        if CLOUD_PLATFORM not in request.get("scope", []) or request.get("delegates"):
            raise _bad_request("INVALID_ARGUMENT", "scope or delegates")
        seconds = re.fullmatch(r"(\d+)s", request.get("lifetime", "3600s"))
        if seconds is None or not 0 < int(seconds[1]) <= TOKEN_SECONDS:
            raise _bad_request("INVALID_ARGUMENT", "lifetime is not between 1s and 3600s")
        self._allowed(authorization, WORKLOAD_IDENTITY_USER, account, "iam.serviceAccounts.getAccessToken")
        member = f"serviceAccount:{account}"
        end = datetime.datetime.now(tz=datetime.UTC) + datetime.timedelta(seconds=int(seconds[1]))
        token = self._token_for(Principal(account, frozenset({member})), int(seconds[1]))
        return {"accessToken": token, "expireTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _decrypt(self, authorization: str | None, path: str, body: bytes) -> dict[str, Any]:
        found = re.fullmatch(r"/v1/(projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+):decrypt", path)
        if found is None:
            raise _not_found(path)
        request = _json_object(body, {"ciphertext"})
        key = self._allowed(authorization, DECRYPTER, found[1], "cloudkms.cryptoKeyVersions.useToDecrypt").key
        try:
            sealed = base64.b64decode(request["ciphertext"], validate=True)
            plaintext = key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], found[1].encode())
        except (KeyError, ValueError, InvalidTag) as error:
            raise _bad_request("INVALID_ARGUMENT", "Decryption failed: the ciphertext is invalid.") from error
        self.decrypted()
        return {"plaintext": base64.b64encode(plaintext).decode()}

    def _download(self, authorization: str | None, path: str, query: Mapping[str, str]) -> bytes:
        found = re.fullmatch(r"/storage/v1/b/([^/]+)/o/([^/]+)", path)
        if found is None or query.get("alt") != "media" or not set(query) <= {"alt", "prettyPrint"}:
            raise _not_found(path)
        bucket = self._allowed(authorization, OBJECT_VIEWER, found[1], "storage.objects.get")
        name = urllib.parse.unquote(found[2])
        if name not in bucket.objects:
            raise _not_found(name)
        return bucket.objects[name]

    def _upload(self, authorization: str | None, path: str, query: Mapping[str, str], message: bytes) -> dict[str, Any]:
        found = re.fullmatch(r"/upload/storage/v1/b/([^/]+)/o", path)
        known = {"alt", "prettyPrint", "uploadType"}
        if found is None or query.get("uploadType") != "multipart" or not set(query) <= known:
            raise _not_found(path)
        bucket = self._allowed(authorization, OBJECT_CREATOR, found[1], "storage.objects.create")
        try:
            parts = email.message_from_bytes(message).get_payload()
            described, content = (part.get_payload(decode=True) for part in parts)
            name = str(_json_object(described, {"name"})["name"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _bad_request("INVALID_ARGUMENT", "the body is no object and its description") from error
        if name in bucket.objects:  # to replace one takes a role that may delete
            denied = f"Permission 'storage.objects.delete' denied on resource '{found[1]}' (or it may not exist)"
            raise ApiError(http.client.FORBIDDEN, "PERMISSION_DENIED", denied)
        bucket.objects[name] = content
        return {"kind": "storage#object", "bucket": found[1], "name": name, "size": str(len(content))}

    # --- the door

    def _handler(self) -> type[Handler]:
        outer = self

        class Api(Handler):
            def do_GET(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def _serve(self) -> None:
                host = self.headers["Host"]
                try:
                    answer = self._answer(host, self.read_body())
                except ApiError as error:
                    self.reply(error.status, json.dumps(error.as_json(host)).encode(), _JSON)
                    return
                if isinstance(answer, bytes):
                    self.reply(http.client.OK, answer, {"Content-Type": "application/octet-stream"})
                    return
                self.reply(http.client.OK, json.dumps(answer).encode(), _JSON)

            def _answer(self, host: str, body: bytes) -> bytes | dict[str, Any]:
                url = urllib.parse.urlsplit(self.path)
                try:
                    query = form_of(url.query)
                    form = form_of(body.decode()) if host == STS else {}
                except ValueError as error:
                    raise _bad_request("INVALID_ARGUMENT", str(error)) from error
                authorization = self.headers["Authorization"]
                if host == STS and url.path == "/v1/token" and self.command == "POST":
                    return outer.exchange(form)
                if host == IAM_CREDENTIALS and self.command == "POST":
                    return outer._generate_access_token(authorization, url.path, body)
                if host == KMS and self.command == "POST":
                    return outer._decrypt(authorization, url.path, body)
                if host == STORAGE and self.command == "GET":
                    return outer._download(authorization, url.path, query)
                if host == STORAGE and self.command == "POST":
                    header = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
                    return outer._upload(authorization, url.path, query, header + body)
                raise _not_found(self.path)

        return Api


_JSON = {"Content-Type": "application/json"}


def _federated(pool: str, attributes: Mapping[str, Any]) -> Principal:
    """Return who a token of a pool's provider makes of its bearer."""
    base = f"//iam.googleapis.com/{pool}"
    subject = attributes["google.subject"]
    members = {f"principal:{base}/subject/{subject}", f"principalSet:{base}/*"}
    for name, value in attributes.items():
        if name.startswith("attribute."):
            members.add(f"principalSet:{base}/{name}/{value}")
    members |= {f"principalSet:{base}/group/{group}" for group in attributes.get("google.groups", [])}
    return Principal(f"principal:{base}/subject/{subject}", frozenset(members))


def _json_object(body: bytes, known: set[str]) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except ValueError as error:
        raise _bad_request("INVALID_ARGUMENT", "the body is no JSON") from error
    if not isinstance(request, dict) or not set(request) <= known:
        raise _bad_request("INVALID_ARGUMENT", f"the body has other fields than {sorted(known)}")
    return request


def _bad_request(code: str, message: str) -> ApiError:
    return ApiError(http.client.BAD_REQUEST, code, message)


def _not_found(path: str) -> ApiError:
    return ApiError(http.client.NOT_FOUND, "NOT_FOUND", f"there is no {path}")
