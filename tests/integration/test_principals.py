"""Accounts that the machine acts as, and a launch that does without a token of its own."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

from cs_harness import GoogleApis, Postbox, World
from cs_harness.google_apis import IAM
from support import STAY, push, shell_image, verified_claims

FAILURE = 1
ACCOUNTS = ("data@partner.iam.gserviceaccount.com", "keys@partner.iam.gserviceaccount.com")


def attributes_for(reference: str) -> dict[str, str]:
    """Return attributes of a launch that acts as both accounts."""
    return {"tee-image-reference": reference, "tee-impersonate-service-accounts": ",".join(ACCOUNTS)}


def test_accounts_that_the_machine_acts_as_are_in_the_token(world: World) -> None:
    """Beside its own; each was asked for with the access token, for the challenge, with its email."""
    image = push(world.registry, shell_image())
    with (
        GoogleApis(world) as google,
        world.launcher(attributes_for(image.by_tag), options=google.options, env=google.environment) as launcher,
    ):
        token = launcher.wait_token()
        assert launcher.wait(60) == 0, launcher.process.last_words()
    claims = verified_claims(world, token)
    assert sorted(claims["google_service_accounts"]) == sorted([world.metadata.instance.service_account, *ACCOUNTS])
    calls = sorted(google.calls(IAM), key=lambda call: call.path)  # they were asked for at once
    for account, call in zip(sorted(ACCOUNTS), calls, strict=True):
        assert call.path == f"/v1/projects/-/serviceAccounts/{account.replace('@', '%40')}:generateIdToken"
        assert call.authorization == "Bearer test-access-token"
        assert str(call.body["audience"]).startswith("projects/")
        assert call.body["includeEmail"] is True


def test_an_account_that_the_machine_may_not_act_as_ends_the_launch(world: World) -> None:
    """With Google's own word for it, and without the access token."""
    image = push(world.registry, shell_image())
    with GoogleApis(world) as google:
        google.refusal = (403, "lacks iam.serviceAccounts.getOpenIdToken")
        with world.launcher(attributes_for(image.by_tag), options=google.options, env=google.environment) as launcher:
            assert launcher.wait(60) == FAILURE
            assert any(f"failed to get impersonated token for {name}: " in launcher.log_text for name in ACCOUNTS)
            assert "lacks iam.serviceAccounts.getOpenIdToken" in launcher.log_text
            assert "test-access-token" not in launcher.log_text
    assert 1 <= len(google.calls(IAM)) <= len(ACCOUNTS)  # none of them twice


def test_without_a_default_token_there_is_none_before_somebody_asks(world: World, postbox: Postbox) -> None:
    """No file, and no attestation; the socket gives one all the same."""
    folder = "/run/container_launcher"
    script = postbox.send(f"ls {folder}") + f"; {STAY}"
    image = push(world.registry, shell_image(script))
    attributes = {"tee-image-reference": image.by_tag, "tee-disable-gca-refresh": "true"}
    with world.launcher(attributes) as launcher:
        launcher.wait_ready()
        names = postbox.wait().split()
        assert "teeserver.sock" in names
        assert "attestation_verifier_claims_token" not in names
        assert "successfully refreshed attestation token" not in launcher.log_text
        assert _default_token(launcher.socket).count(".") == 2
        assert not launcher.token_file.exists()
        launcher.terminate()
        assert launcher.wait(60) == 0


def test_without_a_default_token_the_service_may_be_away(world: World) -> None:
    """A warning; the workload runs."""
    image = push(world.registry, shell_image())
    attributes = {"tee-image-reference": image.by_tag, "tee-disable-gca-refresh": "true"}
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with world.launcher(attributes, options={"--verifier": url}) as launcher:
            assert launcher.wait(60) == 0, launcher.process.last_words()
            assert "the attestation service can't be used yet" in launcher.log_text


def _default_token(path: Path) -> str:
    """Return the default token from a launcher's socket."""

    class Connection(http.client.HTTPConnection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(str(path))

    connection = Connection("localhost")
    try:
        connection.request("GET", "/v1/token")
        return connection.getresponse().read().decode()
    finally:
        connection.close()
