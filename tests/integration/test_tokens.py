"""The default token and its file (cases T)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cs_harness import CertificateAuthority, HarnessError, Launcher, Postbox, World
from cs_harness.verifier import unverified_claims
from support import STAY, push, shell_image, verified_claims

FAILURE = 1
LIFETIME_SECONDS = 6


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[World]:
    """Yield services whose tokens live for seconds only."""
    with World(folder, token_lifetime_seconds=LIFETIME_SECONDS) as services:
        yield services


def test_the_verifier_is_down_at_the_start(world: World, postbox: Postbox) -> None:
    """Without a first token nothing runs, and no token file is left behind."""
    image = push(world.registry, shell_image(postbox.send("echo ran")))
    world.verifier.stop()
    try:
        with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
            assert launcher.wait(60) == FAILURE
            assert not launcher.token_file.exists()
    finally:
        world.verifier.start()
    assert postbox.messages == []


def test_the_verifier_has_a_certificate_of_somebody_else(world: World, folder: Path, postbox: Postbox) -> None:
    """A verifier that can't prove its name is none."""
    image = push(world.registry, shell_image(postbox.send("echo ran")))
    other = CertificateAuthority(folder / "other-tls", "Another CA")
    options = {"--verifier-ca": other.certificate}
    with world.launcher({"tee-image-reference": image.by_tag}, options=options) as launcher:
        assert launcher.wait(60) == FAILURE
        assert "certificate" in launcher.log_text
    assert postbox.messages == []


def test_the_verifier_goes_away_and_comes_back(world: World) -> None:
    """An expired token is never served, the workload is left alone, and all is well afterwards."""
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        launcher.wait_ready()
        world.verifier.stop()
        try:
            expiry = verified_expiry(launcher)
            deadline = time.monotonic() + LIFETIME_SECONDS + 10
            while time.time() <= expiry:
                assert time.monotonic() < deadline
                time.sleep(0.2)  # the event is a point in time
            answer = launcher.tee.request()
            assert answer.status >= 400, "an expired token was served"
            launcher.process.wait_for("the attestation token in the file has expired", 10)
            assert not launcher.token_file.exists()
            assert launcher.process.running
        finally:
            world.verifier.start()
        answer = launcher.tee.request()
        assert answer.status == 200, answer.text
        verified_claims(world, answer.text)
        assert launcher.token == answer.text


def verified_expiry(launcher: Launcher) -> int:
    """Return when the token in the file expires; its signature was checked by others."""
    return int(str(unverified_claims(launcher.token)["exp"]))


def test_a_reader_in_a_loop_sees_only_whole_tokens(world: World) -> None:
    """The file is replaced in one step, and in time."""
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        launcher.wait_ready()
        seen: set[str] = set()
        problems: list[str] = []
        stop = threading.Event()

        def read() -> None:
            while not stop.is_set():
                try:
                    token = launcher.token
                except OSError as error:
                    problems.append(str(error))
                    return
                if token not in seen:
                    try:
                        verified_claims(world, token)
                    except (jwt.PyJWTError, ValueError, KeyError, HarnessError) as error:
                        problems.append(f"{error}: {token[:40]}...")
                        return
                    seen.add(token)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for _ in range(2):
                count = len(lines_of(launcher, "successfully refreshed attestation token"))
                wait_for_more(launcher, "successfully refreshed attestation token", count)
        finally:
            stop.set()
            reader.join()
        assert problems == []
        assert len(seen) >= 2
        leftovers = [path.name for path in launcher.runtime_directory.iterdir() if "tmp" in path.name]
        assert leftovers == []


def lines_of(launcher: Launcher, message: str) -> list[str]:
    """Return the log lines with a message."""
    return [line.raw for line in launcher.log if line.message.startswith(message)]


def wait_for_more(launcher: Launcher, message: str, count: int) -> None:
    """Wait until a message has been logged more often than `count` times."""
    hits = 0

    def one_more(line: str) -> bool:
        nonlocal hits
        hits += message in line
        return hits > count

    launcher.process.wait_for(one_more, 3 * LIFETIME_SECONDS, message)
