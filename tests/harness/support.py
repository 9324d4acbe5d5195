"""Workloads for the integration tests, and how they report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jwt
from cs_harness import (
    Image,
    Layer,
    PushedImage,
    Registry,
    Verifier,
    World,
    busybox_layer,
)

ALLOW_CMD = {"tee.launch_policy.allow_cmd_override": "true"}
DEFAULT_AUDIENCE = "https://sts.googleapis.com"
STAY = "trap 'exit 0' TERM; sleep 300 & wait"

_BUSYBOX = busybox_layer().tar()


def shell_image(script: str = "exit 0", *, more_layers: Sequence[Layer] = (), **settings: Any) -> Image:
    """Return an image that runs a shell script."""
    return Image([_BUSYBOX, *more_layers], entrypoint=["/bin/sh", "-c", script], **settings)


def program_image(*entrypoint: str, **settings: Any) -> Image:
    """Return an image with busybox and an entrypoint."""
    return Image([_BUSYBOX], entrypoint=list(entrypoint), **settings)


def push(registry: Registry, image: Image, name: str = "workload", tag: str = "latest") -> PushedImage:
    """Push an image under a name of its own."""
    return registry.push(image, name, tag)


def verified_claims(
    world: World, token: str, audience: str = DEFAULT_AUDIENCE, *, verifier: Verifier | None = None
) -> dict[str, Any]:
    """Check a token as a relying party does, with a library that is not ours, and return its claims."""
    verifier = verifier or world.verifier
    keys = jwt.PyJWKSet.from_dict(verifier.keys())
    key_id = jwt.get_unverified_header(token)["kid"]
    (key,) = [each for each in keys.keys if each.key_id == key_id]
    return jwt.decode(token, key.key, algorithms=["RS256"], audience=audience, issuer=verifier.url)


def container_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the claims that is about the container."""
    return claims["submods"]["container"]


def nothing_is_left(world: World) -> bool:
    """Tell whether containerd has neither container nor task nor snapshot of a launch."""
    containerd = world.containerd
    return containerd.containers() == [] and containerd.bundles() == [] and containerd.snapshots() == []
