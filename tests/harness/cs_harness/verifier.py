"""The attestation service."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from .certificates import CertificateAuthority
from .process import HarnessError, Process, binary, free_port, run

SOFTWARE_VERSION = "260100"
SUPPORT_ATTRIBUTES = ("LATEST", "STABLE", "USABLE")
HARDWARE_MODEL = "SOFTWARE_TPM"  # what swtpm is, and what tokens of machines with it say


def reference_value(
    boot_log: Path,
    *,
    name: str = "confidential-space-260100",
    hardened: bool = True,
    software_version: str = SOFTWARE_VERSION,
    support_attributes: Sequence[str] = SUPPORT_ATTRIBUTES,
) -> dict[str, object]:
    """Return the reference value of the VM image that wrote a boot log."""
    output = run(
        *(binary("cs-verifier"), "reference-value", "--boot-log", boot_log, "--name", name),
        *("--swversion", software_version, "--hardened", "true" if hardened else "false"),
        *(("--support-attributes", ",".join(support_attributes)) if support_attributes else ()),
    )
    return json.loads(output)


class Verifier:
    """cs-verifier with TLS on a loopback port of its own; its `url` is also the tokens' issuer.

    `known_as` is the address by which others than this machine know it, and `issuer` what its tokens name instead of
    its `url`, by which launchers call it in any case. `settings` are added to its configuration, and may be changed ahead of a reload;
    `environment` to its environment, and with `pki` it has an authority for PKI tokens.
    """

    def __init__(
        self,
        folder: Path,
        authority: CertificateAuthority,
        *,
        attestation_roots: Sequence[Path],
        reference_values: Sequence[Mapping[str, object]],
        identity_token_issuers: Mapping[str, Path] | None = None,
        token_lifetime_seconds: int = 3600,
        require_secure_boot: bool = False,
        require_request_binding: bool = False,
        known_as: str | None = None,
        issuer: str | None = None,
        settings: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
        pki: bool = False,
    ) -> None:
        self._folder = folder / "verifier"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._authority = authority
        self.server = authority.issue("verifier", [known_as] if known_as else [])
        self.port = free_port()
        self.url = f"https://{known_as}" if known_as else f"https://127.0.0.1:{self.port}"
        self._issuer = issuer
        self._require_secure_boot = require_secure_boot
        self.require_request_binding = require_request_binding
        self.token_lifetime_seconds = token_lifetime_seconds
        self.settings = dict(settings or {})
        self._environment = environment
        self._roots = attestation_roots
        self._issuers = identity_token_issuers or {}
        self.reference_values = self._folder / "reference-values.json"
        self.reference_values.write_text(json.dumps({"images": list(reference_values)}, indent=2))
        self._process: Process | None = None
        if pki:
            root, state = self._folder / "root", self._folder / "state"
            run(binary("cs-verifier"), "pki", "init", "--root", root, "--into", state / "pki")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def lines(self) -> list[str]:
        """What the running service has logged."""
        return self._process.lines if self._process else []

    @property
    def pid(self) -> int:
        """The running service's process."""
        if self._process is None:
            raise HarnessError("the verifier has not been started")
        return self._process.pid

    def start(self) -> None:
        """Start the service and wait until it listens."""
        self.start_until(r'msg="?listening"?')

    def write_configuration(self) -> Path:
        """Write what the service is to read when it starts, or is told to read anew."""
        configuration = {
            "issuer": self._issuer or self.url,
            "endpoints": [self.url],
            "listen": {
                "address": "127.0.0.1",
                "port": self.port,
                "certificate": str(self.server.certificate),
                "private_key": str(self.server.private_key),
            },
            "state_directory": str(self._folder / "state"),
            "attestation_roots": [{"file": str(root), "hwmodel": HARDWARE_MODEL} for root in self._roots],
            "reference_values": str(self.reference_values),
            "token_lifetime_seconds": self.token_lifetime_seconds,
            "challenge_lifetime_seconds": 300,
            "require_secure_boot": self._require_secure_boot,
            "require_request_binding": self.require_request_binding,
            "identity_token_issuers": [{"issuer": issuer, "jwks": str(jwks)} for issuer, jwks in self._issuers.items()],
            **self.settings,
        }
        (self._folder / "state").mkdir(exist_ok=True)
        path = self._folder / "config.json"
        path.write_text(json.dumps(configuration, indent=2))
        return path

    def start_until(self, message: str) -> None:
        """Start the service and wait for a line of its log."""
        command = [binary("cs-verifier"), "serve", "--config", self.write_configuration()]
        self._process = Process(command, env=self._environment)
        try:
            self._process.wait_for(message, timeout=20)
        except BaseException:
            self.stop()
            raise

    def reload(self) -> str:
        """Have the running service read its files anew, and return the line in which it says what came of it."""
        if self._process is None:
            raise HarnessError("the verifier has not been started")
        before = len(self._process.lines)
        self._process.signal(signal.SIGHUP)
        return self._process.wait_for(r'msg="(reloaded|reload failed)', timeout=20, after=before)

    def wait_for(self, message: str) -> str:
        """Wait for a line of the running service's log, or find one that was written before."""
        if self._process is None:
            raise HarnessError("the verifier has not been started")
        return self._process.wait_for(message, timeout=20)

    def manage_keys(self, *arguments: str) -> str:
        """Run a command on the service's keys and return what it prints; it may be running."""
        command = [binary("cs-verifier"), "keys", *arguments, "--config", self._folder / "config.json"]
        return run(*command, env=self._environment)

    def key_states(self) -> dict[str, str]:
        """Return the state of each key by its id, as the command tells it."""
        listed = json.loads(self.manage_keys("list", "--json"))["keys"]
        return {key["kid"]: key["state"] for key in listed}

    def export(self, folder: Path) -> None:
        """Write what relying parties fetch as files."""
        run(binary("cs-verifier"), "export", "--config", self._folder / "config.json", folder)

    def stop(self) -> None:
        """Stop the service; keys and challenges stay in its state folder."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def get(self, path: str) -> dict[str, object]:
        """Fetch one of the public JSON documents."""
        return json.loads(self.fetch(path)[0])

    def fetch(self, path: str) -> tuple[bytes, http.client.HTTPMessage]:
        """Fetch a public document: its bytes, and the headers that came with it."""
        context = ssl.create_default_context(cafile=str(self._authority.certificate))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise HarnessError(f"GET {path}: {response.status} {body.decode(errors='replace')}")
        return body, response.headers

    def keys(self) -> dict[str, object]:
        """Fetch the token signing keys the way a relying party does: discovery document first."""
        discovery = self.get("/.well-known/openid-configuration")
        return self.get(urlsplit(str(discovery["jwks_uri"])).path)


def unverified_claims(token: str) -> dict[str, object]:
    """Return a token's claims without checking anything."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
