"""Images made by somebody who means no good: refused with the cause, or run without harm to the host."""

from __future__ import annotations

import errno
import json
import platform
import subprocess
import tarfile
from pathlib import Path

import pytest
from cs_harness import Image, Layer, Postbox, World
from cs_harness.images import index_of
from support import (
    ALLOW_CMD,
    STAY,
    container_claims,
    program_image,
    push,
    shell_image,
    verified_claims,
)

FAILURE = 1


def launch(world: World, reference: str, **attributes: str) -> tuple[int, str]:
    """Launch to the end; returns exit code and log."""
    more = {key.replace("_", "-"): value for key, value in attributes.items()}
    with world.launcher({"tee-image-reference": reference, **more}) as launcher:
        code = launcher.wait(60)
        return code, launcher.log_text


def test_whiteouts_hide_what_they_name(world: World) -> None:
    """A whiteout removes one file, an opaque one everything below a folder."""
    base = Layer().file("gone", "x").file("kept", "x").directory("folder").file("folder/old", "x")
    change = Layer().file(".wh.gone", "").directory("folder").file("folder/.wh..wh..opq", "").file("folder/new", "x")
    script = "[ ! -e /gone ] && [ -e /kept ] && [ ! -e /folder/old ] && [ -e /folder/new ]"
    image = push(world.registry, shell_image(script, more_layers=[base, change]))
    code, log = launch(world, image.by_tag)
    assert code == 0, log


@pytest.mark.parametrize("target", ["{}", "../../../../../../../..{}", "/proc/1/root{}"])
def test_etc_passwd_that_points_at_the_host(world: World, folder: Path, postbox: Postbox, target: str) -> None:
    """User names are looked up in the image and nowhere else."""
    host_file = folder / "passwd-of-the-host"
    host_file.write_text("planted:x:4242:4242::/:/bin/sh\n")
    layer = Layer().symlink("etc/passwd", target.format(host_file))
    image = push(world.registry, shell_image(postbox.send("id -u"), more_layers=[layer], user="planted"))
    code, log = launch(world, image.by_tag)
    assert code == FAILURE, log
    assert postbox.messages == []


def test_etc_group_that_is_huge(world: World) -> None:
    """100 MB of groups are refused or read within bounds; the launcher neither dies nor hangs."""
    layer = Layer().file("etc/group", b"x:x:1:\n" * (100 * 1024 * 1024 // 7))
    image = push(world.registry, shell_image(more_layers=[layer], user="workload:workload"))
    code, log = launch(world, image.by_tag)
    assert code in (0, FAILURE), log
    assert code == 0 or "group" in log


@pytest.mark.parametrize("name", ["dev", "etc", "run", "proc", "sys"])
def test_folders_that_are_links_to_the_host(world: World, folder: Path, name: str) -> None:
    """Mounts that the container needs land in the container, whatever the image says."""
    victim = folder / f"victim-{name}"
    victim.mkdir(exist_ok=True)
    layer = Layer().directory("bin")
    layer.file("bin/busybox", Path("/bin/busybox").read_bytes(), 0o755).symlink("bin/true", "busybox")
    layer.symlink(name, str(victim))
    image = push(world.registry, Image([layer], entrypoint=["/bin/true"]))
    code, log = launch(world, image.by_tag)
    assert code in (0, FAILURE), log
    assert list(victim.iterdir()) == []


@pytest.mark.parametrize("kind", ["entry", "symlink"])
def test_entries_that_leave_the_root(world: World, folder: Path, kind: str) -> None:
    """An archive can't write outside of its own root folder."""
    target = folder / f"escaped-{kind}"
    up = "../" * 12
    layer = Layer()
    if kind == "entry":
        layer.file(f"{up}{target}".replace("//", "/"), "escaped")
    else:
        layer.symlink("way-out", f"{up}{folder}".replace("//", "/")).file(f"way-out/{target.name}", "escaped")
    image = push(world.registry, shell_image(more_layers=[layer]))
    code, log = launch(world, image.by_tag)
    assert code in (0, FAILURE), log
    assert not target.exists()


def test_device_nodes_of_the_image_are_no_way_to_the_host(world: World) -> None:
    """A block device in the image can't be opened."""
    layer = Layer().entry("disk", tarfile.BLKTYPE, devmajor=253, devminor=0, mode=0o666)
    image = push(world.registry, shell_image("! cat /disk > /dev/null 2>&1", more_layers=[layer]))
    code, log = launch(world, image.by_tag)
    assert code in (0, FAILURE), log
    assert "returned non-zero" not in log


def test_names_that_are_not_ascii(world: World) -> None:
    """Names in any script are names."""
    layer = Layer().directory("données").file("données/ばんごはん", "x")
    image = push(world.registry, shell_image("[ -e /données/ばんごはん ]", more_layers=[layer]))
    code, log = launch(world, image.by_tag)
    assert code == 0, log


def test_labels_of_containerd_stay_outside(world: World) -> None:
    """An image's labels never become labels of the container, where containerd would act on them."""
    labels = {"containerd.io/gc.root": "now", "containerd.io/restart.status": "running", "harmless": "yes"}
    image = push(world.registry, shell_image(STAY, labels=labels))
    with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
        launcher.wait_ready()
        info = json.loads(world.containerd.ctr("containers", "info", "tee-container"))
    assert not set(info.get("Labels") or {}) & set(labels)


def test_no_entrypoint_and_no_command(world: World) -> None:
    """There is nothing to run."""
    image = push(world.registry, Image(shell_image().layers))
    code, log = launch(world, image.by_tag)
    assert code == FAILURE, log
    assert world.pcr() == bytes(32)


def test_a_command_without_an_entrypoint(world: World) -> None:
    """The operator's arguments must not become the program."""
    image = push(world.registry, Image(shell_image().layers, cmd=["/bin/true"], labels=ALLOW_CMD))
    code, log = launch(world, image.by_tag, tee_cmd='["/bin/sh"]')
    assert code == FAILURE
    assert "maybe the Entrypoint is set to empty in the image?" in log
    assert world.pcr() == bytes(32)


def test_another_architecture(world: World) -> None:
    """An image for other processors is refused by name."""
    image = push(world.registry, program_image("/bin/true", architecture="arm64"))
    code, log = launch(world, image.by_tag)
    assert code == FAILURE
    assert "the image is not for linux/amd64" in log


def test_an_index_of_several_architectures(world: World) -> None:
    """The right one is taken, and the token names the index, which is what the reference resolved to."""
    ours, other = shell_image("exit 0").build(), shell_image("exit 9", architecture="arm64").build()
    for built in (ours, other):
        push(world.registry, built, "several", "part")  # type: ignore[arg-type]
    index = index_of([(other.manifest, "arm64"), (ours.manifest, "amd64")])
    digest = world.registry.push_manifest("several", "all", index)
    with world.launcher({"tee-image-reference": f"{world.registry.address}/several:all"}) as launcher:
        token = launcher.wait_token()
        assert launcher.wait() == 0, launcher.process.last_words()
    container = container_claims(verified_claims(world, token))
    assert container["image_digest"] == digest
    assert container["image_id"] == ours.config_digest


def test_an_index_without_our_architecture(world: World) -> None:
    """Nothing in it is for us."""
    other = shell_image(architecture="arm64").build()
    push(world.registry, other, "foreign", "part")  # type: ignore[arg-type]
    world.registry.push_manifest("foreign", "all", index_of([(other.manifest, "arm64")]))
    code, log = launch(world, f"{world.registry.address}/foreign:all")
    assert code == FAILURE
    assert "amd64" in log


@pytest.mark.parametrize("part", ["layer", "config"])
def test_a_blob_that_does_not_match_its_digest(world: World, part: str) -> None:
    """Content that was changed on its way is noticed."""
    image = shell_image(f"exit 0 # {part}", more_layers=[Layer().file(f"only-in-{part}", part)]).build()
    pushed = world.registry.push(image, f"spoilt-{part}")
    manifest = json.loads(image.manifest)
    digest = manifest["config"]["digest"] if part == "config" else manifest["layers"][-1]["digest"]
    path = world.registry.blob_path(digest)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    code, log = launch(world, pushed.by_tag)
    assert code == FAILURE
    assert "digest" in log.lower()
    assert world.pcr() == bytes(32)


@pytest.mark.parametrize(
    "suffix",
    ["@SHA256:{}", "@sha256:{}00", "@md5:d41d8cd98f00b204e9800998ecf8427e", "@sha256:", ":with space", "@sha256:{}\n"],
)
def test_references_that_are_none(world: World, suffix: str) -> None:
    """A malformed reference is refused before anybody is asked for it."""
    image = push(world.registry, shell_image())
    code, log = launch(world, image.repository + suffix.format(image.digest.removeprefix("sha256:")))
    assert code == FAILURE, log
    assert world.pcr() == bytes(32)


def test_a_digest_in_capitals(world: World) -> None:
    """Digests are lower case."""
    image = push(world.registry, shell_image())
    code, log = launch(world, f"{image.repository}@sha256:{image.digest.removeprefix('sha256:').upper()}")
    assert code == FAILURE, log


def test_the_container_is_closed(world: World, postbox: Postbox) -> None:
    """From inside: no writing to the kernel's knobs, no mounting, no TPM."""
    attempts = {
        "sysctl": "echo 1 > /proc/sys/kernel/panic",
        "cgroup": "/bin/busybox mkdir /sys/fs/cgroup/x",
        "mount": "/bin/busybox mount -t tmpfs none /tmp",
        "tpm": "ls /dev/tpm0 /dev/tpmrm0",
        "descriptors": "[ $(ls /proc/$$/fd | /bin/busybox wc -l) -gt 5 ]",
    }
    script = "; ".join(f"{command} && echo {name}" for name, command in attempts.items())
    image = push(world.registry, shell_image(postbox.send(f"echo done; ({script}) 2>/dev/null")))
    code, log = launch(world, image.by_tag)
    assert code == 0, log
    assert postbox.wait().split() == ["done"]


def probe_layer(folder: Path) -> Layer:
    """Return a layer with /bin/probe, a static program that makes system calls and prints their errors."""
    source, program = folder / "probe.c", folder / "probe"
    source.write_text(SYSTEM_CALL_PROBE)
    command = ["gcc", "-static", "-nostdlib", "-nostartfiles", "-ffreestanding", "-fno-builtin"]
    command += ["-fno-stack-protector", "-Os", "-o", str(program), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return Layer().file("bin/probe", program.read_bytes(), 0o755)


# No library is needed: `probe NUMBER...` makes each system call with arguments that are all -1 and prints its result.
SYSTEM_CALL_PROBE = r"""
static long call(long number, long a, long b, long c) {
  long result;
  register long fourth __asm__("r10") = -1;
  register long fifth __asm__("r8") = -1;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                   : "rcx", "r11", "memory");
  return result;
}
__attribute__((used)) static void run(long *stack) {
  char **arguments = (char **)(stack + 1);
  for (long i = 1; i < stack[0]; ++i) {
    long number = 0;
    for (const char *digit = arguments[i]; *digit; ++digit) number = number * 10 + (*digit - '0');
    long error = -call(number, -1, -1, -1);
    char text[4] = {(char)('0' + error / 100 % 10), (char)('0' + error / 10 % 10), (char)('0' + error % 10), '\n'};
    call(1, 1, (long)text, 4);
  }
  call(60, 0, 0, 0);
}
__attribute__((naked)) void _start(void) { __asm__("mov %rsp, %rdi\n and $-16, %rsp\n call run"); }
"""
X86_64_CALLS = {
    "keyctl": 250,
    "add_key": 248,
    "request_key": 249,
    "bpf": 321,
    "perf_event_open": 298,
    "userfaultfd": 323,
    "open_by_handle_at": 304,
    "mount": 165,
    "fsopen": 430,
    "finit_module": 313,
}
X32_BIT = 0x40000000


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the probe's system call numbers are those of x86-64")
def test_keyrings_and_the_like_are_refused(world: World, folder: Path, postbox: Postbox) -> None:
    """The kernel's keyrings, which all containers would share, and calls that nobody needs answer EPERM."""
    unfiltered = 32  # dup(-1): EBADF
    numbers = [unfiltered, *X86_64_CALLS.values(), X86_64_CALLS["keyctl"] | X32_BIT]
    command = "/bin/probe " + " ".join(str(number) for number in numbers)
    image = push(world.registry, shell_image(postbox.send(command), more_layers=[probe_layer(folder)]))
    code, log = launch(world, image.by_tag)
    assert code == 0, log
    errors = [int(line) for line in postbox.wait().split()]
    assert errors[0] == errno.EBADF
    assert dict(zip([*X86_64_CALLS, "keyctl (x32)"], errors[1:], strict=True)) == {
        **dict.fromkeys(X86_64_CALLS, errno.EPERM),
        "keyctl (x32)": errno.EPERM,
    }
