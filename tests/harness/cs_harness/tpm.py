"""A software TPM 2.0."""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from .process import HarnessError, Process, run, wait_connect


class Swtpm:
    """swtpm behind a Unix socket; it serves one client at a time, as a TPM without resource manager does.

    `banks` restricts the PCR banks, for instance `["sha1"]`; without it swtpm allocates SHA-1 to SHA-512.
    """

    def __init__(self, folder: Path, banks: Sequence[str] | None = None) -> None:
        self.state = folder / "tpm"
        self.socket = folder / "tpm.sock"
        self.tcti = f"swtpm:path={self.socket}"
        self._banks = banks
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.state.mkdir(parents=True, exist_ok=True)
        if self._banks is not None:
            run("swtpm_setup", "--tpm2", "--tpm-state", self.state, "--pcr-banks", ",".join(self._banks), "--overwrite")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the TPM with TPM2_Startup(CLEAR): PCRs at their reset values, NV memory as it was left."""
        control = Path(f"{self.socket}.ctrl")
        for path in (self.socket, control):
            path.unlink(missing_ok=True)
        self._process = Process(
            [
                *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.state}"),
                *("--server", f"type=unixio,path={self.socket}", "--ctrl", f"type=unixio,path={control}"),
                *("--flags", "not-need-init,startup-clear"),
            ]
        )
        try:
            for path in (control, self.socket):
                wait_connect(path, self._process)
        except BaseException:
            self.stop()
            raise

    @property
    def sockets(self) -> list[Path]:
        """The sockets of the running TPM."""
        return [self.socket, Path(f"{self.socket}.ctrl")]

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Let the TPM answer nothing for a while; who is connected stays so."""
        if self._process is None:
            raise HarnessError("the TPM does not run")
        self._process.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.signal(signal.SIGCONT)

    def stop(self) -> None:
        """Stop the TPM; its NV memory stays in the state folder."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def restart(self) -> None:
        """Power-cycle the TPM."""
        self.stop()
        self.start()

    def read_pcrs(self, bank: str = "sha256", pcrs: Sequence[int] = range(24)) -> dict[int, bytes]:
        """Read PCRs; only while no other client is connected."""
        selection = f"{bank}:{','.join(str(pcr) for pcr in pcrs)}"
        output = run("tpm2_pcrread", "-T", self.tcti, selection, timeout=20)
        return {int(pcr): bytes.fromhex(value) for pcr, value in re.findall(r"(\d+)\s*: 0x([0-9A-Fa-f]+)", output)}

    def extend(self, pcr: int, digests: dict[str, bytes]) -> None:
        """Extend a PCR behind the launcher's back."""
        text = ",".join(f"{bank}={digest.hex()}" for bank, digest in digests.items())
        run("tpm2_pcrextend", "-T", self.tcti, f"{pcr}:{text}", timeout=20)
