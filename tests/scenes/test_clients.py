"""The clients of examples/clients, and an image that is built of one, tried on a laptop."""

from __future__ import annotations

import os
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cs_harness import Launcher, World
from cs_harness.csctl import YES, csctl
from cs_harness.process import REPOSITORY, binary, run
from cs_harness.verifier import unverified_claims
from support import STAY, push, shell_image, verified_claims

EXAMPLES = REPOSITORY / "examples"
CLIENTS: dict[str, Sequence[str | Path]] = {
    "python": ["/usr/bin/python3", EXAMPLES / "clients/python/client.py"],
    "node": ["node", EXAMPLES / "clients/node/client.mjs"],
    "go": [binary("token-client-go")],
    "cpp": [binary("token_client")],
}
AUDIENCE, NONCE = "https://rp.example", "0123456789abcdef"
ATTEMPTS = 5


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[World]:
    """Yield running services."""
    with World(folder) as services:
        yield services


@pytest.fixture(scope="module")
def launcher(world: World) -> Iterator[Launcher]:
    """Yield a launcher whose workload stays."""
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}) as running:
        running.wait_ready()
        yield running


def ask(client: str, socket: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a client."""
    environment = {**os.environ, "TEE_SOCKET": str(socket)}
    command = [*CLIENTS[client], *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_gets_tokens(world: World, launcher: Launcher, client: str) -> None:
    """The default one, and one for a relying party with its nonce."""
    done = ask(client, launcher.socket)
    assert (done.returncode, done.stderr) == (0, "")
    assert verified_claims(world, done.stdout.strip())["aud"] == "https://sts.googleapis.com"
    done = ask(client, launcher.socket, AUDIENCE, NONCE)
    assert (done.returncode, done.stderr) == (0, "")
    assert verified_claims(world, done.stdout.strip(), AUDIENCE)["eat_nonce"] == NONCE


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_wrong_is_told_in_one_line(launcher: Launcher, client: str, tmp_path: Path) -> None:
    """What the launcher says, at once; and that there is none."""
    done = ask(client, launcher.socket, AUDIENCE, "short")
    assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1
    assert "the launcher answered 400: " in done.stderr and "8 to 88 bytes" in done.stderr
    done = ask(client, tmp_path / "absent.sock")
    assert done.returncode == 1 and done.stdout == "" and done.stderr.startswith("client: ")
    assert done.stderr.count("\n") == 1


class Busy(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A launcher that refuses as often as it is told to."""

    daemon_threads = True

    def __init__(self, path: Path, refusals: Sequence[int]) -> None:
        self.refusals = list(refusals)
        self.requests = 0
        super().__init__(str(path), BusyHandler)


class BusyHandler(BaseHTTPRequestHandler):
    """Answers a request for the default token."""

    server: Busy

    def do_GET(self) -> None:
        """Refuse, or give a token."""
        self.server.requests += 1
        status = self.server.refusals.pop(0) if self.server.refusals else 200
        body = b"busy\n" if status != 200 else b"a.b.c"
        self.send_response(status)
        if status in (429, 408):
            self.send_header("Retry-After", "0" if status == 429 else "soon")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """Return a name for who has none."""
        return "client"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("refusals", "requests", "code"), [([429, 429, 429], 4, 0), ([429] * 9, ATTEMPTS, 1), ([404], 1, 1), ([503, 408], 3, 0)]
)
def test_each_client_waits_for_what_passes(
    tmp_path: Path, client: str, refusals: list[int], requests: int, code: int
) -> None:
    """As often as is sensible, and not for what does not pass."""
    with Busy(tmp_path / "tee.sock", refusals) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = ask(client, tmp_path / "tee.sock")
        server.shutdown()
    assert (done.returncode, server.requests) == (code, requests), done.stderr
    assert done.stdout == ("a.b.c\n" if code == 0 else "")
    assert code == 0 or f"the launcher answered {refusals[-1]}: busy\n" in done.stderr


@pytest.mark.parametrize("program", ["token-client-go", "token_client"])
def test_the_dockerfile_makes_an_image_that_can_be_tried(program: str, tmp_path: Path) -> None:
    """As docs/image-author.md has it: on a laptop, with what the operator may say."""
    shutil.copy(EXAMPLES / "clients/Dockerfile", tmp_path)
    shutil.copy(binary(program), tmp_path / "client")
    layout = tmp_path / "layout"
    run(REPOSITORY / "scripts/oci-image", tmp_path, layout)
    assert csctl("image", "check", "--layout", layout).code == YES
    done = try_image(layout, f'tee-cmd=["{AUDIENCE}", "{NONCE}"]', "tee-container-log-redirect=true")
    assert done.returncode == 0, done.stdout
    (jwt,) = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("eyJ")]
    claims = unverified_claims(jwt)
    assert claims["aud"] == AUDIENCE and claims["submods"]["container"]["cmd_override"] == [AUDIENCE, NONCE]


def test_nothing_but_a_layout_is_replaced(tmp_path: Path) -> None:
    """A folder with something else in it stays."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter").write_text("dear")
    command = [REPOSITORY / "scripts/oci-image", EXAMPLES / "clients", tmp_path / "home"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "no OCI image layout" in done.stderr
    assert (tmp_path / "home/letter").read_text() == "dear"


def try_image(layout: Path, *attributes: str, is_debug: bool = False) -> subprocess.CompletedProcess[str]:
    """Try an image as its author does."""
    words = [word for text in attributes for word in ("--attribute", text)] + ["--debug"] * is_debug
    command = ["/usr/bin/python3", EXAMPLES / "laptop/try_image.py", f"{layout}:latest", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_debug_machine_shows_what_no_label_lets_out(tmp_path: Path) -> None:
    """And its token says what it is; a workload that fails is told of."""
    layout = shell_image("echo seen; exit 3").build().write_layout(tmp_path / "layout")
    done = try_image(layout, is_debug=True)
    assert done.returncode == 1 and "\n      seen\n" in done.stdout
    assert '"dbgstat": "enabled"' in done.stdout and "the launcher ends with exit code" in done.stdout
    good = shell_image("echo seen").build().write_layout(tmp_path / "good")
    assert try_image(good, is_debug=True).returncode == 0
    hardened = try_image(layout)
    assert hardened.returncode == 1 and "\n      seen\n" not in hardened.stdout


def test_what_an_image_forbids_is_shown_on_a_laptop(tmp_path: Path) -> None:
    """With the label that would allow it."""
    layout = shell_image("echo never").build().write_layout(tmp_path / "layout")
    done = try_image(layout, 'tee-cmd=["x"]')
    assert done.returncode == 1 and "tee.launch_policy.allow_cmd_override" in done.stdout
    assert "NOT AS EXPECTED: the image is launched" in done.stdout
    done = try_image(layout, "no-attribute")
    assert done.returncode == 2 and "'no-attribute' is not tee-NAME=VALUE" in done.stderr
