#!/usr/bin/python3
"""MealCorp counts Corporation Corp's meal preferences with a key that Corporation Corp keeps in its AWS account.

Starts everything for real in a temporary folder, but for AWS, which is played. Exits 0 only when all ended exactly as it
should; 130 when interrupted. The README beside this file tells the story.
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to clean up
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "tests/harness")]

import preferences
from cs_harness import CloudFront, Image, Layer, Machine, PushedImage, World
from cs_harness.aws import ACCOUNT, REGION, TAGS_CLAIM, Aws, StsError, missing_clouds
from cs_harness.cloud_front import serving_files
from cs_harness.cosign import SigningKey, push_simple_signatures, simple_signing_payload
from cs_harness.metadata import Instance
from cs_harness.process import clouds_python
from cs_harness.recipe import Shell, blocks
from cs_harness.scene import Run, Scene, main
from cs_harness.transcript import Transcript
from cs_harness.verifier import HARDWARE_MODEL, unverified_claims

BUCKET_HOST = "storage.googleapis.com"
ISSUER = f"https://{BUCKET_HOST}/aws_token_bucket/aws_token_testing"
AUDIENCE = "https://keys.corporation.example"
OTHER_AUDIENCE = "https://reports.corporation.example"
ROLE = "meal-planner"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
DATA, RESULTS = "corporation-preferences", "corporation-orders"
DIGEST_TAG = "aws:RequestTag/container.image_digest"
SIGNATURES_TAG = "aws:RequestTag/container.signatures.key_ids"
TOKEN_TYPES = ("AWS", "AWS_PRINCIPALTAGS")


class AwsScene(Scene):
    """Both kinds of token are granted; what is wrong, and some mishaps, are told by their names."""

    programs = (*Scene.programs, "meal-planner-aws")
    how_to_build = " (target scenes_programs, which takes Go 1.24 or newer)"

    def __init__(self, folder: Path, show: Transcript) -> None:
        super().__init__(folder, show)
        self._aws = Aws(lambda url: self._front.fetch(url))
        self._front: CloudFront
        self._key: str
        self._images: dict[str, PushedImage]

    @classmethod
    def missing(cls) -> list[str]:
        """Say what keeps it from being played here."""
        return super().missing() + missing_clouds()

    def story(self) -> str:
        """Play everything."""
        self.show.heading("1. The services")
        self._start_services()
        self.show.heading("2. What Corporation Corp writes into its AWS account")
        self._set_up_account()
        for number, kind in enumerate(TOKEN_TYPES, start=3):
            self.show.heading(f"{number}. The agreed program, with a token of the type {kind}")
            self._agreed_program(kind)
        for number, wrong in enumerate(self._wrong_things(), start=5):
            self.show.heading(f"{number}. {(wrong.__doc__ or '').rstrip('.')}")
            wrong()
        return "the agreed program worked on the data; nobody else did, and each was told why"

    # --- the services

    def _start_services(self) -> None:
        self.world = self.stack.enter_context(World(self.folder, progress=self.progress, issuer=ISSUER))
        self.progress("AWS (played: moto, and a front that decides on tokens)")
        self.stack.enter_context(self._aws)
        self.progress("a bucket with the attestation service's keys")
        published = self.folder / "published"
        self.world.verifier.export(published)
        routes = {BUCKET_HOST: serving_files(published, "/aws_token_bucket/aws_token_testing"), **self._aws.routes}
        self._front = self.stack.enter_context(CloudFront(self.world.authority, "clouds", routes))
        self.progress.finish()

    def _set_up_account(self) -> None:
        """Follow the recipe in docs/data-collaborator.md, with AWS's own command line."""
        files = self.folder / "files"
        files.mkdir()
        data_key = secrets.token_bytes(32)
        (files / "data.key").write_bytes(data_key)
        (files / "preferences.enc").write_bytes(preferences.seal(data_key))
        environment = {
            **self._aws.administrator,
            **self._front.environment,
            "AWS_CA_BUNDLE": str(self.world.authority.certificate),
        }
        shell = self.stack.enter_context(Shell(files, environment, self.show.code, clouds_python().parent))
        yours, data, provider, trust, rights = blocks("Recipe: AWS")
        shell.type(yours)
        shell.fill_in(ISSUER=ISSUER.removeprefix("https://"), HWMODEL=HARDWARE_MODEL)
        shell.type(data)
        self._key = shell.value("KEY")
        self._images = {kind: self._push(f"meal-planner-{kind.lower()}", TOKEN_TYPE=kind) for kind in TOKEN_TYPES}
        shell.fill_in(IMAGE_DIGEST=self._images["AWS"].digest)
        for block in (provider, trust, rights):
            shell.type(block)
        self._set_policy(self._policy_for(*(image.digest for image in self._images.values())))
        self.show.line(f"The role is for two programs, which differ in the type of token that they ask for: {DIGEST_TAG}")
        for image in self._images.values():
            self.show.line(image.digest, indent=6)

    def _image_of(self, **settings: str) -> Image:
        """Return the meal planner with some of its settings changed."""
        environment = {
            **self._front.environment,
            "AWS_REGION": REGION,
            "TOKEN_AUDIENCE": AUDIENCE,
            "TOKEN_TYPE": "AWS_PRINCIPALTAGS",
            "ROLE": ROLE_ARN,
            "KEY": self._key,
            "DATA_BUCKET": DATA,
            "RESULTS_BUCKET": RESULTS,
            **settings,
        }
        allowed = {"tee.launch_policy.allow_env_override": "TOKEN_AUDIENCE"}
        return self.program_image("meal-planner-aws", environment, allowed)

    def _push(self, name: str, **settings: str) -> PushedImage:
        return self.world.registry.push(self._image_of(**settings), name, "1.0")

    # --- what is right

    def _agreed_program(self, kind: str) -> None:
        before = len(self._aws.calls)
        run = self.run_program(self._images[kind], "launch, attest, assume the role, work")
        self.check_code(run, 0)
        tokens = [call.form["WebIdentityToken"] for call in self._aws.calls[before:]]
        self.show.line("the session tags in its token:")
        tags = unverified_claims(tokens[0])[TAGS_CLAIM]["principal_tags"] if tokens else {}
        for name, (value,) in tags.items():
            self.show.line(f"{name:<40}{value}", indent=6)
        self.check(tags.get("container.image_digest") == [self._images[kind].digest], "the digest is that of its image")
        self.check(self._take_order() == preferences.ORDER, f"the order for the kitchen is {preferences.ORDER}")

    # --- what is wrong

    def _wrong_things(self) -> Sequence[Callable[[], None]]:
        return (
            self._tampered,
            self._unstable,
            self._old,
            self._unprotected,
            self._elsewhere,
            self._other_audience,
            self._untagged,
            self._known_by_signature,
            self._mishaps,
            self._renewed,
            self._withdrawn,
        )

    def _tampered(self) -> None:
        """MealCorp slips one more file into the image."""
        image = self._image_of()
        changed = replace(image, layers=[*image.layers, Layer().file("etc/copy-to", "mealcorp.example\n")])
        self._denied(self.world.registry.push(changed, "meal-planner", "1.1"), "container.image_digest")

    def _unstable(self) -> None:
        """A VM image that is not stable any more."""
        with self.vm_image_known_as(support_attributes=["USABLE"]):
            self._denied(self._images["AWS_PRINCIPALTAGS"], "confidential_space.support_attributes")

    def _old(self) -> None:
        """A VM image of a version that Corporation Corp does not accept."""
        with self.vm_image_known_as(software_version="250100"):
            self._denied(self._images["AWS_PRINCIPALTAGS"], "swversion")

    def _unprotected(self) -> None:
        """A machine whose memory nothing protects."""
        with self.another_machine("unprotected", hardware_model="SOMEBODYS_TPM") as machine:
            self._denied(self._images["AWS_PRINCIPALTAGS"], "hwmodel", machine=machine)

    def _elsewhere(self) -> None:
        """A machine of somebody else's project."""
        with self.another_machine("elsewhere", instance=Instance(project_id="rival-project")) as machine:
            self._denied(self._images["AWS_PRINCIPALTAGS"], "gce.project_id", machine=machine)

    def _other_audience(self) -> None:
        """The operator asks for a token for another purpose, which the image's author allowed."""
        with self._another_audience_known():
            self._denied(self._images["AWS_PRINCIPALTAGS"], "aud", {"tee-env-TOKEN_AUDIENCE": OTHER_AUDIENCE})

    def _untagged(self) -> None:
        """A role that Corporation Corp has forgotten to allow tags for."""
        policy = copy.deepcopy(self._policy)
        policy["Statement"][0]["Action"] = ["sts:AssumeRoleWithWebIdentity"]
        with self._policy_set(policy):
            run = self.run_program(self._images["AWS_PRINCIPALTAGS"], "launch, attest, be denied")
        self.check_code(run, 1)
        said = any("no statement allows sts:TagSession" in line for line in run.output)
        self.check(said, "denied, for sts:TagSession is not among the actions")
        self.check(self._take_order() is None, "nobody has got the order")

    def _known_by_signature(self) -> None:
        """Corporation Corp knows programs by who has signed them, not by their digests."""
        key = SigningKey("ECDSA_P256_SHA256")
        image = self._push("meal-planner-signed", TOKEN_SIGNATURE_KEY_IDS=key.key_id)
        policy = self._policy_for()
        wanted = policy["Statement"][0]["Condition"]["StringEquals"]
        del wanted[DIGEST_TAG]
        wanted[SIGNATURES_TAG] = key.key_id
        looks_for_signatures = {"tee-signed-image-repos": f"{self.world.registry.address}/signatures"}
        with self._policy_set(policy):
            self._denied(image, "container.signatures.key_ids", looks_for_signatures)
            payload = simple_signing_payload(key, image.digest)
            push_simple_signatures(self.world.registry, "signatures", image.digest, [(payload, key.sign(payload))])
            run = self.run_program(image, "the same, signed", looks_for_signatures)
        self.check_code(run, 0)
        self.check(self._take_order() == preferences.ORDER, f"the order for the kitchen is {preferences.ORDER}")

    def _denied(
        self, image: PushedImage, key: str, attributes: Mapping[str, str] | None = None, machine: Machine | None = None
    ) -> None:
        """Launch, be denied for one condition alone, and be granted the same request without that condition."""
        name = f"{ISSUER.removeprefix('https://')}:aud" if key == "aud" else f"aws:RequestTag/{key}"
        before = len(self._aws.calls)
        run = self.run_program(image, "launch, attest, be denied", attributes, machine)
        self.check_code(run, 1)
        conditions = re.findall(r"condition \S+ (\S+): found", "\n".join(run.output))
        self.check(conditions == [name], f"denied for the condition on {name} alone")
        self.check(self._take_order() is None, "nobody has got the order")
        calls = self._aws.calls[before:]
        granted = False
        with self._policy_without(name), contextlib.suppress(StsError):
            granted = len(calls) == 1 and bool(self._aws.assume(calls[0].form))
        self.check(granted, "the same request is granted without that condition")

    def _mishaps(self) -> None:
        """What may go wrong for the program itself, and what it says then."""
        other_key = self._key[:-12] + "000000000000"
        cases = {
            "no token of that type": ({"TOKEN_TYPE": "AZURE"}, "no token: 400 Bad Request"),
            "no such role": ({"ROLE": f"{ROLE_ARN}-2"}, f"there is no role {ROLE_ARN}-2"),
            "no such key": ({"KEY": other_key}, "AccessDeniedException"),
            "another region": ({"AWS_REGION": "eu-west-1"}, f"PermanentRedirect: the bucket is in {REGION}"),
            "another bucket": ({"DATA_BUCKET": RESULTS}, "AccessDenied"),
        }
        for what, (settings, message) in cases.items():
            image = self._push("meal-planner-" + what.split()[-1], **settings)
            with self._policy_set(self._policy_for(image.digest)):
                run = self.run_program(image, what)
            self.check_code(run, 1)
            self.check(any(message in line for line in run.output), f"{what}: it says {message!r}")
            self.check(self._take_order() is None, "nobody has got the order")

    def _renewed(self) -> None:
        """The session ends while the program works, and it gets another one with a fresh token."""
        run, tokens = self._with_short_sessions(lambda: None)
        self.check_code(run, 0)
        self.check(len(set(tokens)) == len(tokens) >= 2, "the role was assumed anew, with a token of its own")
        self.check(self._take_order() == preferences.ORDER, f"the order for the kitchen is {preferences.ORDER}")

    def _withdrawn(self) -> None:
        """Corporation Corp withdraws its consent while the program works."""
        run, _ = self._with_short_sessions(lambda: self._set_policy(self._policy_for("sha256:none")))
        self.check_code(run, 1)
        said = any(f"condition StringEquals {DIGEST_TAG}" in line for line in run.output)
        self.check(said, f"the second time it is denied for the condition on {DIGEST_TAG}")
        self.check(self._take_order() is None, "nobody has got the order")

    # --- the means

    def _with_short_sessions(self, after_the_first: Callable[[], object]) -> tuple[Run, list[str]]:
        """Launch a program that works for longer than a session lasts; returns also the tokens that it showed."""
        image = self._push("meal-planner-slow", WORK="3s")
        first = len(self._aws.calls)
        self._aws.session_seconds = 2
        self._aws.answered = lambda: after_the_first() if len(self._aws.calls) == first + 1 else None
        try:
            with self._policy_set(self._policy_for(image.digest)):
                run = self.run_program(image, "launch, attest, assume the role, work, assume it again")
        finally:
            self._aws.session_seconds, self._aws.answered = None, lambda: None
        return run, [call.form["WebIdentityToken"] for call in self._aws.calls[first:]]

    def _take_order(self) -> dict[str, int] | None:
        """Return the order, of which there is none any more then."""
        s3 = self._aws.client("s3")
        if not s3.list_objects_v2(Bucket=RESULTS).get("Contents"):
            return None
        order = json.loads(s3.get_object(Bucket=RESULTS, Key="order.json")["Body"].read())
        s3.delete_object(Bucket=RESULTS, Key="order.json")
        return order

    @property
    def _policy(self) -> dict[str, Any]:
        """The role's trust policy."""
        return self._aws.client("iam").get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]

    def _set_policy(self, policy: Mapping[str, Any]) -> None:
        self._aws.client("iam").update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(policy))

    @contextlib.contextmanager
    def _policy_set(self, policy: Mapping[str, Any]) -> Iterator[None]:
        before = self._policy
        self._set_policy(policy)
        try:
            yield
        finally:
            self._set_policy(before)

    def _policy_for(self, *digests: str) -> dict[str, Any]:
        """Return the trust policy, but for other images."""
        policy = copy.deepcopy(self._policy)
        policy["Statement"][0]["Condition"]["StringEquals"][DIGEST_TAG] = list(digests)
        return policy

    @contextlib.contextmanager
    def _policy_without(self, key: str) -> Iterator[None]:
        policy = copy.deepcopy(self._policy)
        for wanted in policy["Statement"][0]["Condition"].values():
            wanted.pop(key, None)
        with self._policy_set(policy):
            yield

    @contextlib.contextmanager
    def _another_audience_known(self) -> Iterator[None]:
        """Have the provider take tokens for another audience, too, as for another role. (moto can't add one.)"""
        iam = self._aws.client("iam")
        (made,) = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]

        def make(*audiences: str) -> None:
            iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=made["Arn"])
            iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=list(audiences), ThumbprintList=["0" * 40])

        make(AUDIENCE, OTHER_AUDIENCE)
        try:
            yield
        finally:
            make(AUDIENCE)


if __name__ == "__main__":
    sys.exit(main(AwsScene, "aws", __doc__))
