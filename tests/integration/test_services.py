"""Several attestation services that the machine's image names, and an operator who chooses one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import Verifier, World
from support import push, shell_image, verified_claims

FAILURE = 1


@pytest.fixture
def second(world: World, folder: Path) -> Iterator[Verifier]:
    """Yield another verifier that knows the same machines."""
    verifier = world.another_verifier(folder / "second")
    with verifier:
        yield verifier


def flags_for(world: World, second: Verifier) -> list[str]:
    """Return options that name both."""
    services = {"first": world.verifier, "second": second}
    return [f"--verifier={name}={each.url},{world.authority.certificate}" for name, each in services.items()]


@pytest.mark.parametrize("name", [None, "first", "second"])
def test_the_operator_chooses_by_name(world: World, second: Verifier, name: str | None) -> None:
    """The first is the default; the choice shows in the log and in the token's issuer."""
    image = push(world.registry, shell_image())
    attributes = {"tee-image-reference": image.by_tag}
    if name:
        attributes["tee-attestation-service"] = name
    chosen = second if name == "second" else world.verifier
    options = {"--verifier": None, "--verifier-ca": None}
    with world.launcher(attributes, options=options, flags=flags_for(world, second)) as launcher:
        token = launcher.wait_token()
        assert launcher.wait(60) == 0, launcher.process.last_words()
        line = launcher.wait_for("attestation service")
    assert (line.fields["name"], line.fields["url"]) == (name or "first", chosen.url)
    assert verified_claims(world, token, verifier=chosen)["iss"] == chosen.url


def test_a_service_that_the_image_does_not_name_is_refused(world: World, second: Verifier) -> None:
    """By name or by URL; the error lists those that there are."""
    image = push(world.registry, shell_image())
    options = {"--verifier": None, "--verifier-ca": None}
    for wish in ("third", second.url):
        attributes = {"tee-image-reference": image.by_tag, "tee-attestation-service": wish}
        with world.launcher(attributes, options=options, flags=flags_for(world, second)) as launcher:
            assert launcher.wait(60) == FAILURE
            assert "the machine's image names [first second]" in launcher.log_text
