"""A story that is told with real services: what examples/ plays, and `make test` with it.

Whoever tells one writes a class below Scene; `main` plays it in a folder of its own and makes of it an exit code.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import cel
from .images import Image, Layer
from .launcher import Launcher
from .machine import Machine, boot_log_path
from .metadata import Instance
from .process import (
    HarnessError,
    Interrupted,
    binary,
    missing_requirements,
    pause,
    unwind_on_signals,
)
from .registry import PushedImage
from .transcript import AudienceLeft, StepByStep, Transcript
from .verifier import HARDWARE_MODEL, reference_value
from .world import World

LAUNCH_SECONDS = 60.0
LAST_WORDS = 5  # of a launcher whose program wrote nothing
INTERRUPTED = 130
AUDIENCE_LEFT = 141  # as of a program that SIGPIPE ends
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Run:
    """What came of one launch. `output` is what the workload wrote, if its image lets it out; `token` the default one."""

    exit_code: int
    log: str
    output: Sequence[str]
    token: str | None
    pcr: bytes


class Scene:
    """Tells a story in `story`, which calls `begin` with the world first, `check` for whatever must hold."""

    programs: Sequence[str] = ("cs-launcher", "cs-verifier", "cs-vtpm")
    how_to_build = ""

    def __init__(self, folder: Path, show: Transcript) -> None:
        self.folder = folder
        self.show = show
        self.progress = StepByStep(show)
        self.stack = contextlib.ExitStack()
        self.failures = 0
        self.world: World
        self.options = argparse.Namespace()
        #: With which a visitor may launch once more, when the world is kept.
        self.attributes_to_launch: Mapping[str, str] = {}
        self.is_hardened = True

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add what its command line takes beside --keep; `options` has it."""

    @classmethod
    def missing(cls) -> list[str]:
        """Say what keeps it from being played here."""
        absent = [name for name in cls.programs if not binary(name).exists()]
        return missing_requirements() + [f"{binary(name)} is not built{cls.how_to_build}" for name in absent]

    def story(self) -> str:
        """Play everything; returns what came of it, in one sentence."""
        raise NotImplementedError

    def play(self, *, keep: bool = False) -> int:
        """Play the story, and keep its world running until a signal comes; returns the exit code."""
        with self.stack:
            outcome = self.story()
            self.show.heading("Outcome")
            if self.failures:
                self.show.bad(f"{self.failures} of the checks above failed")
            else:
                self.show.good(outcome)
            if keep:
                self._invite()
                with contextlib.suppress(Interrupted):
                    while True:
                        pause(LOOK_SECONDS)
        return 1 if self.failures else 0

    def _invite(self) -> None:
        """Say what there is to play with, as commands to be copied."""
        world, verifier = self.world, self.world.verifier
        authority, configuration = world.authority.certificate, verifier.write_configuration()
        self.show.heading("The world runs on, in " + str(self.folder) + ", until Ctrl-C")
        self.show.line(f"attestation service {verifier.url}, image registry {world.registry.address}")
        self._show_command("curl", "--cacert", authority, f"{verifier.url}/.well-known/openid-configuration")
        if binary("csctl").exists():
            csctl = binary("csctl")
            self._show_command(csctl, "verifier", "appraisals", "--socket", configuration.parent / "state/admin.sock")
            self._show_command(csctl, "verifier", "check", configuration)
            self._show_command(csctl, "explain", world.machine.boot_log, "--config", configuration)
        if self.attributes_to_launch:
            launcher = world.launcher(self.attributes_to_launch, hardened=self.is_hardened)
            self.show.line("a launch, of which a machine has one for each time that it boots:")
            self._show_command("env", *launcher.command)

    def _show_command(self, *words: str | Path) -> None:
        self.show.code(shlex.join(str(word) for word in words))

    def check(self, good: bool, text: str) -> None:
        """Say whether something is as it should be, and count it when it is not."""
        self.failures += not self.show.check(good, text)

    def program_image(
        self,
        program: str,
        environment: Mapping[str, str],
        labels: Mapping[str, str],
        files: Mapping[str, bytes] | None = None,
    ) -> Image:
        """Return an image with a program and what it trusts in it, and nothing else; its output is let out."""
        layer = Layer().directory("proc").directory("sys").directory("dev").directory("run").directory("tmp", 0o1777)
        layer.file("etc/ssl/certs/ca-certificates.crt", self.world.authority.certificate.read_bytes())
        for name, content in (files or {}).items():
            layer.file(name, content)
        layer.file("program", binary(program).read_bytes(), 0o755)
        return Image(
            [layer],
            entrypoint=["/program"],
            env=[f"{name}={value}" for name, value in environment.items()],
            labels={"tee.launch_policy.log_redirect": "always", **labels},
        )

    def launch(
        self,
        attributes: Mapping[str, str],
        what: str,
        *,
        machine: Machine | None = None,
        meanwhile: Callable[[Launcher], None] = lambda launcher: None,
    ) -> Run:
        """Launch to the end; `meanwhile` waits for what is to happen before that is looked at."""
        machine = machine or self.world.machine
        token = None
        with self.show.step(what), self.world.launcher(attributes, machine=machine) as launcher:
            with contextlib.suppress(HarnessError, OSError):
                token = launcher.wait_token(LAUNCH_SECONDS)
            exit_code = launcher.wait(LAUNCH_SECONDS)
            meanwhile(launcher)
            log = launcher.log_text
            output = [json.loads(line)["message"] for line in launcher.process.stdout_lines]
        pcr = machine.tpm.read_pcrs("sha256", [cel.PCR])[cel.PCR]
        return Run(exit_code, log, output, token, pcr)

    def check_code(self, run: Run, wanted: int) -> None:
        """Check how a launcher ended."""
        self.check(run.exit_code == wanted, f"the launcher ends with exit code {run.exit_code} ({wanted} is right)")

    def run_program(
        self,
        image: PushedImage,
        what: str,
        attributes: Mapping[str, str] | None = None,
        machine: Machine | None = None,
    ) -> Run:
        """Launch a program to its end, whose image lets its output out, and show what it writes."""
        metadata = {"tee-image-reference": image.by_tag, "tee-container-log-redirect": "true", **(attributes or {})}
        run = self.launch(metadata, what, machine=machine)
        for line in run.output or run.log.splitlines()[-LAST_WORDS:]:
            self.show.line(line, indent=6)
        return run

    @contextlib.contextmanager
    def vm_image_known_as(self, **changed: Any) -> Iterator[None]:
        """Have the attestation service know the VM image as another one, see reference_value."""
        verifier = self.world.verifier
        before = verifier.reference_values.read_text()
        verifier.reference_values.write_text(json.dumps({"images": [reference_value(boot_log_path(), **changed)]}))
        verifier.reload()
        try:
            yield
        finally:
            verifier.reference_values.write_text(before)
            verifier.reload()

    @contextlib.contextmanager
    def another_machine(
        self, name: str, *, instance: Instance | None = None, hardware_model: str = HARDWARE_MODEL
    ) -> Iterator[Machine]:
        """Boot another machine, whose attestation key is certified by an authority of its own."""
        ours, verifier = self.world.metadata.instance, self.world.verifier
        theirs = instance or ours
        with Machine(self.folder / name, theirs) as machine:
            roots = {self.world.machine.attestation_root: HARDWARE_MODEL, machine.attestation_root: hardware_model}
            listed = [{"file": str(file), "hwmodel": model} for file, model in roots.items()]
            verifier.settings["attestation_roots"] = listed
            verifier.write_configuration()
            verifier.reload()
            self.world.metadata.instance = theirs
            try:
                yield machine
            finally:
                self.world.metadata.instance = ours
                del verifier.settings["attestation_roots"]
                verifier.write_configuration()
                verifier.reload()


def main(scene: type[Scene], name: str, story: str | None) -> int:
    """Play a scene that has this story. 0 only when everything ended as it should; 130 when interrupted."""
    parser = argparse.ArgumentParser(description=story, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="keep the world running afterwards, to play with it")
    scene.add_options(parser)
    arguments = parser.parse_args()
    problems = scene.missing()
    if problems:
        print(f"{name} cannot be played: " + "; ".join(problems), file=sys.stderr)
        return 1
    unwind_on_signals()
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix=f"{name}-") as folder:
            played = scene(Path(folder), Transcript())
            played.options = arguments
            code = played.play(keep=arguments.keep)
    except Interrupted as signal:
        print(f"\ninterrupted by {signal}; everything that was started has been stopped", file=sys.stderr)
        return INTERRUPTED
    except AudienceLeft:
        return AUDIENCE_LEFT
    except HarnessError as error:
        print(f"\n{name} broke off: {error}", file=sys.stderr)
        return 1
    print(f"\n({time.monotonic() - start:.0f} s)")
    return code
