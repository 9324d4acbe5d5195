"""A PKCS #11 token that can be taken away: SoftHSM behind a server, which the service reaches through a socket."""

from __future__ import annotations

import os
import signal
import sysconfig
from pathlib import Path
from types import TracebackType
from typing import Self

from .process import HarnessError, Process, run

PIN = "123456"


def _library(*places: str) -> Path:
    for place in places:
        path = Path(place.replace("TRIPLET", sysconfig.get_config_var("MULTIARCH")))
        if path.exists():
            return path
    raise HarnessError(f"none of these is installed: {', '.join(places)}")


class SoftToken:
    """A token named "signing" in a folder of its own, there while the context lasts or between start() and stop()."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "tokens").mkdir()
        configuration = folder / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
        self._own_environment = {"SOFTHSM2_CONF": str(configuration)}
        self._socket = folder / "socket"
        self._server: Process | None = None
        self._module = _library("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/TRIPLET/softhsm/libsofthsm2.so")
        self.pin_file = folder / "pin"
        self.set_pin(PIN)
        self.use("--init-token", "--free", "--label", "signing", "--so-pin", "87654321", "--pin", PIN)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Put it into its slot."""
        command = ["p11-kit", "server", "--foreground", "--name", self._socket, "--provider", self._module]
        self._server = Process([*command, "pkcs11:token=signing"], env=self._own_environment)
        self._server.wait_for("P11_KIT_SERVER_PID", timeout=20)

    def stop(self) -> None:
        """Take it out."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._socket.unlink(missing_ok=True)

    def hang(self) -> None:
        """Have it answer nothing, but stay."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Have it answer again, also what it was asked meanwhile."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._server is None:
            raise HarnessError("the token is not in its slot")
        os.killpg(self._server.pid, number)

    def set_pin(self, pin: str) -> None:
        """Change what the service is told, not what the token takes."""
        self.pin_file.write_text(pin + "\n")
        self.pin_file.chmod(0o600)

    def use(self, *arguments: str | Path) -> str:
        """Run the token's own program."""
        return run("softhsm2-util", *arguments, env=self._own_environment)

    @property
    def environment(self) -> dict[str, str]:
        """Where a service finds the server."""
        return {"P11_KIT_SERVER_ADDRESS": f"unix:path={self._socket}"}

    @property
    def settings(self) -> dict[str, object]:
        """What a service's configuration says."""
        module = _library("/usr/lib/TRIPLET/pkcs11/p11-kit-client.so")
        return {"pkcs11": {"module": str(module), "token": "pkcs11:token=signing", "pin_file": str(self.pin_file)}}
