"""Canaries in everything that is secret, and a look at everything that others can read."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cs_harness import GoogleApis, Launcher, PushedImage, Registry, World
from cs_harness.google_apis import LOGGING
from cs_harness.registry import REGISTRY_ACCOUNT
from support import STAY, shell_image

FAILURE = 1
CANARY = "canary-5f3759df"
LABELS = {"tee.launch_policy.allow_env_override": "SECRET", "tee.launch_policy.log_redirect": "always"}


@pytest.fixture
def private(folder: Path) -> Iterator[tuple[Registry, PushedImage]]:
    """Yield a private registry with an image that has a secret of its own."""
    image = shell_image(STAY, env=["PATH=/bin", f"IMAGE_SECRET={CANARY}-image"], labels=LABELS)
    with Registry(folder / "private", private=True) as registry:
        yield registry, registry.push(image, "secret")


def command_lines() -> str:
    """Return the arguments of all processes."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)


def error_bodies(launcher: Launcher) -> str:
    """Return what the workload's socket says to requests that are wrong in ways that could be quoted."""
    bodies = [
        "{",
        json.dumps({"audience": "x", "nonces": ["short"], "token_type": "OIDC"}),
        json.dumps({"audience": "", "token_type": "OIDC"}),
        json.dumps({"audience": "x", "token_type": "none", "nonces": []}),
    ]
    return "\n".join(launcher.tee.request("POST", body=body).text for body in bodies)


def test_no_secret_is_seen_by_others(world: World, folder: Path, private: tuple[Registry, PushedImage]) -> None:
    """Not in the log at its most talkative level, in the cloud's, on the console, in errors, arguments, or a dump of memory."""
    registry, image = private
    pair = base64.b64encode(":".join(REGISTRY_ACCOUNT).encode()).decode()
    config = base64.b64encode(json.dumps({"auths": {registry.address: {"auth": pair}}}).encode()).decode()
    attributes = {
        "tee-image-reference": image.by_tag,
        "tee-env-SECRET": f"{CANARY}-operator",
        "tee-registry-auth": config,
        "tee-container-log-redirect": "true",
        "tee-impersonate-service-accounts": "data@partner.iam.gserviceaccount.com",
    }
    world.metadata.identity_tokens.clear()
    console = folder / "console"
    console.touch()
    options = {"--console": console, "--output-directory": folder / "output", "--log-level": "trace"}
    with (
        GoogleApis(world) as google,
        world.launcher(
            attributes, options={**google.options, **options}, flags=["--cloud-logging"], env=google.environment
        ) as launcher,
    ):
        launcher.wait_ready()
        token = launcher.token
        custom = launcher.tee.custom_token("https://rp.example", "0123456789").text
        seen = {
            "errors": error_bodies(launcher),
            "arguments": command_lines(),
            "limits": Path(f"/proc/{launcher.process.pid}/limits").read_text(),
        }
        launcher.terminate()
        assert launcher.wait(60) == 0, launcher.process.last_words()
        assert 'level=TRACE msg="HTTP request"' in launcher.log_text
        assert 'level=TRACE msg="TPM" command=TPM2_Quote' in launcher.log_text
        assert 'level=TRACE msg="containerd" call=' in launcher.log_text
        seen["cloud"] = json.dumps([call.body for call in google.calls(LOGGING)])
        assert "successfully refreshed attestation token" in seen["cloud"]
        seen["log"] = launcher.log_text + "\n".join(launcher.process.stdout_lines)
    seen["console"] = console.read_text()
    seen["verifier"] = "\n".join(world.verifier.lines)
    seen["containerd"] = world.containerd.log
    identities = {jwt.decode(each, options={"verify_signature": False})["email"] for each in world.metadata.identity_tokens}
    assert len(identities) == 2, "the machine's own account, and the one that it acts as"
    secrets = {
        "a value": CANARY,
        "a token": token.split(".")[2],
        "a token of the workload's own": custom.split(".")[2],
        "the access token": "test-access-token",
        "a registry's credential": pair,
        "a registry's password": REGISTRY_ACCOUNT[1],
        "the operator's credentials": config,
        **{f"an identity token ({n})": each.split(".")[2] for n, each in enumerate(world.metadata.identity_tokens)},
    }
    found = [f"{what} in {where}" for what, secret in secrets.items() for where, text in seen.items() if secret in text]
    assert found == []
    assert [line.split()[4:6] for line in seen["limits"].splitlines() if "core file" in line] == [["1", "1"]]


@pytest.mark.parametrize(
    "attributes",
    [
        {"ita-region": "US", "ita-api-key": f"{CANARY}-key"},
        {"ita-api-key": f"{CANARY}-key"},
        {"tee-registry-auth": base64.b64encode(f'{{"auths": {{"x": "{CANARY}"}}}}'.encode()).decode()},
        {"tee-env-not-a-name": f"{CANARY}-value"},
        {"tee-env-NAME": f"{CANARY}-value"},
    ],
    ids=["ita", "ita-half", "registry-auth", "env-name", "env-policy"],
)
def test_what_is_refused_is_not_shown(world: World, attributes: dict[str, str]) -> None:
    """An error names the attribute, and not its secret."""
    image = world.registry.push(shell_image(), "refused", "latest")
    options = {"--log-level": "trace"}
    with world.launcher({"tee-image-reference": image.by_tag, **attributes}, options=options) as launcher:
        assert launcher.wait(60) == FAILURE
        log = launcher.log_text
    assert CANARY not in log
    for value in attributes.values():
        assert value not in log or value == "US"
