"""Images and registries that are not like most, and pulls that are broken off: what containerd runs is run."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cs_harness import Image, Layer, World, busybox_layer
from cs_harness.images import digest_of
from cs_harness.registry_front import Answer, Asked, RegistryFront
from support import push, shell_image

FAILURE = 1
GROUP_OF_THE_LOWEST_LAYER = '[ "$(id -u):$(id -g)" = 1000:1000 ]'
# docs/operator.md: a launch is broken off within this, even if containerd does not answer any more.
BREAK_OFF_SECONDS = 40


def launch(world: World, reference: str) -> tuple[int, str]:
    """Launch to the end; returns exit code and log."""
    with world.launcher({"tee-image-reference": reference}) as launcher:
        code = launcher.wait(180)
        return code, launcher.log_text


def small_layers(count: int) -> list[bytes]:
    """Return archives of one small file each."""
    return [Layer().file(f"tmp/{i}", str(i)).tar() for i in range(count)]


@pytest.mark.parametrize(("layers", "user"), [(54, "1000"), (127, "workload"), (200, "1000")])
def test_an_image_of_many_layers_is_seen_whole(world: World, layers: int, user: str) -> None:
    """The user's group stands in the lowest layer, far below what fits into mount options of whole paths."""
    image = shell_image(GROUP_OF_THE_LOWEST_LAYER, more_layers=small_layers(layers - 1), user=user)
    code, log = launch(world, push(world.registry, image).by_tag)
    assert code == 0, log


@pytest.mark.parametrize(
    ("link", "target", "script"),
    [
        ("run", "var/run", "test -S /run/container_launcher/teeserver.sock && test -S /var/run/container_launcher/*.sock"),
        ("etc", "/store/0abc-etc/etc", "grep -q localhost /etc/hosts && grep -q localhost /store/0abc-etc/etc/hosts"),
    ],
)
def test_folders_that_are_links_inside_the_image(world: World, link: str, target: str, script: str) -> None:
    """As Nix and Bazel make them: what is mounted is found where the link leads."""
    lowest = Layer()
    folders = ["bin", "dev", "proc", "sys", "tmp", "var", "var/run", "store", "store/0abc-etc", "store/0abc-etc/etc"]
    for name in [*folders, *({"etc", "run"} - {link})]:
        lowest.directory(name)
    lowest.symlink(link, target).file("bin/busybox", busybox_program(), 0o755)
    for applet in ("sh", "test", "grep"):
        lowest.symlink(f"bin/{applet}", "busybox")
    code, log = launch(world, push(world.registry, Image([lowest], entrypoint=["/bin/sh", "-c", script])).by_tag)
    assert code == 0, log


def test_a_link_at_a_mount_point_is_seen_below_many_layers(world: World) -> None:
    """What lies in the lowest layer is checked as well."""
    lowest = Layer()
    for name in ("bin", "etc", "proc", "run", "sys", "var"):
        lowest.directory(name)
    lowest.symlink("dev", "var").file("bin/busybox", busybox_program(), 0o755).symlink("bin/sh", "busybox")
    image = Image([lowest, *small_layers(169)], entrypoint=["/bin/sh", "-c", "exit 0"])
    code, log = launch(world, push(world.registry, image).by_tag)
    assert code == FAILURE
    assert "/dev is a symbolic link" in log
    assert world.pcr() == bytes(32)


def busybox_program() -> bytes:
    """Return the static program."""
    return Path("/bin/busybox").read_bytes()


def test_a_layer_that_stands_several_times(world: World) -> None:
    """It is fetched once, and no stream to containerd is used behind its end."""
    for _ in range(4):
        twin = Layer().file("opt/twin", os.urandom(300 << 10)).tar()
        image = push(world.registry, Image([busybox_layer(), twin, twin, twin], entrypoint=["/bin/sh", "-c", "exit 0"]))
        code, log = launch(world, image.by_tag)
        assert code == 0, log
        assert "API misuse" not in log


def test_content_that_another_client_of_containerd_has(world: World) -> None:
    """Docker and Kubernetes share containerd's content store with us."""
    image = push(world.registry, shell_image("exit 0", more_layers=[Layer().file("only-here", os.urandom(4096))]))
    address = str(world.containerd.socket)
    pull = ["ctr", "--address", address, "--namespace", "moby", "image", "pull", "--plain-http", image.by_tag]
    subprocess.run(pull, check=True, capture_output=True, timeout=60)
    code, log = launch(world, image.by_tag)
    assert code == 0, log


@contextmanager
def reluctant_registry(world: World, hang_at: str) -> Iterator[tuple[str, threading.Event]]:
    """Stand before the registry, and say and set an event when a path is asked for that is never answered."""
    asked = threading.Event()
    end = threading.Event()

    def hang(request: Asked) -> Answer | None:
        if hang_at not in request.path:
            return None
        asked.set()
        return Answer(http.client.SERVICE_UNAVAILABLE, cut=True, after=end)

    with RegistryFront(world.registry, hang) as front:
        try:
            yield front.address, asked
        finally:
            end.set()


def containerd_pid(world: World) -> int:
    """Return the process that serves our containerd's socket."""
    configuration = str(world.containerd.socket.parent / "config.toml").encode()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):  # it may have ended meanwhile
            if entry.name.isdigit() and configuration in (entry / "cmdline").read_bytes().split(b"\0"):
                return int(entry.name)
    raise AssertionError("containerd does not run")


def leftovers(world: World) -> str:
    """Return the leases and ingests that are there."""
    leases = world.containerd.ctr("leases", "list", "--quiet")
    ingests = world.containerd.ctr("content", "active").partition("\n")[2]  # behind the heading
    return leases + ingests


def test_what_a_killed_pull_left_is_gone_after_the_next(world: World) -> None:
    """kill -9 in mid-pull leaves a lease and layers; the next launch takes them away and succeeds."""
    layers = [Layer().file(f"part-{i}", os.urandom(100 << 10)) for i in range(3)]
    built = shell_image("exit 0", more_layers=layers).build()
    push(world.registry, built, "killed")  # type: ignore[arg-type]
    last = json.loads(built.manifest)["layers"][-1]["digest"]
    with (
        reluctant_registry(world, last) as (address, asked),
        world.launcher({"tee-image-reference": f"{address}/killed:latest"}) as launcher,
    ):
        assert asked.wait(60)
        launcher.process.signal(signal.SIGKILL)
        launcher.wait()
    assert "cs-launcher-" in leftovers(world)
    code, log = launch(world, f"{world.registry.address}/killed:latest")
    assert code == 0, log
    assert "cs-launcher-" not in leftovers(world)


def test_sigterm_is_heard_while_containerd_hangs_in_a_pull(world: World) -> None:
    """A containerd that stands still does not hold the launcher."""
    built = shell_image("exit 0", more_layers=[Layer().file("slow", os.urandom(100 << 10))]).build()
    push(world.registry, built, "hanging")  # type: ignore[arg-type]
    last = json.loads(built.manifest)["layers"][-1]["digest"]
    containerd = containerd_pid(world)
    with (
        reluctant_registry(world, last) as (address, asked),
        world.launcher({"tee-image-reference": f"{address}/hanging:latest"}) as launcher,
    ):
        assert asked.wait(60)
        os.kill(containerd, signal.SIGSTOP)
        try:
            began = time.monotonic()
            launcher.terminate()
            code = launcher.wait(BREAK_OFF_SECONDS + 10)
            took = time.monotonic() - began
        finally:
            os.kill(containerd, signal.SIGCONT)
        assert code == FAILURE
        assert "broken off by a signal" in launcher.log_text
        assert took < BREAK_OFF_SECONDS


def test_a_plain_layer_that_is_called_gzip(world: World) -> None:
    """The bytes say how a layer is compressed, as in containerd."""
    built = shell_image("exit 0", more_layers=[Layer().file("odd", os.urandom(100))]).build()
    manifest = json.loads(built.manifest)
    plain = gzip.decompress(built.blobs[1])
    world.registry.push_blob("odd", plain)
    for blob in built.blobs:
        world.registry.push_blob("odd", blob)
    manifest["layers"][1] |= {"digest": digest_of(plain), "size": len(plain)}
    world.registry.push_manifest("odd", "latest", json.dumps(manifest).encode())
    code, log = launch(world, f"{world.registry.address}/odd:latest")
    assert code == 0, log

