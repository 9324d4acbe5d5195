#!/usr/bin/python3
"""The two-company demonstration: MealCorp counts Corporation Corp's meal preferences without seeing them.

Starts every service for real in a temporary folder, plays four scenes and prints what happened. Exits 0 only when every
scene ended exactly as it should; 130 when interrupted. The README beside this file tells the story.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests/harness"))

import cs_harness
from cs_harness import Image, Interrupted, Layer, Process, PushedImage, World, cel
from cs_harness.process import free_port
from cs_harness.verifier import SOFTWARE_VERSION, unverified_claims

PREFERENCES = """\
Ada,lasagne
Bela,lasagne
Chiara,mushroom risotto
Dmitri,lasagne
Emeka,lentil curry
Fatima,lentil curry
Grace,mushroom risotto
Hiro,lasagne
"""
ORDER = "4 x lasagne, 2 x lentil curry, 2 x mushroom risotto"
KEY_AUDIENCE = "https://keys.corporation.example"
SCENE_SECONDS = 30.0
DECISION_SECONDS = 5.0
INTERRUPTED = 130


class Transcript:
    """What the audience sees: coloured and alive on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._colour = self._terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def heading(self, text: str) -> None:
        """Begin a scene."""
        print(f"\n{self._paint('1;36', text)}", flush=True)

    def line(self, text: str, indent: int = 3) -> None:
        """Say something."""
        print(" " * indent + text, flush=True)

    def good(self, text: str) -> None:
        """Say that something went as it should."""
        self.line(self._paint("32", "as expected: ") + text)

    def bad(self, text: str) -> None:
        """Say that something did not."""
        self.line(self._paint("1;31", "NOT AS EXPECTED: ") + text)

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show that something is under way, then how long it took."""
        start = time.monotonic()
        if self._terminal:
            print(f"   {text} ...", end="", flush=True)
        yield
        done = f"   {text:<58}{time.monotonic() - start:5.1f} s"
        print(f"\r\033[K{done}" if self._terminal else done, flush=True)

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour else text


class StepByStep:
    """Turns "now comes NAME" calls into steps of the transcript."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._current = contextlib.ExitStack()

    def __call__(self, name: str) -> None:
        self._current.close()
        self._current = contextlib.ExitStack()
        self._current.enter_context(self._transcript.step(name))

    def finish(self) -> None:
        """End the last step."""
        self._current.close()


@dataclass
class Run:
    """What came of one launch."""

    exit_code: int
    log: str
    pcr: bytes
    desk: list[str]
    token: str | None


class Demonstration:
    """The four scenes."""

    def __init__(self, folder: Path, transcript: Transcript) -> None:
        self._folder = folder
        self._show = transcript
        self._progress = StepByStep(transcript)
        self._world = World(folder, progress=self._progress)
        self._key = secrets.token_bytes(32)
        self._failures = 0
        self._desk: Process
        self._image: Image
        self._good: PushedImage

    def play(self) -> int:
        """Play everything; returns the exit code."""
        with contextlib.ExitStack() as stack:
            self._show.heading("1. The services")
            stack.enter_context(self._world)
            self._progress("MealCorp builds and pushes its meal planner")
            port = free_port()
            self._image = self._meal_planner(f"http://127.0.0.1:{port}")
            self._good = self._world.registry.push(self._image, "meal-planner", "1.0")
            self._progress("Corporation Corp's key release service")
            self._desk = stack.enter_context(self._key_release(port))
            self._desk.wait_for("^listening: ", timeout=20)
            self._progress.finish()
            self.agreed_program()
            self.tampered_program()
            self.meddling_operator()
        self._show.heading("Outcome")
        if self._failures:
            self._show.bad(f"{self._failures} of the checks above failed")
            return 1
        self._show.good("the agreed program got the key; the tampered one and the meddling operator did not")
        return 0

    # --- the scenes

    def agreed_program(self) -> None:
        """The program that both companies agreed on gets the key."""
        self._show.heading("2. MealCorp runs the program that Corporation Corp has reviewed")
        self._show.line(f"image {self._good.by_tag}")
        self._show.line(f"      {self._good.digest}")
        run = self._launch({"tee-image-reference": self._good.by_tag}, "launch, attest, work", "^order: ")
        claims = unverified_claims(run.token) if run.token else {}
        self._show_measurements(run)
        self._show_claims(claims)
        self._show.line("Corporation Corp's key release service:")
        for line in run.desk:
            self._show.line(line, indent=6)
        self._check(run.exit_code == 0, f"the launcher ends with exit code {run.exit_code} (0 is right)")
        self._check(any(line.startswith("granted: ") for line in run.desk), "the key was released")
        order = "".join(line.removeprefix("order: ") for line in run.desk if line.startswith("order: "))
        self._check(order == ORDER, f"the order for the kitchen is {order or 'missing'}")

    def tampered_program(self) -> None:
        """One more file in the image, and the same program is another one."""
        self._show.heading("3. MealCorp slips one more file into the image")
        changed = Image(
            [*self._image.layers, Layer().file("etc/copy-preferences-to", "mealcorp.example\n")],
            entrypoint=self._image.entrypoint,
            env=self._image.env,
            labels=self._image.labels,
        )
        image = self._world.registry.push(changed, "meal-planner", "1.0")
        self._show.line(f"image {image.by_tag}, the same tag")
        self._show.line(f"      {image.digest}")
        run = self._launch({"tee-image-reference": image.by_tag}, "launch, attest, be denied", "^denied: ")
        self._show.line("Corporation Corp's key release service:")
        for line in run.desk:
            self._show.line(line, indent=6)
        wanted = f'denied: claim submods.container.image_digest: found "{image.digest}"'
        self._check(any(line.startswith(wanted) for line in run.desk), "denied, and the image digest is to blame")
        self._check(not any(line.startswith(("granted", "order")) for line in run.desk), "no key, no order")
        self._check(run.exit_code == 1, f"the launcher ends with exit code {run.exit_code} (1 is right)")

    def meddling_operator(self) -> None:
        """The operator tries to point the program at a key release service of its own."""
        self._show.heading("4. The operator points the program at another key release service")
        attributes = {
            "tee-image-reference": self._good.by_digest,
            "tee-env-KEY_RELEASE_URL": "http://127.0.0.1:9",
        }
        self._show.line("metadata: " + json.dumps(attributes))
        run = self._launch(attributes, "launch is refused")
        text = r"env var \{KEY_RELEASE_URL [^}]*\} is not allowed to be overridden on this image; allowed envs[^\"\n]*"
        refusal = re.search(text, run.log)
        self._show.line("cs-launcher: " + (refusal[0] if refusal else run.log[-600:]))
        self._check(refusal is not None, "the launcher refuses: the image's author allowed no such thing")
        self._check(run.pcr == bytes(32), "nothing was measured and nothing ran")
        self._check(run.desk == [], "Corporation Corp heard nothing of it")
        self._check(run.exit_code == 1, f"the launcher ends with exit code {run.exit_code} (1 is right)")

    # --- the means

    def _meal_planner(self, key_release_url: str) -> Image:
        nonce = secrets.token_bytes(12)
        sealed = nonce + AESGCM(self._key).encrypt(nonce, PREFERENCES.encode(), None)
        layer = Layer().directory("data").directory("run").directory("proc").directory("sys").directory("dev")
        layer.file("meal-planner", cs_harness.binary("mealcorp_workload").read_bytes(), 0o755)
        layer.file("data/preferences.enc", sealed)
        return Image([layer], entrypoint=["/meal-planner"], env=[f"KEY_RELEASE_URL={key_release_url}"])

    def _key_release(self, port: int) -> Process:
        policy, key = self._folder / "policy.json", self._folder / "preferences.key"
        policy.write_text(
            json.dumps(
                {
                    "issuer": self._world.verifier.url,
                    "audience": KEY_AUDIENCE,
                    "image_digest": self._good.digest,
                    "minimum_swversion": int(SOFTWARE_VERSION),
                }
            )
        )
        key.write_bytes(self._key)
        command = ["/usr/bin/python3", HERE / "key_release.py", "--policy", policy, "--key", key]
        command += ["--issuer-ca", self._world.authority.certificate, "--port", str(port)]
        return Process(command, name="key_release")

    def _launch(self, attributes: dict[str, str], what: str, decision: str | None = None) -> Run:
        """Launch to the end; `decision` is what Corporation Corp should say about it."""
        seen = len(self._desk.lines)
        token = None
        with self._show.step(what), self._world.launcher(attributes) as launcher:
            with contextlib.suppress(cs_harness.HarnessError, OSError):
                token = launcher.wait_token(SCENE_SECONDS)
            exit_code = launcher.wait(SCENE_SECONDS)
            log = launcher.log_text
            if decision is not None:
                with contextlib.suppress(cs_harness.HarnessError):
                    self._desk.wait_for(decision, DECISION_SECONDS, after=seen)
        pcr = self._world.machine.tpm.read_pcrs("sha256", [cel.PCR])[cel.PCR]
        return Run(exit_code, log, pcr, self._desk.lines[seen:], token)

    def _show_measurements(self, run: Run) -> None:
        """Work out what must have been measured from what was launched, and compare the result with the TPM."""
        events = cel.expected_events(
            reference=self._good.by_tag,
            digest=self._good.digest,
            config_digest=self._good.config_digest,
            args=list(self._image.entrypoint or ()),
            env=[*self._image.env, f"HOSTNAME={self._world.metadata.instance.name}"],
        )
        self._show.line("to be measured into PCR 13, in this order:")
        for event in events:
            text = event.content.hex() if event.name == "MemoryMonitor" else event.content.decode()
            self._show.line(f"{event.name:<16}{text}".rstrip(), indent=6)
        self._show.line(f"PCR 13 (SHA-256), read from the TPM: {run.pcr.hex()}")
        self._check(run.pcr == cel.replay(events), "these events, hashed one after the other, give that value")

    def _show_claims(self, claims: dict[str, object]) -> None:
        self._show.line("claims of the token in /run/container_launcher/attestation_verifier_claims_token:")
        for line in json.dumps(claims, indent=2).splitlines():
            self._show.line(line, indent=6)
        self._check(claims.get("swname") == "CONFIDENTIAL_SPACE", "the attestation service knows the VM image")

    def _check(self, good: bool, text: str) -> None:
        if good:
            self._show.good(text)
        else:
            self._failures += 1
            self._show.bad(text)


def main() -> int:
    """Play the demonstration in a folder of its own."""
    programs = ("cs-launcher", "cs-verifier", "cs-vtpm", "mealcorp_workload")
    problems = cs_harness.missing_requirements()
    problems += [f"{cs_harness.binary(name)} is not built" for name in programs if not cs_harness.binary(name).exists()]
    if problems:
        print("the demonstration cannot run: " + "; ".join(problems), file=sys.stderr)
        return 1
    cs_harness.unwind_on_signals()
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="mealcorp-") as folder:
            code = Demonstration(Path(folder), Transcript()).play()
    except Interrupted as signal:
        print(f"\ninterrupted by {signal}; everything that was started has been stopped", file=sys.stderr)
        return INTERRUPTED
    except cs_harness.HarnessError as error:
        print(f"\nthe demonstration broke off: {error}", file=sys.stderr)
        return 1
    print(f"\n({time.monotonic() - start:.0f} s)")
    return code


if __name__ == "__main__":
    sys.exit(main())
