#!/usr/bin/python3
"""Try a container image on a laptop: launch it as a Confidential Space would, with a software TPM.

Starts an attestation service, a registry and a machine of its own in a temporary folder, launches the image, and shows
what its author wants to see: whether it is launched at all, what it writes, what its token says of it, and what it ends
with. Ctrl-C ends a workload that goes on. Nothing that is proven here is worth anything to others: whoever has the
laptop can read the TPM, and the token says so (hwmodel SOFTWARE_TPM).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to clean up
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "tests/harness")]

from cs_harness import HarnessError, Launcher, World
from cs_harness.process import Interrupted, pause, run
from cs_harness.scene import LAUNCH_SECONDS, LOOK_SECONDS, Scene, main
from cs_harness.verifier import unverified_claims

STAYS = 4  # a debug machine, for its operator to look at, whatever came of the workload


def attribute(text: str) -> tuple[str, str]:
    """Return NAME=VALUE as both."""
    name, separator, value = text.partition("=")
    if not separator or not name.startswith("tee-"):
        raise argparse.ArgumentTypeError(f"{text!r} is not tee-NAME=VALUE")
    return name, value


class Trial(Scene):
    """One launch of somebody's image."""

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the image, and how to launch it."""
        parser.add_argument("layout", metavar="LAYOUT[:TAG]", help="the image: folder of an OCI image layout")
        parser.add_argument(
            "--attribute",
            action="append",
            default=[],
            type=attribute,
            metavar="tee-NAME=VALUE",
            help="what the operator asks for (docs/operator.md); may be repeated",
        )
        parser.add_argument(
            "--debug", action="store_true", help="as on a debug machine, which shows output without a label"
        )

    def story(self) -> str:
        """Start, launch, look on."""
        self.show.heading("The services")
        self.world = self.stack.enter_context(World(self.folder, progress=self.progress))
        self.progress("the image is pushed to the registry")
        reference = f"{self.world.registry.address}/image:tried"
        run("skopeo", "copy", "--dest-tls-verify=false", f"oci:{self.options.layout}", f"docker://{reference}")
        self.progress.finish()
        self.show.heading("The launch")
        attributes = {"tee-image-reference": reference, **dict(self.options.attribute)}
        if self.options.debug:
            attributes.setdefault("tee-container-log-redirect", "true")
        self.show.line("metadata: " + json.dumps(attributes))
        self.attributes_to_launch = attributes
        if self.options.debug:
            self.is_hardened = False
            self.stack.enter_context(self.vm_image_known_as(hardened=False, support_attributes=()))
        self._launch(attributes)
        return "the workload has done its work"

    def _launch(self, attributes: dict[str, str]) -> None:
        with self.world.launcher(attributes, hardened=self.is_hardened) as launcher:
            try:
                token = launcher.wait_token(LAUNCH_SECONDS)
            except HarnessError:
                self._show_refusal(launcher)
                self.check(False, "the image is launched")
                return
            self.show.line("the default token says:")
            for line in json.dumps(unverified_claims(token), indent=2).splitlines():
                self.show.line(line, indent=6)
            self.show.line("the workload writes:")
            with contextlib.suppress(Interrupted):
                for line in self._output(launcher):
                    self.show.line(line, indent=6)
            if launcher.process.running:
                self.show.line("interrupted; the workload is stopped")
                return
            code = launcher.wait(LAUNCH_SECONDS)
            self._show_refusal(launcher)
            has_failed = code != (0 if self.is_hardened else STAYS) or "level=ERROR" in launcher.log_text
            self.check(not has_failed, f"the launcher ends with exit code {code}")

    def _output(self, launcher: Launcher) -> Iterator[str]:
        """Yield what the workload writes, until it has ended."""
        seen = 0
        while True:
            is_running = launcher.process.running
            if not is_running:
                launcher.wait(LAUNCH_SECONDS)  # for all that it has written
            lines = launcher.process.stdout_lines
            for line in lines[seen:]:
                yield json.loads(line)["message"]
            seen = len(lines)
            if not is_running:
                return
            pause(LOOK_SECONDS)

    def _show_refusal(self, launcher: Launcher) -> None:
        for line in launcher.log_text.splitlines():
            if "level=ERROR" in line:
                self.show.line(line)


if __name__ == "__main__":
    sys.exit(main(Trial, "try-image", __doc__))
