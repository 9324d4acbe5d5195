"""What virtual machines that boot the built images need around them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .certificates import CertificateAuthority
from .metadata import IDENTITY_ISSUER, MetadataServer
from .observer import observed
from .postbox import Postbox
from .process import REPOSITORY, binary, run
from .registry import Registry
from .verifier import Verifier
from .vm import Hardware, VirtualMachine

# Where the machines find what the image was built to believe in.
VERIFIER = "169.254.0.10"
REGISTRY = "169.254.0.11"
POSTBOX = "169.254.0.12"
METADATA = "169.254.169.254"
PCR_BANKS = ("sha256", "sha384")


def images_folder() -> Path:
    """Return the folder with the built images; CS_IMAGES names another one."""
    return Path(os.environ.get("CS_IMAGES") or REPOSITORY / "build/image")


class VmWorld:
    """A registry, a verifier that knows the built images, a postbox, and TPMs as a cloud provisions them."""

    def __init__(
        self,
        folder: Path,
        images: Path | None = None,
        *,
        token_lifetime_seconds: int = 3600,
        private_registry: bool = False,
    ) -> None:
        self.images = images or images_folder()
        self.folder = folder
        trial = self.images / "trial-ca"
        self.authority = CertificateAuthority(folder / "tls", root=(trial / "ca.crt", trial / "ca.key"))
        self.metadata = MetadataServer(folder / "metadata")
        self.registry = Registry(folder, authority=self.authority, known_as=REGISTRY, private=private_registry)
        self.postbox = Postbox(known_as=POSTBOX)
        self._tpm_state = folder / "tpm"
        entries = json.loads((self.images / "reference-values.json").read_text())["images"]
        self.reference_values: Sequence[Mapping[str, object]] = entries
        self._keys = {name: (self.images / f"secure-boot/{name}.esl").read_bytes() for name in ("PK", "KEK", "db")}
        self.verifier = Verifier(
            folder,
            self.authority,
            attestation_roots=[folder / "attestation-ca/ca.pem"],
            reference_values=entries,
            identity_token_issuers={IDENTITY_ISSUER: self.metadata.jwks},
            token_lifetime_seconds=token_lifetime_seconds,
            require_secure_boot=True,
            known_as=VERIFIER,
        )
        self._stack = contextlib.ExitStack()
        self._machines = 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._provision_tpm()
            for service in (self.metadata, self.registry, self.postbox, self.verifier):
                stack.enter_context(service)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def machine(
        self,
        variant: str = "hardened",
        *,
        image: Path | None = None,
        metadata: MetadataServer | None = None,
        tpm: str | None = "provisioned",
        is_observed: bool = False,
        **hardware: Any,
    ) -> VirtualMachine:
        """Return a machine that is ready to be entered.

        `tpm` is "provisioned", "blank" or None. Machines that run side by side each have a metadata server of their own;
        without one they share that of the world. One that is observed has a shell on its console, whatever the image,
        and no Secure Boot: there are no tokens for it. `hardware` is as in Hardware.
        """
        self._machines += 1
        folder = self.folder / f"vm-{self._machines}"
        folder.mkdir()
        state = None
        if tpm is not None:
            state = folder / "tpm"
            if tpm == "provisioned":
                shutil.copytree(self._tpm_state, state)
            else:
                _make_tpm(state)
        server = metadata or self.metadata
        services = {
            f"{METADATA}:80": server.port,
            f"{VERIFIER}:443": self.verifier.port,
            f"{REGISTRY}:443": self.registry.port,
            f"{POSTBOX}:80": self.postbox.port,
        }
        if is_observed:
            hardware["kernel"] = observed(self.images / f"{variant}.efi", folder)
        return VirtualMachine(
            folder,
            image or self.images / f"{variant}.raw",
            keys=self._keys,
            services=services,
            tpm_state=state,
            hardware=Hardware(**hardware),
        )

    def _provision_tpm(self) -> None:
        """Do what a cloud does before the first boot: certify the attestation key and note the machine's identity."""
        _make_tpm(self._tpm_state)
        instance = self.metadata.instance
        run(
            *(binary("cs-vtpm"), "provision", "--state", self._tpm_state, "--ca", self.folder / "attestation-ca"),
            *("--project-id", instance.project_id, "--project-number", str(instance.project_number)),
            *("--zone", instance.zone, "--instance-name", instance.name, "--instance-id", str(instance.id)),
        )


def _make_tpm(state: Path) -> None:
    state.mkdir()
    run("swtpm_setup", "--tpm2", "--tpm-state", state, "--pcr-banks", ",".join(PCR_BANKS), "--overwrite")
