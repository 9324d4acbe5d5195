"""The cloud's metadata server, as far as a launcher talks to it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from .process import free_port
from .serving import Handler, Serving

FLAVOR = "Metadata-Flavor"
IDENTITY_ISSUER = "https://accounts.google.com"


@dataclass
class Instance:
    """Who the machine is."""

    project_id: str = "mealcorp-project"
    project_number: int = 424242424242
    zone: str = "us-central1-a"
    name: str = "workload-vm"
    id: int = 4099312455551234567
    hostname: str = "workload-vm.us-central1-a.c.mealcorp-project.internal"
    service_account: str = "workload@mealcorp-project.iam.gserviceaccount.com"


@dataclass
class MetadataServer:
    """Serves `attributes` and the instance's identity under /computeMetadata/v1/.

    `attributes` may be changed between launches. `jwks` is the file with the key that signs identity tokens, and
    `requests` the paths that were asked for, and `identity_tokens` what it signed.
    """

    folder: Path
    instance: Instance = field(default_factory=Instance)
    attributes: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    identity_tokens: list[str] = field(default_factory=list)
    #: Served instead of the attributes, for documents that no honest server would serve.
    raw_attributes: str | None = None
    #: Answers in the place of the usual ones, by path below computeMetadata/v1/; "\udcff" becomes the byte 0xff.
    overrides: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        self.jwks = self.folder / "identity-jwks.json"
        self.jwks.write_text(json.dumps({"keys": [{**public, "kid": "identity-1", "use": "sig", "alg": "RS256"}]}))
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._serving: Serving | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def share_keys(self, other: MetadataServer) -> None:
        """Sign identity tokens as another server does, so that who believes that one believes this one."""
        self._key = other._key

    def start(self) -> None:
        """Start to serve, behind a stop at the same address as before."""
        outer = self

        class Metadata(Handler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                if self.headers.get(FLAVOR) != "Google":
                    self._answer(403, "text/html", f"Missing {FLAVOR}:Google header.")
                    return
                answer = outer.answer(self.path)
                if answer is None:
                    self._answer(404, "text/html", "not found")
                else:
                    kind = "application/json" if answer.startswith("{") else "application/text"
                    self._answer(200, kind, answer)

            def _answer(self, status: int, kind: str, text: str) -> None:
                self.reply(status, text.encode(errors="surrogateescape"), {FLAVOR: "Google", "Content-Type": kind})

        self._serving = Serving(Metadata, self.port).start()

    def stop(self) -> None:
        """Stop to serve; nobody listens at the address then."""
        if self._serving is not None:
            self._serving.stop()
            self._serving = None

    def answer(self, target: str) -> str | None:
        """Return the body for a request target, None for an unknown one."""
        url = urlsplit(target)
        query = parse_qs(url.query)
        instance = self.instance
        path = url.path.removeprefix("/computeMetadata/v1/")
        values: Mapping[str, str] = {
            "project/project-id": instance.project_id,
            "project/numeric-project-id": str(instance.project_number),
            "instance/id": str(instance.id),
            "instance/name": instance.name,
            "instance/hostname": instance.hostname,
            "instance/zone": f"projects/{instance.project_number}/zones/{instance.zone}",
            "instance/service-accounts/default/email": instance.service_account,
        }
        if path in self.overrides:
            return self.overrides[path]
        if path in values:
            return values[path]
        if path.rstrip("/") == "instance/attributes" and query.get("recursive") == ["true"]:
            return json.dumps(self.attributes) if self.raw_attributes is None else self.raw_attributes
        if path == "instance/service-accounts/default/token":
            return json.dumps({"access_token": "test-access-token", "expires_in": 3599, "token_type": "Bearer"})
        if path == "instance/service-accounts/default/identity" and "audience" in query:
            return self.identity_token(query["audience"][0])
        return None

    def identity_token(self, audience: str, account: str | None = None) -> str:
        """Mint an ID token of the default service account, or of another one."""
        now = int(time.time())
        claims = {
            "iss": IDENTITY_ISSUER,
            "aud": audience,
            "sub": "113774264463038321964",
            "azp": "113774264463038321964",
            "email": account or self.instance.service_account,
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
        }
        token = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "identity-1"})
        self.identity_tokens.append(token)
        return token
