"""A workload that asks for all it can: neither the default token nor its own honest clients wait for it (case S 26)."""

from __future__ import annotations

from pathlib import Path

import pytest
from cs_harness import World
from flood import GREEDY, let_loose
from support import STAY, push, shell_image

LONGEST_SECONDS = 180
BRIEF_SECONDS = 10  # the life of a token
RENEWALS = 3
AT_ONCE = 8  # attestations that go on at a time
BEGUN = 'msg="Successfully created challenge"'
RENEWED = 'msg="successfully refreshed attestation token"'


def test_the_default_token_is_renewed_under_a_flood(folder: Path) -> None:
    """Tokens that live for seconds are renewed in time, over and over, while the workload asks for all it can."""
    with World(folder / "brief", token_lifetime_seconds=BRIEF_SECONDS) as world:
        image = push(world.registry, shell_image(STAY))
        with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
            launcher.wait_ready()
            with let_loose(["silent", "tokens", "slow"], LONGEST_SECONDS, path=launcher.socket):
                for _ in range(RENEWALS):
                    so_far = len(launcher.process.lines)
                    launcher.process.wait_for(RENEWED, timeout=3 * BRIEF_SECONDS, after=so_far)
                assert launcher.tee.request().status == 200
            assert "failed to refresh attestation service token" not in launcher.log_text


@pytest.mark.parametrize(("role", "in_front"), [("greedy", GREEDY), ("hoarder", 1)])
def test_greedy_clients_starve_nobody(folder: Path, role: str, in_front: int) -> None:
    """Whoever asks for one token waits for one of each other process at most, and the default token for nobody (S 26)."""
    with World(folder / role, token_lifetime_seconds=BRIEF_SECONDS) as world:
        image = push(world.registry, shell_image(STAY))
        with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
            launcher.wait_ready()
            with let_loose([role], LONGEST_SECONDS, path=launcher.socket):
                launcher.process.wait_for(BEGUN, after=len(launcher.process.lines), timeout=60)
                for number in range(3):
                    so_far = len(launcher.process.lines)
                    answer = launcher.tee.custom_token("https://honest.example", f"honest-{number:04}")
                    assert answer.status == 200, answer.text
                    begun = sum(BEGUN in line for line in launcher.process.lines[so_far:])
                    # Each that ends while ours goes on lets another one begin.
                    assert begun <= in_front + 3 * AT_ONCE
                launcher.process.wait_for(RENEWED, timeout=3 * BRIEF_SECONDS, after=len(launcher.process.lines))
            assert "failed to refresh attestation service token" not in launcher.log_text
