"""Registries that are in their clients' way, or mean no good: what is run is what was asked for, or nothing is."""

from __future__ import annotations

import base64
import http.client
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cs_harness import Image, Layer, Postbox, PushedImage, Registry, World
from cs_harness.registry import REGISTRY_ACCOUNT
from cs_harness.registry_front import Answer, Asked, RegistryFront
from cs_harness.tunnel import Tunnel
from support import (
    container_claims,
    nothing_is_left,
    push,
    shell_image,
    verified_claims,
)

FAILURE = 1
LAYER_BYTES = 100 << 10
FAR = "192.0.2.5"  # an address of documentation (RFC 5737): nobody is there
PAIR = base64.b64encode(":".join(REGISTRY_ACCOUNT).encode()).decode()


def new_image(script: str = "exit 0") -> Image:
    """Return an image with a layer that containerd has not had before."""
    return shell_image(script, more_layers=[Layer().file("new", os.urandom(LAYER_BYTES))])


@pytest.fixture
def image(world: World) -> PushedImage:
    """Return an image in the world's registry."""
    return push(world.registry, new_image())


@pytest.fixture
def private(folder: Path) -> Iterator[tuple[Registry, PushedImage]]:
    """Yield a registry that wants to know who asks, and an image in it."""
    with Registry(folder / "private", private=True) as registry:
        yield registry, push(registry, new_image())


def launch(world: World, front: RegistryFront, image: PushedImage, *, credential: bool = False) -> tuple[int, str]:
    """Launch to the end; returns exit code and log."""
    attributes = {"tee-image-reference": front.reference(image)}
    if credential:
        config = json.dumps({"auths": {front.address: {"auth": PAIR}}})
        attributes["tee-registry-auth"] = base64.b64encode(config.encode()).decode()
    with world.launcher(attributes) as launcher:
        return launcher.wait(120), launcher.log_text


def once(answer: Answer, matches: Callable[[Asked], bool]) -> Callable[[Asked], Answer | None]:
    """Answer the first request that matches."""
    left = [answer]
    return lambda asked: left.pop() if left and matches(asked) else None


def is_for(kind: str) -> Callable[[Asked], bool]:
    """Tell requests for "manifests" or "blobs"."""
    return lambda asked: f"/{kind}/" in asked.path


@pytest.mark.parametrize("kind", ["manifests", "blobs"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_registry_with_too_much_to_do_is_asked_again(
    world: World, image: PushedImage, kind: str, status: int
) -> None:
    """When it says, or a little later."""
    busy = Answer(status, {"Retry-After": "1"})
    with RegistryFront(world.registry, once(busy, is_for(kind))) as front:
        code, log = launch(world, front, image)
        paths = [asked.path for asked in front.asked if is_for(kind)(asked)]
    assert code == 0, log
    assert len(paths) > len(set(paths))


def test_a_rate_limit_that_stays_is_an_error_that_says_so(world: World, image: PushedImage) -> None:
    """With the status, in the end, and with nothing left behind."""
    with RegistryFront(world.registry, lambda _: Answer(429, {"Retry-After": "1"})) as front:
        code, log = launch(world, front, image)
    assert code == FAILURE, log
    assert "429" in log
    assert nothing_is_left(world)


@pytest.mark.parametrize(
    "challenges",
    [
        ['Basic realm="here"'],
        ['Bearer realm="http://{}/token",service="here",scope="repository:workload:pull"'],
        ['Basic realm="here"', 'Bearer realm="http://{}/token",service="here",scope="repository:workload:pull"'],
    ],
    ids=["Basic", "Bearer", "both"],
)
def test_a_challenge_is_answered(world: World, private: tuple[Registry, PushedImage], challenges: list[str]) -> None:
    """With the credential, or with the token that it gets."""
    registry, image = private
    wants_token = "Bearer" in challenges[-1]
    address = ""

    def gate(asked: Asked) -> Answer | None:
        shown = asked.header["Authorization"]
        if asked.path.startswith("/token"):
            return Answer(200, body=json.dumps({"token": "let-me-in"}).encode()) if shown == f"Basic {PAIR}" else None
        if shown == ("Bearer let-me-in" if wants_token else f"Basic {PAIR}"):
            asked.header.replace_header("Authorization", f"Basic {PAIR}")
            return None
        value = ", ".join(challenges).replace("{}", address)
        return Answer(http.client.UNAUTHORIZED, {"WWW-Authenticate": value})

    with RegistryFront(registry, gate) as front:
        address = front.address
        code, log = launch(world, front, image, credential=True)
        assert wants_token == any(asked.path.startswith("/token") for asked in front.asked)
    assert code == 0, log
    assert PAIR not in log
    assert "let-me-in" not in log


def test_no_credential_follows_to_another_host(world: World, private: tuple[Registry, PushedImage]) -> None:
    """A registry may keep its blobs elsewhere; there nobody hears who asks."""
    registry, image = private

    def from_the_registry(asked: Asked) -> Answer | None:
        if "Authorization" not in asked.header:
            asked.header["Authorization"] = f"Basic {PAIR}"
            shown.append(False)
        else:
            shown.append(True)
        return None

    shown: list[bool] = []
    with RegistryFront(registry, from_the_registry) as elsewhere:

        def send_away(asked: Asked) -> Answer | None:
            if not is_for("blobs")(asked):
                return None
            return Answer(http.client.TEMPORARY_REDIRECT, {"Location": f"http://{elsewhere.address}{asked.path}"})

        with RegistryFront(registry, send_away) as front:
            code, log = launch(world, front, image, credential=True)
            assert all(
                asked.header["Authorization"] == f"Basic {PAIR}" for asked in front.asked if is_for("blobs")(asked)
            )
    assert code == 0, log
    assert shown
    assert not any(shown)


def test_a_transfer_that_breaks_off_goes_on(world: World, image: PushedImage) -> None:
    """The rest is asked for, and what is unpacked is whole."""
    broken: list[str] = []

    def break_off(asked: Asked) -> Answer | None:
        if broken or not is_for("blobs")(asked) or image.config_digest in asked.path:
            return None
        broken.append(asked.path)
        whole = front.hand_on("GET", asked)
        return Answer(whole.status, whole.header, whole.body[: len(whole.body) // 2], cut=True)

    with RegistryFront(world.registry, break_off) as front:
        code, log = launch(world, front, image)
        again = [asked.header["Range"] for asked in front.asked if asked.path == broken[0]][1:]
    assert code == 0, log
    assert len(again) == 1
    assert again[0].startswith("bytes=")


@pytest.mark.parametrize("change", [-1, 1])
def test_a_wrong_content_length_is_no_image(world: World, image: PushedImage, change: int) -> None:
    """A blob that is said to be shorter or longer than it is, again and again."""

    def lie(asked: Asked) -> Answer | None:
        if not is_for("blobs")(asked):
            return None
        truth = front.hand_on("GET", asked)
        return Answer(
            truth.status, {**truth.header, "Content-Length": str(len(truth.body) + change)}, truth.body, cut=True
        )

    with RegistryFront(world.registry, lie) as front:
        code, log = launch(world, front, image)
    assert code == FAILURE, log
    assert "cannot pull the image" in log
    assert nothing_is_left(world)


def test_what_runs_is_what_was_measured_of_a_tag_that_moves(world: World, postbox: Postbox) -> None:
    """With every look at the tag it is another image."""
    images = [push(world.registry, new_image(postbox.send(f"echo {n}")), tag=f"v{n}") for n in range(4)]
    looks: list[str] = []

    def move(asked: Asked) -> Answer | None:
        if not asked.path.endswith("/manifests/latest"):
            return None
        chosen = images[len(looks) % len(images)]
        looks.append(chosen.digest)
        return front.hand_on("GET", Asked(asked.path.replace("latest", chosen.tag), asked.header))

    with RegistryFront(world.registry, move) as front:
        reference = front.reference(images[0]).replace(":v0", ":latest")
        with world.launcher({"tee-image-reference": reference}) as launcher:
            claims = container_claims(verified_claims(world, launcher.wait_token()))
            assert launcher.wait(60) == 0, launcher.process.last_words()
    assert claims["image_digest"] in looks
    assert images[int(postbox.wait())].digest == claims["image_digest"]


def test_a_registry_behind_a_proxy(world: World, folder: Path) -> None:
    """By a tunnel, in which the registry shows its certificate."""
    with (
        Registry(folder / "far", authority=world.authority, known_as=FAR) as registry,
        Tunnel({f"{FAR}:443": registry.port}) as tunnel,
    ):
        image = push(registry, new_image())
        options = {"--registry-ca": world.authority.certificate}
        with world.launcher({"tee-image-reference": image.by_tag}, options=options, env=tunnel.environment) as launcher:
            assert launcher.wait(60) == 0, launcher.process.last_words()
    assert set(tunnel.asked) == {f"{FAR}:443"}
