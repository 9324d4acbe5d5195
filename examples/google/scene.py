#!/usr/bin/python3
"""MealCorp counts Corporation Corp's meal preferences with a key that Corporation Corp keeps in Google Cloud.

Starts everything for real in a temporary folder, but for Google Cloud, which is played. Exits 0 only when all ended exactly
as it should; 130 when interrupted. The README beside this file tells the story.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to clean up
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "tests/harness")]

import preferences
from cs_harness import CloudFront, Image, Layer, Machine, PushedImage, World
from cs_harness.cloud_front import relaying_to
from cs_harness.gcloud import Gcloud
from cs_harness.google_cloud import (
    DECRYPTER,
    OBJECT_CREATOR,
    TOKEN_SECONDS,
    ApiError,
    Call,
    GoogleCloud,
)
from cs_harness.metadata import Instance
from cs_harness.recipe import GcloudServer, Shell, blocks
from cs_harness.scene import Run, Scene, main
from cs_harness.transcript import Transcript
from cs_harness.verifier import HARDWARE_MODEL

ISSUER_HOST = "attestation.example"
PROJECT, NUMBER = "corporation-project", 838383838383
POOL = f"projects/{NUMBER}/locations/global/workloadIdentityPools/trusted-workloads"
PROVIDER = f"{POOL}/providers/attestation-verifier"
KEY = f"projects/{PROJECT}/locations/europe-west1/keyRings/meals/cryptoKeys/preferences"
DATA, RESULTS = "corporation-preferences", ("corporation-orders", "mealcorp-orders")
ACCOUNT = f"meal-reader@{PROJECT}.iam.gserviceaccount.com"


class GoogleScene(Scene):
    """Direct access and impersonation are granted; what is wrong, and some mishaps, are told by their names."""

    programs = (*Scene.programs, "meal-planner-google", "cs-conditions")
    how_to_build = " (target scenes_programs, which takes Go 1.24 or newer)"

    def __init__(self, folder: Path, show: Transcript) -> None:
        super().__init__(folder, show)
        self._cloud = GoogleCloud(lambda url: self._front.fetch(url))
        self._files = folder / "files"
        self._front: CloudFront
        self._direct: PushedImage
        self._impersonating: PushedImage

    def story(self) -> str:
        """Play everything."""
        self.show.heading("1. The services")
        self._start_services()
        self.show.heading("2. What Corporation Corp writes into its Google Cloud project")
        self._set_up_project()
        self.show.heading("3. The agreed program, with direct access")
        self._agreed_program(self._direct)
        self.show.heading("4. The agreed program, as a service account")
        self._agreed_program(self._impersonating)
        for number, wrong in enumerate(self._wrong_things(), start=5):
            self.show.heading(f"{number}. {(wrong.__doc__ or '').rstrip('.')}")
            wrong()
        return "the agreed program worked on the data; nobody else did, and each was told why"

    # --- the services

    def _start_services(self) -> None:
        world = World(self.folder, progress=self.progress, issuer=f"https://{ISSUER_HOST}")
        self.world = self.stack.enter_context(world)
        self.progress("Google Cloud (played)")
        context = ssl.create_default_context(cafile=str(self.world.authority.certificate))
        issuer = relaying_to(self.world.verifier.port, context)
        routes = {ISSUER_HOST: issuer, **self._cloud.routes}
        self._front = self.stack.enter_context(CloudFront(self.world.authority, "clouds", routes))
        self.progress.finish()

    def _set_up_project(self) -> None:
        """Follow the recipe in docs/data-collaborator.md, whose commands `gcloud` stands in for."""
        self._files.mkdir()
        data_key = secrets.token_bytes(32)
        (self._files / "data.key").write_bytes(data_key)
        (self._files / "preferences.enc").write_bytes(preferences.seal(data_key))
        server = self.stack.enter_context(GcloudServer(self._command_line))
        shell = self.stack.enter_context(Shell(self._files, server.environment, self.show.code))
        first, *others, direct_file, direct_rights, account_file, account_rights = blocks("Recipe: Google Cloud")
        shell.type(first)
        shell.fill_in(HWMODEL=HARDWARE_MODEL)
        for block in (*others, direct_file):
            shell.type(block)
        self._direct = self._push("meal-planner", self._image_of("direct.json"))
        self.show.line(f"MealCorp's image is {self._direct.by_digest}")
        shell.fill_in(IMAGE_DIGEST=self._direct.digest)
        shell.type(direct_rights)
        shell.type(account_file)
        self._impersonating = self._push("meal-planner-as-account", self._image_of("impersonating.json"))
        self.show.line(f"MealCorp's image is {self._impersonating.by_digest}")
        shell.fill_in(IMAGE_DIGEST=self._impersonating.digest)
        shell.type(account_rights)
        self._take_results()

    def _take_results(self) -> None:
        """Have MealCorp, too, take results into a bucket of its own, by its own commands."""
        mealcorp = Gcloud(self._cloud, self._files, project=Instance().project_id, number=Instance().project_number)
        principals = f"principalSet://iam.googleapis.com/{POOL}/attribute.image_digest/{self._direct.digest}"
        bucket = f"gs://{RESULTS[1]}"
        mealcorp.run("storage", "buckets", "create", bucket, "--location=europe-west1")
        for member in (principals, f"serviceAccount:{ACCOUNT}"):
            role = f"--role={OBJECT_CREATOR}"
            mealcorp.run("storage", "buckets", "add-iam-policy-binding", bucket, role, f"--member={member}")

    def _command_line(self, folder: Path) -> Gcloud:
        return Gcloud(self._cloud, folder, project=PROJECT, number=NUMBER)

    def _image_of(self, credential: str, **settings: str) -> Image:
        """Return the meal planner with a credential file and with some of its settings changed."""
        environment = {
            **self._front.environment,
            "GOOGLE_APPLICATION_CREDENTIALS": "/credential.json",
            "KEY": KEY,
            "DATA_BUCKET": DATA,
            "RESULTS_BUCKETS": ",".join(RESULTS),
            **settings,
        }
        allowed = {
            "tee.launch_policy.allow_env_override": "LANG",
            "tee.launch_policy.allow_cmd_override": "true",
        }
        files = {"credential.json": (self._files / credential).read_bytes()}
        return self.program_image("meal-planner-google", environment, allowed, files)

    def _push(self, name: str, image: Image) -> PushedImage:
        return self.world.registry.push(image, name, "1.0")

    # --- what is right

    def _agreed_program(self, image: PushedImage) -> None:
        run = self.run_program(image, "launch, attest, become somebody, work")
        self.check_code(run, 0)
        orders = self._take_orders()
        self.check(orders == [preferences.ORDER] * 2, f"both companies have the order, {preferences.ORDER}")

    # --- what is wrong

    def _wrong_things(self) -> Sequence[Callable[[], None]]:
        return (
            self._tampered,
            self._unstable,
            self._old,
            self._unknown_image,
            self._debug_image,
            self._unprotected,
            self._told_otherwise,
            self._with_arguments,
            self._again_and_again,
            self._somebody_else,
            self._another_account,
            self._not_bound,
            self._mishaps,
            self._renewed,
            self._withdrawn,
        )

    def _tampered(self) -> None:
        """MealCorp slips one more file into the image."""
        image = self._image_of("direct.json")
        changed = replace(image, layers=[*image.layers, Layer().file("etc/copy-to", "mealcorp.example\n")])
        pushed = self._push("meal-planner-tampered", changed)
        run = self.run_program(pushed, "launch, attest, be denied")
        self.check_code(run, 1)
        said = "\n".join(run.output)
        self.check(f"denied on resource '{DATA}'" in said, "it has no right on the data")
        self.check(f"gcpcs::{pushed.digest}::" in said, "and is told as whom: by its own image digest")
        self.check(self._take_orders() == [], "nobody has got the order")
        with self._allowed(pushed):
            run = self.run_program(pushed, "the same, with rights for that digest")
        self.check(self._take_orders() == [preferences.ORDER] * 2, "it was the digest")

    def _unstable(self) -> None:
        """A VM image that is not stable any more."""
        with self.vm_image_known_as(support_attributes=["USABLE"]):
            self._denied("support_attributes")

    def _old(self) -> None:
        """A VM image of a version that is too old."""
        with self.vm_image_known_as(software_version="250100"):
            self._denied("swversion")

    def _unprotected(self) -> None:
        """A machine whose memory nothing protects."""
        with self.another_machine("unprotected", hardware_model="SOMEBODYS_TPM") as machine:
            self._denied("hwmodel", machine=machine)

    def _told_otherwise(self) -> None:
        """The operator sets a variable, as the image allows."""
        self._denied("env_override", {"tee-env-LANG": "tlh"})

    def _with_arguments(self) -> None:
        """The operator gives the program arguments, as the image allows."""
        self._denied("cmd_override", {"tee-cmd": '["--slowly"]'})

    def _again_and_again(self) -> None:
        """The operator has the program run again and again."""
        self._denied("restart_policy", {"tee-restart-policy": "OnFailure"}, exit_code=3)

    def _somebody_else(self) -> None:
        """The machine of somebody else's project."""
        with self.another_machine("elsewhere", instance=Instance(project_id="rival-project")) as machine:
            self._denied("project_id", machine=machine)

    def _unknown_image(self) -> None:
        """A VM image that the attestation service does not know."""
        file = self.world.verifier.reference_values
        before = file.read_text()
        file.write_text('{"images": []}')
        self.world.verifier.reload()
        try:
            run = self.run_program(self._direct, "launch, attest, be denied")
        finally:
            file.write_text(before)
            self.world.verifier.reload()
        self._told_of(run, "swname", "swversion", "support_attributes", "dbgstat")

    def _debug_image(self) -> None:
        """A debug VM image, which the operator may log in to."""
        with self.vm_image_known_as(hardened=False, support_attributes=[]):
            run = self.run_program(self._direct, "launch, attest, be denied")
        self._told_of(run, "dbgstat", "support_attributes")

    def _told_of(self, run: Run, *claims: str) -> None:
        """Check that a program was denied for the conditions on these claims, and granted without them."""
        self.check_code(run, 1)
        failed = failed_conditions(run)
        told = [claim for claim in claims if any(claim in condition for condition in failed)]
        self.check(told == list(claims) and len(failed) == len(claims), f"denied for the conditions on {', '.join(claims)}")
        self.check(self._take_orders() == [], "nobody has got the order")
        self.check(self._granted_without(claims, self._cloud.calls[-1]), "the same request is granted without those conditions")

    def _granted_without(self, claims: Sequence[str], call: Call) -> bool:
        """Tell whether a request that was refused is granted when the conditions on some claims, one each, are left out."""
        conditions = [condition.strip() for condition in self._cloud.providers[PROVIDER].condition.split("&&")]
        others = [condition for condition in conditions if not any(claim in condition for claim in claims)]
        with self._condition(" && ".join(others)), contextlib.suppress(ApiError):
            return len(others) == len(conditions) - len(claims) and bool(self._cloud.exchange(call.form))
        return False

    def _another_account(self) -> None:
        """Somebody else's service account runs the machine."""
        other = Instance(service_account="somebody@mealcorp-project.iam.gserviceaccount.com")
        with self.another_machine("account", instance=other) as machine:
            self._denied("google_service_accounts", machine=machine)

    def _not_bound(self) -> None:
        """Corporation Corp withdraws the account's right to use the key."""
        key = self._cloud.resource(KEY)
        binding = (DECRYPTER, f"serviceAccount:{ACCOUNT}")
        key.bindings.remove(binding)
        run = self.run_program(self._impersonating, "launch, attest, be denied the key")
        key.bindings.add(binding)
        self.check_code(run, 1)
        self.check(any(f"denied on resource '{KEY}'" in line for line in run.output), "it has no right on the key")
        self.check(self._take_orders() == [], "nobody has got the order")

    def _denied(
        self,
        claim: str,
        attributes: Mapping[str, str] | None = None,
        machine: Machine | None = None,
        exit_code: int = 1,
    ) -> None:
        """Launch, be denied for one condition alone, and be granted the same request without that condition."""
        before = len(self._cloud.calls)
        run = self.run_program(self._direct, "launch, attest, be denied", attributes, machine)
        self.check_code(run, exit_code)
        failed = failed_conditions(run)
        self.check(len(failed) == 1 and claim in failed[0], f"denied for the condition on {claim} alone")
        self.check(self._take_orders() == [], "nobody has got the order")
        calls = self._cloud.calls[before:]
        granted = bool(calls) and self._granted_without([claim], calls[0])
        self.check(granted, "the same request is granted without that condition")

    def _mishaps(self) -> None:
        """What may go wrong for the program itself, and what it says then."""
        other = self._files / "other.json"
        credential = json.loads((self._files / "direct.json").read_text())
        credential["audience"] = credential["audience"].replace("attestation-verifier", "nobody")
        other.write_text(json.dumps(credential))
        credential = json.loads((self._files / "direct.json").read_text())
        credential["credential_source"]["file"] = "/run/container_launcher/nothing"
        (self._files / "nothing.json").write_text(json.dumps(credential))
        cases: dict[str, tuple[Image, str]] = {
            "no token": (self._image_of("nothing.json"), "no such file or directory"),
            "no such provider": (self._image_of("other.json"), "there is no provider"),
            "no such key": (self._image_of("direct.json", KEY=KEY + "-2"), f"denied on resource '{KEY}-2'"),
            "another region": (
                self._image_of("direct.json", KEY=KEY.replace("europe-west1", "us-east1")),
                "denied on resource 'projects/corporation-project/locations/us-east1",
            ),
        }
        for what, (image, message) in cases.items():
            pushed = self._push(f"meal-planner-{what.split()[-1]}", image)
            with self._allowed(pushed):
                run = self.run_program(pushed, what)
            good = run.exit_code == 1 and any(message in line for line in run.output)
            self.check(good, f"{what}: it says {message!r}")
        self.check(self._take_orders() == [], "nobody has got the order")

    def _renewed(self) -> None:
        """The access token ends while the program works, and it gets another one"""
        before = []
        run = self._with_short_tokens(lambda: before.append(len(self._cloud.calls)))
        self.check_code(run, 0)
        again = len(self._cloud.calls) - before[-1] if before else 0
        self.check(again > 0, "it has exchanged a token anew after it had got the data")
        self.check(self._take_orders() == [preferences.ORDER] * 2, "both companies have the order")

    def _withdrawn(self) -> None:
        """Corporation Corp changes its condition while the program works"""
        provider = self._cloud.providers[PROVIDER]
        before = provider.condition

        def demand_more() -> None:
            provider.condition = f"{before} && assertion.hwmodel == 'GCP_INTEL_TDX'"

        run = self._with_short_tokens(demand_more)
        provider.condition = before
        self.check_code(run, 1)
        said = any("GCP_INTEL_TDX" in line for line in run.output)
        self.check(said, "the second time it is denied for the condition on hwmodel")
        self.check(self._take_orders() == [], "nobody has got the order")

    # --- the means

    def _with_short_tokens(self, after_some: Callable[[], object]) -> Run:
        """Launch a program that works for longer than its access token lasts; `after_some` happens once it has the data."""
        image = self._push("meal-planner-slow", self._image_of("direct.json", WORK="3s"))
        self._cloud.token_seconds = 2
        self._cloud.decrypted = after_some
        try:
            with self._allowed(image):
                return self.run_program(image, "launch, attest, become somebody twice")
        finally:
            self._cloud.token_seconds, self._cloud.decrypted = TOKEN_SECONDS, lambda: None

    def _take_orders(self) -> list[dict[str, int]]:
        """Return the orders that the companies have got, which have none any more then."""
        taken = [self._cloud.resource(bucket).objects.pop("order.json", None) for bucket in RESULTS]
        return [json.loads(order) for order in taken if order is not None]

    @contextlib.contextmanager
    def _condition(self, condition: str) -> Iterator[None]:
        provider = self._cloud.providers[PROVIDER]
        before, provider.condition = provider.condition, condition
        try:
            yield
        finally:
            provider.condition = before

    @contextlib.contextmanager
    def _allowed(self, image: PushedImage) -> Iterator[None]:
        """Let another image do what the agreed one may."""
        ours, theirs = self._direct.digest, image.digest
        added = []
        for resource in self._cloud.resources.values():
            for role, member in [binding for binding in resource.bindings if binding[1].endswith(ours)]:
                added.append((resource, (role, member.replace(ours, theirs))))
        for resource, binding in added:
            resource.bindings.add(binding)
        try:
            yield
        finally:
            for resource, binding in added:
                resource.bindings.discard(binding)


def failed_conditions(run: Run) -> list[str]:
    """Return the conditions that a program was told it does not fulfil."""
    return [line for line in "\n".join(run.output).split("condition ")[1:] if ": found " in line]


if __name__ == "__main__":
    sys.exit(main(GoogleScene, "google", __doc__))
