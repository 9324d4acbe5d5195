"""What the workload is told of its default token while the verifier comes and goes."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cs_harness import GoBetween, Launcher, World
from support import STAY, push, shell_image

LIFETIME = 8


class ComingAndGoing(GoBetween):
    """Answers 503 while it is away."""

    is_away = False

    def on_request(self, path: str, body: bytes) -> bytes | int:
        """Refuse while away."""
        return 503 if self.is_away else body


def status_of(launcher: Launcher) -> dict[str, Any]:
    """Return the status."""
    answer = launcher.tee.request("GET", "/v1/status")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    return json.loads(answer.text)


def seconds_from_now(text: str) -> float:
    """Return how far a time is ahead."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp() - time.time()


def test_the_status_follows_the_verifier(folder: Path) -> None:
    """Ready, then failing, then expired with the code and for how long; and ready again."""
    with World(folder / "brief", token_lifetime_seconds=LIFETIME) as world, ComingAndGoing(world) as verifier:
        image = push(world.registry, shell_image(STAY))
        attributes = {"tee-image-reference": image.by_tag}
        with world.launcher(attributes, options={"--verifier": verifier.url}) as launcher:
            launcher.wait_ready()
            ready = status_of(launcher)
            assert ready["state"] == "ready"
            assert ready["verifier_away_seconds"] == 0
            assert "last_error" not in ready
            assert ready["next_refresh"] <= ready["expires"]
            assert -1 <= seconds_from_now(ready["next_refresh"])
            assert seconds_from_now(ready["expires"]) <= LIFETIME
            verifier.is_away = True
            launcher.wait_for("failed to refresh attestation service token")
            failing = status_of(launcher)
            assert failing["state"] in {"failing", "expired"}
            assert failing["last_error"]["code"] == "UNAVAILABLE"
            launcher.wait_for("the attestation token in the file has expired")
            expired = status_of(launcher)
            assert expired["state"] == "expired"
            assert expired["verifier_away_seconds"] >= failing["verifier_away_seconds"]
            so_far = len(launcher.process.lines)
            verifier.is_away = False
            launcher.process.wait_for("successfully refreshed attestation token", timeout=60, after=so_far)
            again = status_of(launcher)
            assert (again["state"], again["verifier_away_seconds"]) == ("ready", 0)
            assert again["last_error"]["code"] == "UNAVAILABLE"


def test_the_status_without_a_default_token(world: World) -> None:
    """Nobody renews what nobody keeps; the first token is the one that is asked for."""
    image = push(world.registry, shell_image(STAY))
    attributes = {"tee-image-reference": image.by_tag, "tee-disable-gca-refresh": "true"}
    with world.launcher(attributes) as launcher:
        launcher.wait_for("workload task started")
        assert status_of(launcher) == {"state": "none", "verifier_away_seconds": 0}
        assert launcher.tee.request().status == 200
        status = status_of(launcher)
        assert status["state"] == "ready"
        assert "next_refresh" not in status
