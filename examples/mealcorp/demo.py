#!/usr/bin/python3
"""The two-company demonstration: MealCorp counts Corporation Corp's meal preferences without seeing them.

Starts every service for real in a temporary folder, plays four scenes and prints what happened. Exits 0 only when every
scene ended exactly as it should; 130 when interrupted. The README beside this file tells the story.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import signal
import sys
from pathlib import Path

signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to clean up
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "tests/harness")]

import cs_harness
import preferences
from cs_harness import Image, Launcher, Layer, Process, PushedImage, World, cel
from cs_harness.process import free_port
from cs_harness.scene import Run, Scene, main
from cs_harness.transcript import Transcript
from cs_harness.verifier import HARDWARE_MODEL, SOFTWARE_VERSION, unverified_claims

ORDER = ", ".join(f"{count} x {dish}" for dish, count in preferences.ORDER.items())
KEY_AUDIENCE = "https://keys.corporation.example"
DECISION_SECONDS = 5.0


class Demonstration(Scene):
    """The four scenes."""

    programs = (*Scene.programs, "mealcorp_workload")

    def __init__(self, folder: Path, show: Transcript) -> None:
        super().__init__(folder, show)
        self._key = secrets.token_bytes(32)
        self._desk: Process
        self._image: Image
        self._good: PushedImage

    def story(self) -> str:
        """Play everything."""
        self.show.heading("1. The services")
        self.world = self.stack.enter_context(World(self.folder, progress=self.progress))
        self.progress("MealCorp builds and pushes its meal planner")
        port = free_port()
        self._image = self._meal_planner(f"http://127.0.0.1:{port}")
        self._good = self.world.registry.push(self._image, "meal-planner", "1.0")
        self.attributes_to_launch = {"tee-image-reference": self._good.by_digest}
        self.progress("Corporation Corp's key release service")
        self._desk = self.stack.enter_context(self._key_release(port))
        self._desk.wait_for("^listening: ", timeout=20)
        self.progress.finish()
        self.agreed_program()
        self.tampered_program()
        self.meddling_operator()
        return "the agreed program got the key; the tampered one and the meddling operator did not"

    # --- the scenes

    def agreed_program(self) -> None:
        """The program that both companies agreed on gets the key."""
        self.show.heading("2. MealCorp runs the program that Corporation Corp has reviewed")
        self.show.line(f"image {self._good.by_tag}")
        self.show.line(f"      {self._good.digest}")
        run, desk = self._launch({"tee-image-reference": self._good.by_tag}, "launch, attest, work", "^order: ")
        claims = unverified_claims(run.token) if run.token else {}
        self._show_measurements(run)
        self._show_claims(claims)
        self.show.line("Corporation Corp's key release service:")
        for line in desk:
            self.show.line(line, indent=6)
        self.check(run.exit_code == 0, f"the launcher ends with exit code {run.exit_code} (0 is right)")
        self.check(any(line.startswith("granted: ") for line in desk), "the key was released")
        order = "".join(line.removeprefix("order: ") for line in desk if line.startswith("order: "))
        self.check(order == ORDER, f"the order for the kitchen is {order or 'missing'}")

    def tampered_program(self) -> None:
        """One more file in the image, and the same program is another one."""
        self.show.heading("3. MealCorp slips one more file into the image")
        changed = Image(
            [*self._image.layers, Layer().file("etc/copy-preferences-to", "mealcorp.example\n")],
            entrypoint=self._image.entrypoint,
            env=self._image.env,
            labels=self._image.labels,
        )
        image = self.world.registry.push(changed, "meal-planner", "1.0")
        self.show.line(f"image {image.by_tag}, the same tag")
        self.show.line(f"      {image.digest}")
        run, desk = self._launch({"tee-image-reference": image.by_tag}, "launch, attest, be denied", "^denied: ")
        self.show.line("Corporation Corp's key release service:")
        for line in desk:
            self.show.line(line, indent=6)
        wanted = f'denied: claim submods.container.image_digest: found "{image.digest}"'
        self.check(any(line.startswith(wanted) for line in desk), "denied, and the image digest is to blame")
        self.check(not any(line.startswith(("granted", "order")) for line in desk), "no key, no order")
        self.check(run.exit_code == 1, f"the launcher ends with exit code {run.exit_code} (1 is right)")

    def meddling_operator(self) -> None:
        """The operator tries to point the program at a key release service of its own."""
        self.show.heading("4. The operator points the program at another key release service")
        attributes = {
            "tee-image-reference": self._good.by_digest,
            "tee-env-KEY_RELEASE_URL": "http://127.0.0.1:9",
        }
        self.show.line("metadata: " + json.dumps(attributes))
        run, desk = self._launch(attributes, "launch is refused")
        text = r"env var \{KEY_RELEASE_URL [^}]*\} is not allowed to be overridden on this image; allowed envs[^\"\n]*"
        refusal = re.search(text, run.log)
        self.show.line("cs-launcher: " + (refusal[0] if refusal else run.log[-600:]))
        self.check(refusal is not None, "the launcher refuses: the image's author allowed no such thing")
        self.check(run.pcr == bytes(32), "nothing was measured and nothing ran")
        self.check(desk == [], "Corporation Corp heard nothing of it")
        self.check(run.exit_code == 1, f"the launcher ends with exit code {run.exit_code} (1 is right)")

    # --- the means

    def _meal_planner(self, key_release_url: str) -> Image:
        layer = Layer().directory("data").directory("run").directory("proc").directory("sys").directory("dev")
        layer.file("meal-planner", cs_harness.binary("mealcorp_workload").read_bytes(), 0o755)
        layer.file("data/preferences.enc", preferences.seal(self._key))
        return Image([layer], entrypoint=["/meal-planner"], env=[f"KEY_RELEASE_URL={key_release_url}"])

    def _key_release(self, port: int) -> Process:
        policy, key = self.folder / "policy.json", self.folder / "preferences.key"
        policy.write_text(
            json.dumps(
                {
                    "issuer": self.world.verifier.url,
                    "audience": KEY_AUDIENCE,
                    "image_digest": self._good.digest,
                    "minimum_swversion": int(SOFTWARE_VERSION),
                    "hwmodels": [HARDWARE_MODEL],
                }
            )
        )
        key.write_bytes(self._key)
        command = ["/usr/bin/python3", HERE / "key_release.py", "--policy", policy, "--key", key]
        command += ["--issuer-ca", self.world.authority.certificate, "--port", str(port)]
        return Process(command, name="key_release")

    def _launch(self, attributes: dict[str, str], what: str, decision: str | None = None) -> tuple[Run, list[str]]:
        """Launch to the end; returns also what Corporation Corp said meanwhile, of which `decision` should be one."""
        seen = len(self._desk.lines)

        def decided(_: Launcher) -> None:
            if decision is not None:
                with contextlib.suppress(cs_harness.HarnessError):
                    self._desk.wait_for(decision, DECISION_SECONDS, after=seen)

        run = self.launch(attributes, what, meanwhile=decided)
        return run, self._desk.lines[seen:]

    def _show_measurements(self, run: Run) -> None:
        """Work out what must have been measured from what was launched, and compare the result with the TPM."""
        events = cel.expected_events(
            reference=self._good.by_tag,
            digest=self._good.digest,
            config_digest=self._good.config_digest,
            args=list(self._image.entrypoint or ()),
            env=[*self._image.env, f"HOSTNAME={self.world.metadata.instance.name}"],
        )
        self.show.line("to be measured into PCR 13, in this order:")
        for event in events:
            text = event.content.hex() if event.name == "MemoryMonitor" else event.content.decode()
            self.show.line(f"{event.name:<16}{text}".rstrip(), indent=6)
        self.show.line(f"PCR 13 (SHA-256), read from the TPM: {run.pcr.hex()}")
        self.check(run.pcr == cel.replay(events), "these events, hashed one after the other, give that value")

    def _show_claims(self, claims: dict[str, object]) -> None:
        self.show.line("claims of the token in /run/container_launcher/attestation_verifier_claims_token:")
        for line in json.dumps(claims, indent=2).splitlines():
            self.show.line(line, indent=6)
        self.check(claims.get("swname") == "CONFIDENTIAL_SPACE", "the attestation service knows the VM image")


if __name__ == "__main__":
    sys.exit(main(Demonstration, "mealcorp", __doc__))
