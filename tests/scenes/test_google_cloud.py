"""Google Cloud, as it is played, refuses what Google Cloud refuses."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cs_harness import CertificateAuthority, CloudFront
from cs_harness.gcloud import JWT, Gcloud, GcloudError
from cs_harness.google_cloud import (
    CLOUD_PLATFORM,
    DECRYPTER,
    OBJECT_CREATOR,
    OBJECT_VIEWER,
    WORKLOAD_IDENTITY_USER,
    ApiError,
    GoogleCloud,
    Provider,
)
from cs_harness.published_issuer import PublishedIssuer

AUDIENCE = "https://sts.googleapis.com"
POOL = "projects/1234/locations/global/workloadIdentityPools/pool"
PROVIDER = f"{POOL}/providers/verifier"
KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
ACCOUNT = "reader@p.iam.gserviceaccount.com"
SUBJECT = f"principal://iam.googleapis.com/{POOL}/subject/machine"
ISSUER = PublishedIssuer("https://issuer.example")


@pytest.fixture
def cloud() -> GoogleCloud:
    """Return a cloud with a provider for the issuer's tokens."""
    made = GoogleCloud(ISSUER.fetch)
    mapping = {"google.subject": "assertion.sub", "attribute.color": "assertion.color"}
    made.providers[PROVIDER] = Provider(ISSUER.url, [AUDIENCE], mapping, "assertion.color != 'red'")
    return made


def token(**claims: Any) -> str:
    """Return a token of the issuer's."""
    return ISSUER.token(**{"audience": AUDIENCE, "color": "blue", **claims})


def form(subject_token: str, **changed: str | None) -> dict[str, str]:
    """Return the form of an exchange, with fields changed, or left out where they are None."""
    usual = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "audience": f"//iam.googleapis.com/{PROVIDER}",
        "scope": CLOUD_PLATFORM,
        "subject_token": subject_token,
        **changed,
    }
    return {name: value for name, value in usual.items() if value is not None}


@pytest.mark.parametrize(
    ("subject_token", "code", "message"),
    [
        (token(audience="https://other.example"), "invalid_grant", "is for"),
        (token(exp=int(time.time()) - 5), "invalid_grant", "has expired"),
        (token(iat=int(time.time()) + 600), "invalid_grant", "its iat lies in the future"),
        (token(iss="https://other.example"), "invalid_grant", "its issuer is"),
        (token(exp="tomorrow"), "invalid_grant", "exp"),
        (token(key_id="second"), "invalid_grant", 'no key "second"'),
        (token(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)), "invalid_grant", "its signature"),
        ("no token", "invalid_grant", "no JSON Web Token"),
        (token(color="red"), "unauthorized_client", 'attribute condition: condition assertion.color != "red": found'),
        (token(color=None), "unauthorized_client", "no such key: color"),
        (token(color=["a"]), "unauthorized_client", "attribute.color is list, not text"),
        (token(sub="x" * 128), "unauthorized_client", "google.subject has 128 bytes, and at most 127 are allowed"),
    ],
)
def test_a_wrong_token_is_refused(cloud: GoogleCloud, subject_token: str, code: str, message: str) -> None:
    """By its code and its reason."""
    with pytest.raises(ApiError) as refusal:
        cloud.exchange(form(subject_token))
    assert (refusal.value.code, message in str(refusal.value)) == (code, True), str(refusal.value)
    assert cloud.calls[-1].error is refusal.value


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"requested_token_type": None}, "invalid_request"),
        ({"client_secret": "x"}, "invalid_request"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"audience": f"//iam.googleapis.com/{POOL}/providers/nobody"}, "invalid_target"),
        ({"audience": PROVIDER}, "invalid_target"),
        ({"options": "{}"}, "invalid_request"),
    ],
)
def test_a_wrong_exchange_is_refused(cloud: GoogleCloud, changed: dict[str, str | None], code: str) -> None:
    """By its code."""
    with pytest.raises(ApiError) as refusal:
        cloud.exchange(form(token(), **changed))
    assert refusal.value.code == code


def test_a_provider_that_makes_no_sense_is_told(cloud: GoogleCloud) -> None:
    """Its condition or mapping can't be evaluated, whatever the token; without audiences it has that of its own name."""
    cloud.providers[PROVIDER].condition = "assertion.color =="
    with pytest.raises(ApiError, match="condition: ERROR"):
        cloud.exchange(form(token()))
    cloud.providers[PROVIDER] = Provider(ISSUER.url + "/", [AUDIENCE], {"google.subject": "assertion.sub"})
    with pytest.raises(ApiError, match="its issuer is"):
        cloud.exchange(form(token()))
    cloud.providers[PROVIDER] = Provider(ISSUER.url, [], {"google.subject": "assertion.sub"})
    with pytest.raises(ApiError, match="is for"):
        cloud.exchange(form(token()))
    assert cloud.exchange(form(token(audience=f"https://iam.googleapis.com/{PROVIDER}")))["token_type"] == "Bearer"


def test_keys_with_certificates_are_refused(cloud: GoogleCloud) -> None:
    """Google Cloud takes no key set with x5c in it."""
    ISSUER.jwk["x5c"] = ["MII"]
    try:
        with pytest.raises(ApiError, match="x5c"):
            cloud.exchange(form(token()))
    finally:
        del ISSUER.jwk["x5c"]


class Client:
    """Calls the cloud's other services with an access token."""

    def __init__(self, port: int, context: ssl.SSLContext, access_token: str) -> None:
        self._port, self._context, self.access_token = port, context, access_token
        self.scheme = "Bearer "

    def __call__(
        self, method: str, host: str, path: str, body: object = None, more: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=20, context=self._context)
        connection.set_tunnel(host, 443)
        header = {"Authorization": self.scheme + self.access_token} if self.access_token else {}
        content = body if isinstance(body, str) or body is None else json.dumps(body)
        connection.request(method, path, content, {**header, **(more or {})})
        answer = connection.getresponse()
        content = answer.read()
        is_json = answer.getheader("Content-Type") == "application/json"
        return answer.status, json.loads(content) if is_json else content

    def decrypt(self, ciphertext: bytes, **more: str) -> tuple[int, Any]:
        """Have a key decrypt something."""
        body = {"ciphertext": base64.b64encode(ciphertext).decode(), **more}
        return self("POST", "cloudkms.googleapis.com", f"/v1/{KEY}:decrypt", body)

    def become(self, account: str, **more: Any) -> tuple[int, Any]:
        """Ask for an access token of a service account."""
        path = f"/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
        return self("POST", "iamcredentials.googleapis.com", path, {"scope": [CLOUD_PLATFORM], **more})


@pytest.fixture
def client(cloud: GoogleCloud, folder: Path) -> Iterator[Client]:
    """Yield the client of a machine."""
    authority = CertificateAuthority(folder / "tls")
    context = ssl.create_default_context(cafile=str(authority.certificate))
    with CloudFront(authority, "clouds", cloud.routes) as front:
        yield Client(front.port, context, cloud.exchange(form(token()))["access_token"])


def test_nobody_may_what_no_binding_allows(cloud: GoogleCloud, client: Client) -> None:
    """On each service: without a token, without a role, with the role for another, with it."""
    sealed = cloud.encrypt(KEY, b"secret")
    cloud.resource("bucket").objects["name"] = b"content"
    attempts = {
        (KEY, DECRYPTER): lambda: client.decrypt(sealed),
        ("bucket", OBJECT_VIEWER): lambda: client("GET", "storage.googleapis.com", "/storage/v1/b/bucket/o/name?alt=media"),
        (ACCOUNT, WORKLOAD_IDENTITY_USER): lambda: client.become(ACCOUNT),
    }
    right = client.access_token
    for (name, role), attempt in attempts.items():
        cloud.resource(name)
        client.access_token = ""
        assert attempt()[0] == http.client.UNAUTHORIZED
        client.access_token = right + "x"
        assert attempt()[0] == http.client.UNAUTHORIZED
        client.access_token = right
        client.scheme = ""
        assert attempt()[0] == http.client.UNAUTHORIZED
        client.scheme = "Bearer "
        client.access_token = right
        for wrong in ((role, SUBJECT + "s"), ("roles/viewer", SUBJECT), (role, f"principalSet://iam.googleapis.com/{POOL}/attribute.color/red")):
            cloud.resource(name).bindings = {wrong}
            status, answer = attempt()
            assert status == http.client.FORBIDDEN
            assert f"denied on resource '{name}'" in answer["error"]["message"]
            assert SUBJECT in answer["error"]["message"]
        for member in (
            SUBJECT,
            f"principalSet://iam.googleapis.com/{POOL}/attribute.color/blue",
            f"principalSet://iam.googleapis.com/{POOL}/*",
        ):
            cloud.resource(name).bindings = {(role, member)}
            assert attempt()[0] == http.client.OK


def test_a_service_account_has_its_own_rights(cloud: GoogleCloud, client: Client) -> None:
    """Not those of who became it, and it can't be had for longer than an hour."""
    cloud.resource(ACCOUNT).bindings.add((WORKLOAD_IDENTITY_USER, SUBJECT))
    cloud.resource(KEY).bindings.add((DECRYPTER, f"serviceAccount:{ACCOUNT}"))
    sealed = cloud.encrypt(KEY, b"secret")
    assert client.decrypt(sealed)[0] == http.client.FORBIDDEN
    for wrong in ({"lifetime": "3601s"}, {"lifetime": "1h"}, {"scope": []}, {"delegates": ["a"]}, {"more": 1}):
        assert client.become(ACCOUNT, **wrong)[0] == http.client.BAD_REQUEST
    status, answer = client.become(ACCOUNT)
    assert status == http.client.OK
    client.access_token = answer["accessToken"]
    assert client.decrypt(sealed) == (http.client.OK, {"plaintext": base64.b64encode(b"secret").decode()})
    assert client.decrypt(sealed[:-1])[0] == http.client.BAD_REQUEST
    assert client.decrypt(sealed, more="x")[0] == http.client.BAD_REQUEST


def test_an_access_token_ends(cloud: GoogleCloud, client: Client) -> None:
    """It is nobody's then."""
    cloud.resource(KEY).bindings = {(DECRYPTER, SUBJECT)}
    sealed = cloud.encrypt(KEY, b"secret")
    cloud.token_seconds = 0
    client.access_token = cloud.exchange(form(token()))["access_token"]
    assert client.decrypt(sealed)[0] == http.client.UNAUTHORIZED


def test_an_object_is_not_replaced_by_who_may_only_create(cloud: GoogleCloud, client: Client) -> None:
    """Which takes the right to delete."""
    cloud.resource("bucket").bindings = {(OBJECT_CREATOR, SUBJECT)}
    part = "--b\r\nContent-Type: application/json\r\n\r\n"
    message = f'{part}{{"name": "order"}}\r\n{part}{{}}\r\n--b--\r\n'
    header = {"Content-Type": "multipart/related; boundary=b"}
    path = "/upload/storage/v1/b/bucket/o?uploadType=multipart"
    assert client("POST", "storage.googleapis.com", path, message, header)[0] == http.client.OK
    status, answer = client("POST", "storage.googleapis.com", path, message, header)
    for wrong in ("", message.replace("name", "title"), message.replace("name", "acl"), "--b--"):
        assert client("POST", "storage.googleapis.com", path, wrong, header)[0] == http.client.BAD_REQUEST
    assert (status, "storage.objects.delete" in answer["error"]["message"]) == (http.client.FORBIDDEN, True)


def test_what_is_not_there_is_not_found(cloud: GoogleCloud, client: Client) -> None:
    """Other paths, and objects that are not there."""
    cloud.resource("bucket").bindings |= {(OBJECT_VIEWER, SUBJECT), (OBJECT_CREATOR, SUBJECT)}
    for method, host, path in (
        ("GET", "storage.googleapis.com", "/storage/v1/b/bucket/o/nothing?alt=media"),
        ("GET", "storage.googleapis.com", "/storage/v1/b/bucket/o/nothing"),
        ("GET", "storage.googleapis.com", "/storage/v1/b/bucket/o/nothing?alt=media&generation=1"),
        ("POST", "storage.googleapis.com", "/upload/storage/v1/b/bucket/o?uploadType=resumable"),
        ("POST", "cloudkms.googleapis.com", f"/v1/{KEY}:encrypt"),
        ("GET", "sts.googleapis.com", "/v1/token"),
    ):
        assert client(method, host, path, {} if method == "POST" else None)[0] == http.client.NOT_FOUND


def test_the_command_line_refuses_what_it_does_not_know(cloud: GoogleCloud, folder: Path) -> None:
    """Options, commands and values; and the same thing twice."""
    gcloud = Gcloud(cloud, folder, project="p", number=1234)
    pools = ("iam", "workload-identity-pools")
    provider = (*pools, "providers", "create-oidc", "name", "--location=global", "--workload-identity-pool=new")
    issuer = ("--issuer-uri=https://issuer.example", "--attribute-mapping=google.subject=assertion.sub")
    gcloud.run(*pools, "create", "new", "--location=global")
    gcloud.run(*provider, *issuer, "--attribute-condition=a=='b'")
    assert cloud.providers[f"{POOL[:-4]}new/providers/name"] == Provider(
        "https://issuer.example", [], {"google.subject": "assertion.sub"}, "a=='b'"
    )
    for words, message in (
        ((*pools, "create", "new", "--location=global"), "already exists"),
        ((*pools, "create", "other", "--location=eu"), "argument --location: Invalid value: eu"),
        ((*pools, "create", "other"), "argument --location: Must be specified"),
        ((*pools, "create", "--location=global"), "one name is wanted"),
        ((*pools, "create", "other", "--location"), "write --location=VALUE"),
        ((*pools, "delete", "new", "--location=global"), "Invalid choice"),
        ((*pools, "create", "other", "--location=global", "--location=global"), "stands twice"),
        (
            (*pools, "create-cred-config", "projects/1234/x", "--credential-source-type=text", f"--subject-token-type={JWT}"),
            "there is no projects/1234/x",
        ),
        ((*provider, *issuer), "already exists"),
        ((*provider, *issuer, "--color=red"), "unrecognized arguments: .'color'."),
        ((*provider[:-1], "--workload-identity-pool=none", *issuer), "there is no pool"),
        ((*provider[:4], "n2", *provider[5:], "--issuer-uri=http://a", issuer[1]), "must be https"),
        ((*provider[:4], "n2", *provider[5:], issuer[0], "--attribute-mapping=google.subject"), "Bad syntax"),
        (("kms", "keys", "create", "k", "--location=l", "--keyring=none", "--purpose=encryption"), "there is no key ring"),
        (("config", "set", "project", "other"), "you have no project other"),
        (("services", "enable", "compute.googleapis.com"), "there are no services"),
        (("kms", "encrypt", "--location=l", "--keyring=r", "--key=none"), "there is no projects/p"),
        (("storage", "buckets", "create", "bucket"), "is no bucket"),
        (("storage", "cp", "file", "gs://nothing"), "there is no bucket nothing"),
        (("iam", "service-accounts", "add-iam-policy-binding", "x", "--role=r", "--member=m"), "there is no x"),
    ):
        with pytest.raises(GcloudError, match=message):
            gcloud.run(*words)
