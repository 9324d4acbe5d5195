"""Everything a launch needs, in one folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from . import cel
from .certificates import CertificateAuthority
from .containerd import Containerd
from .launcher import Launcher
from .machine import Machine, boot_log_path
from .metadata import IDENTITY_ISSUER, MetadataServer
from .registry import Registry
from .verifier import Verifier, reference_value

HARDENED_COMMAND_LINE = "quiet confidential-space.hardened=true\n"
DEBUG_COMMAND_LINE = "quiet confidential-space.hardened=false\n"


class World:
    """A booted machine, a registry, containerd, the metadata server and the verifier.

    The machine's TPM measures one launch per boot, so `launcher` boots it again unless told otherwise. `progress` is
    called with the name of each service that is about to be started.
    """

    def __init__(
        self,
        folder: Path,
        *,
        banks: Sequence[str] | None = None,
        token_lifetime_seconds: int = 3600,
        verifier_settings: Mapping[str, object] | None = None,
        verifier_environment: Mapping[str, str] | None = None,
        pki: bool = False,
        issuer: str | None = None,
        progress: Callable[[str], None] = lambda service: None,
    ) -> None:
        self.folder = folder
        self.authority = CertificateAuthority(folder / "tls")
        self.metadata = MetadataServer(folder / "metadata")
        self.machine = Machine(folder / "machine", self.metadata.instance, banks=banks)
        self.containerd = Containerd(folder)
        self.registry = Registry(folder)
        self.verifier: Verifier
        self._progress = progress
        self._token_lifetime_seconds = token_lifetime_seconds
        self._verifier_settings = verifier_settings
        self._verifier_environment = verifier_environment
        self._pki = pki
        self._issuer = issuer
        self._stack = contextlib.ExitStack()
        self._launches = 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            services = {
                "metadata server": self.metadata,
                "containerd": self.containerd,
                "image registry": self.registry,
                "machine (software TPM, boot log replayed)": self.machine,
            }
            for name, service in services.items():
                self._progress(name)
                stack.enter_context(service)
            self._progress("attestation service")
            self.verifier = stack.enter_context(self.another_verifier(self.folder))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def another_verifier(self, folder: Path) -> Verifier:
        """Return a verifier that knows this world's machines, to be entered."""
        return Verifier(
            folder,
            self.authority,
            attestation_roots=[self.machine.attestation_root],
            reference_values=[reference_value(boot_log_path())],
            identity_token_issuers={IDENTITY_ISSUER: self.metadata.jwks},
            token_lifetime_seconds=self._token_lifetime_seconds,
            settings=self._verifier_settings,
            environment=self._verifier_environment,
            pki=self._pki,
            issuer=self._issuer,
        )

    def launcher(
        self,
        attributes: Mapping[str, str] | None = None,
        *,
        hardened: bool = True,
        machine: Machine | None = None,
        metadata_file: Path | None = None,
        reboot: bool = True,
        runtime_directory: Path | None = None,
        options: Mapping[str, str | Path | None] | None = None,
        flags: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ) -> Launcher:
        """Return a launcher that is ready to be entered.

        `attributes` become those of the metadata server, which is not there at all when a metadata file is given.
        `options` replace or add options of the command line, or leave out those that are None; `flags` are such without
        a value, and `env` is added to the environment. `wrapper` is a command that starts the launcher's.
        """
        machine = machine or self.machine
        if attributes is not None:
            self.metadata.attributes = dict(attributes)
        if reboot:
            machine.reboot()
        self._launches += 1
        command_line = self.folder / ("cmdline-hardened" if hardened else "cmdline-debug")
        command_line.write_text(HARDENED_COMMAND_LINE if hardened else DEBUG_COMMAND_LINE)
        runtime = runtime_directory or self.folder / f"runtime-{self._launches}"
        settings: dict[str, str | Path | None] = {
            "--tcti": machine.tpm.tcti,
            "--boot-log": machine.boot_log,
            "--containerd": self.containerd.socket,
            "--containerd-namespace": self.containerd.namespace,
            "--snapshotter": self.containerd.snapshotter,
            "--runtime-directory": runtime,
            "--verifier": self.verifier.url,
            "--verifier-ca": self.authority.certificate,
            "--kernel-command-line": command_line,
            "--wait": "0",
            "--log-level": "debug",
            **(options or {}),
        }
        metadata_host = self.metadata.address
        if metadata_file is not None:
            settings["--metadata-file"] = metadata_file
            metadata_host = "127.0.0.1:9"
        arguments = [word for name, value in settings.items() if value is not None for word in (name, value)]
        return Launcher([*arguments, *flags], runtime, {"GCE_METADATA_HOST": metadata_host, **(env or {})}, wrapper)

    def pcr(self, bank: str = "sha256") -> bytes:
        """Read the launcher's PCR from the TPM, once no launcher runs."""
        return self.machine.tpm.read_pcrs(bank, [cel.PCR])[cel.PCR]
