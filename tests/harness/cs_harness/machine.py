"""A machine that has booted: a provisioned TPM with the boot's measurements in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from .metadata import Instance
from .process import REPOSITORY, binary, run
from .tpm import Swtpm


def boot_log_path() -> Path:
    """Return the recorded event log of a boot with Secure Boot."""
    return REPOSITORY / "tests/data/boot-log/ovmf-secure-boot.bin"


class Machine:
    """A software TPM with certified attestation keys, and a boot log replayed into its PCRs.

    The authority that certifies them is the one in `authority_folder`, or a new one.
    """

    def __init__(
        self,
        folder: Path,
        instance: Instance,
        *,
        banks: Sequence[str] | None = None,
        boot_log: Path | None = None,
        authority_folder: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.tpm = Swtpm(folder, banks)
        self.boot_log = boot_log or boot_log_path()
        self.instance = instance
        self.authority_folder = authority_folder or folder / "attestation-ca"

    @property
    def attestation_root(self) -> Path:
        """PEM file of the authority that certified the attestation keys."""
        return self.authority_folder / "ca.pem"

    def __enter__(self) -> Self:
        self.tpm.__enter__()
        try:
            self.provision()
            self.replay()
        except BaseException:
            self.tpm.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tpm.stop()

    def provision(self, *options: str) -> None:
        """Put attestation keys and certificates into the TPM."""
        instance = self.instance
        run(
            *(binary("cs-vtpm"), "provision", "--tcti", self.tpm.tcti, "--ca", self.authority_folder),
            *("--project-id", instance.project_id, "--project-number", str(instance.project_number)),
            *("--zone", instance.zone, "--instance-name", instance.name, "--instance-id", str(instance.id)),
            *options,
        )

    def replay(self) -> None:
        """Extend the boot log's digests into the PCRs."""
        run(binary("cs-vtpm"), "replay", "--tcti", self.tpm.tcti, "--boot-log", self.boot_log)

    def reboot(self) -> None:
        """Power-cycle the TPM and boot again, so that the launcher's PCR is zero as it must be before a launch."""
        self.tpm.restart()
        self.replay()
