"""An OCI registry on loopback."""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from .certificates import CertificateAuthority
from .images import MANIFEST_TYPE, BuiltImage, Image, digest_of
from .process import HarnessError, Process

# User and password of a private registry, and the password as htpasswd keeps it (bcrypt).
REGISTRY_ACCOUNT = ("operator", "only-a-test")
_PASSWORD_HASH = "$2b$04$JAjOvcuBAFImUkELWAb2muoRdE5aw92nRDwqilGJr6e.3ADLoqMl6"


@dataclass(frozen=True)
class PushedImage:
    """Where an image can be pulled from, and what it is."""

    repository: str
    tag: str
    digest: str
    config_digest: str

    @property
    def by_tag(self) -> str:
        """Reference that a push may move."""
        return f"{self.repository}:{self.tag}"

    @property
    def by_digest(self) -> str:
        """Reference that is fixed for ever."""
        return f"{self.repository}@{self.digest}"


class Registry:
    """docker-registry with its blobs in a folder; `address` is the host:port part of references.

    It speaks plain HTTP, which clients accept of a registry on loopback and of no other, unless it is given an authority
    and the address by which others know it. A `private` one lets nobody in but REGISTRY_ACCOUNT.
    """

    def __init__(
        self,
        folder: Path,
        *,
        authority: CertificateAuthority | None = None,
        known_as: str | None = None,
        private: bool = False,
    ) -> None:
        self._folder = folder / "registry"
        self._authority = authority
        self._known_as = known_as
        self._private = private
        self.address = ""
        self.port = 0
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration: dict[str, Any] = {
            "version": 0.1,
            "log": {"level": "info", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self._folder / "data")}, "delete": {"enabled": True}},
            "http": {"addr": "127.0.0.1:0", "secret": "only a test"},
        }
        if self._authority is not None:
            addresses = [self._known_as] if self._known_as else []
            server = self._authority.issue("registry", addresses)
            configuration["http"]["tls"] = {"certificate": str(server.certificate), "key": str(server.private_key)}
        if self._private:
            accounts = self._folder / "htpasswd"
            accounts.write_text(f"{REGISTRY_ACCOUNT[0]}:{_PASSWORD_HASH}\n")
            configuration["auth"] = {"htpasswd": {"realm": "private", "path": str(accounts)}}
        path = self._folder / "config.yml"
        path.write_text(json.dumps(configuration))  # JSON is YAML
        self._process = Process(["docker-registry", "serve", path])
        try:
            line = self._process.wait_for(r"listening on ", timeout=20)
        except BaseException:
            self._process.stop()
            raise
        match = re.search(r"listening on 127\.0\.0\.1:(\d+)", line)
        if match is None:
            self._process.stop()
            raise HarnessError(f"docker-registry does not say where it listens: {line}")
        self.port = int(match[1])
        self.address = self._known_as or f"127.0.0.1:{self.port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    def push(self, image: Image | BuiltImage, name: str, tag: str = "latest") -> PushedImage:
        """Push an image under NAME:TAG."""
        built = image.build() if isinstance(image, Image) else image
        for blob in built.blobs:
            self.push_blob(name, blob)
        digest = self.push_manifest(name, tag, built.manifest)
        return PushedImage(f"{self.address}/{name}", tag, digest, built.config_digest)

    def push_blob(self, name: str, blob: bytes) -> None:
        """Upload one blob in one piece (OCI distribution specification 1.0, "Pushing blobs")."""
        digest = digest_of(blob)
        if self._request("HEAD", f"/v2/{name}/blobs/{digest}")[0] == http.client.OK:
            return
        status, headers, body = self._request("POST", f"/v2/{name}/blobs/uploads/")
        _expect(status, http.client.ACCEPTED, body)
        location = urlsplit(headers["Location"])
        query = f"{location.query}&{urlencode({'digest': digest})}".lstrip("&")
        content_type = {"Content-Type": "application/octet-stream"}
        status, _, body = self._request("PUT", f"{location.path}?{query}", blob, content_type)
        _expect(status, http.client.CREATED, body)

    def push_manifest(self, name: str, tag: str, manifest: bytes) -> str:
        """Upload a manifest or an index and return its digest."""
        media_type = json.loads(manifest).get("mediaType", MANIFEST_TYPE)
        status, _, body = self._request("PUT", f"/v2/{name}/manifests/{tag}", manifest, {"Content-Type": media_type})
        _expect(status, http.client.CREATED, body)
        return digest_of(manifest)

    def blob_path(self, digest: str) -> Path:
        """Return the file that holds a blob, for tests that spoil it."""
        algorithm, _, value = digest.partition(":")
        return self._folder / "data/docker/registry/v2/blobs" / algorithm / value[:2] / value / "data"

    def _request(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        if self._authority is not None:
            context = ssl.create_default_context(cafile=str(self._authority.certificate))
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)
        try:
            headers = dict(headers or {})
            if self._private:
                headers["Authorization"] = "Basic " + base64.b64encode(":".join(REGISTRY_ACCOUNT).encode()).decode()
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()


def _expect(status: int, wanted: int, body: bytes) -> None:
    if status != wanted:
        raise HarnessError(f"the registry answered {status}, not {wanted}: {body.decode(errors='replace')}")
