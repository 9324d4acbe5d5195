"""What an operator can add to the container, on a real containerd: mounts, /dev/shm, capabilities, control groups."""

from __future__ import annotations

import json
from pathlib import Path

from cs_harness import Image, Layer, Postbox, World
from support import nothing_is_left, push, shell_image

ALL_MOUNTS = {"tee.launch_policy.allow_mount_destinations": "/"}
ALL_CAPABILITIES = {"--container-capabilities": "all"}
FAILURE = 1


def output_of(
    world: World,
    postbox: Postbox,
    script: str,
    attributes: dict[str, str],
    labels: dict[str, str],
    options: dict[str, str] | None = None,
    user: str = "",
) -> str:
    """Run a script as the workload; returns what it wrote."""
    seen = len(postbox.messages)
    image = push(world.registry, shell_image(postbox.send(script), labels=labels, user=user))
    with world.launcher({"tee-image-reference": image.by_tag, **attributes}, options=options or {}) as launcher:
        assert launcher.wait(60) == 0, launcher.process.last_words()
    return postbox.wait(count=seen + 1)


def error_of(
    world: World, image: Image, attributes: dict[str, str], options: dict[str, str] | None = None
) -> str:
    """Launch what is refused; returns the error, and checks that nothing is left of it."""
    pushed = push(world.registry, image)
    with world.launcher({"tee-image-reference": pushed.by_tag, **attributes}, options=options or {}) as launcher:
        assert launcher.wait(60) == FAILURE, launcher.process.last_words()
        (error,) = [line.message for line in launcher.log if line.level == "ERROR"]
    assert nothing_is_left(world)
    return error


def test_tmpfs_is_where_and_as_large_as_was_asked_for(world: World, postbox: Postbox) -> None:
    """Several mounts, one of them for a user that is not root."""
    mounts = (
        "type=tmpfs,source=tmpfs,destination=/a/../data/,size=65536;"
        "type=tmpfs,source=tmpfs,destination=/mine,uid=1000,gid=1000,mode=700"
    )
    script = "grep -E ' /(data|mine) ' /proc/mounts | sort; echo x > /mine/x && echo written; stat -c %a:%u /mine"
    output = output_of(world, postbox, script, {"tee-mount": mounts}, ALL_MOUNTS, user="workload")
    data, mine, *rest = output.splitlines()
    assert data.split()[1:3] == ["/data", "tmpfs"]
    assert {"nosuid", "nodev", "noexec", "size=64k"} <= set(data.split()[3].split(","))
    assert mine.split()[1:3] == ["/mine", "tmpfs"]
    assert rest == ["written", "700:1000"]


def test_a_mount_at_etc_hides_no_names(world: World, postbox: Postbox) -> None:
    """The machine's hosts and name servers are mounted on it."""
    script = postbox.send("busybox grep -c ' /etc tmpfs ' /proc/mounts; busybox grep -c localhost /etc/hosts; ls /etc")
    image = push(world.registry, shell_image(script, labels={"tee.launch_policy.allow_mount_destinations": "/etc"}))
    attributes = {
        "tee-image-reference": image.by_tag,
        "tee-mount": "type=tmpfs,source=tmpfs,destination=/etc,size=65536",
    }
    with world.launcher(attributes) as launcher:
        assert launcher.wait(60) == 0, launcher.process.last_words()
    mounts, names, *files = postbox.wait().split()
    assert mounts == "1"
    assert int(names) > 0
    assert files == ["hosts", "resolv.conf"]


def test_dev_shm_has_the_size_that_was_asked_for(world: World, postbox: Postbox) -> None:
    """And it needs no word of the image's author."""
    output = output_of(world, postbox, "grep ' /dev/shm ' /proc/mounts", {"tee-dev-shm-size-kb": "128"}, {})
    assert "size=128k" in output.split()[3].split(",")


def test_more_memory_than_there_is_is_refused_before_anything_is_pulled(world: World) -> None:
    """Each size alone, and all of them together."""
    with Path("/proc/meminfo").open() as file:
        available = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))
    error = error_of(world, shell_image(labels=ALL_MOUNTS), {"tee-dev-shm-size-kb": str(available * 2)})
    assert "got a /dev/shm size" in error
    half = f"type=tmpfs,source=tmpfs,destination=/DIR,size={available * 1024 * 3 // 4}"
    both = ";".join(half.replace("DIR", name) for name in ("a", "b"))
    error = error_of(world, shell_image(labels=ALL_MOUNTS), {"tee-mount": both})
    assert "together larger than free memory" in error


def test_no_mount_takes_what_the_workload_needs(world: World) -> None:
    """However the destination is written, and whatever the author allows: all of them are told at once."""
    destinations = ["/", "//", "/x/../proc", "/run/container_launcher/"]
    mounts = ";".join(f"type=tmpfs,source=tmpfs,destination={each}" for each in destinations)
    image = shell_image(labels={"tee.launch_policy.allow_mount_destinations": "/"})
    error = error_of(world, image, {"tee-mount": mounts})
    for cleaned in ("/", "/proc", "/run/container_launcher"):
        assert f'nothing can be mounted at destination "{cleaned}"' in error


def test_a_mount_behind_a_link_of_the_image_does_not_leave_it(world: World, folder: Path) -> None:
    """The image says that the mount point is elsewhere; on the host nothing changes."""
    victim = folder / "victim"
    victim.mkdir()
    image = shell_image(more_layers=[Layer().symlink("data", str(victim))], labels=ALL_MOUNTS)
    error = error_of(world, image, {"tee-mount": "type=tmpfs,source=tmpfs,destination=/data/x"})
    assert "symbolic link" in error
    assert list(victim.iterdir()) == []


def test_capabilities_are_added_in_the_sets_that_count(world: World, postbox: Postbox) -> None:
    """Bounding, effective and permitted; and the system calls that they are for are let through."""
    sys_admin, sys_time = 1 << 21, 1 << 25
    script = "grep -E '^Cap(Inh|Prm|Eff|Bnd)' /proc/self/status; mount -t tmpfs none /tmp && echo mounted"
    output = output_of(
        world,
        postbox,
        script,
        {"tee-added-capabilities": json.dumps(["CAP_SYS_ADMIN"])},
        {"tee.launch_policy.allow_capabilities": "true"},
        ALL_CAPABILITIES,
    )
    sets = {line.split(":")[0]: int(line.split()[1], 16) for line in output.splitlines() if ":" in line}
    for name in ("CapPrm", "CapEff", "CapBnd"):
        assert sets[name] & sys_admin, name
        assert not sets[name] & sys_time, name
    assert sets["CapInh"] == 0
    assert "mounted" in output


def test_a_capability_that_containerd_has_not_is_refused(world: World) -> None:
    """What it can give is what the machine's image states."""
    error = error_of(
        world,
        shell_image(labels={"tee.launch_policy.allow_capabilities": "true"}),
        {"tee-added-capabilities": json.dumps(["CAP_SYS_ADMIN", "CAP_CHOWN"])},
        {"--container-capabilities": "CAP_CHOWN,CAP_NET_ADMIN"},
    )
    assert "received added capabilities ([CAP_SYS_ADMIN]) not allowed by current capabilities" in error


def test_without_capabilities_the_filter_is_closed(world: World, postbox: Postbox) -> None:
    """Where the kernel itself would allow it: root of a user namespace of its own may mount in another one."""
    script = "unshare -U -r id -u; unshare -U -r -m echo mounted; echo end"
    assert output_of(world, postbox, script, {}, {}).split() == ["0", "end"]
    attributes = {"tee-added-capabilities": json.dumps(["CAP_SYS_ADMIN"])}
    labels = {"tee.launch_policy.allow_capabilities": "true"}
    assert output_of(world, postbox, script, attributes, labels, ALL_CAPABILITIES).split() == ["0", "mounted", "end"]


def test_a_cgroup_namespace_shows_its_own_groups_writable(world: World, postbox: Postbox) -> None:
    """/proc/self/cgroup begins at the root, and a group can be made below /sys/fs/cgroup."""
    script = "head -n 1 /proc/self/cgroup; grep -c ' /sys/fs/cgroup' /proc/mounts; ls /proc/self/ns/cgroup >/dev/null && echo own"
    output = output_of(
        world, postbox, script, {"tee-cgroup-ns": "true"}, {"tee.launch_policy.allow_cgroups": "true"}
    )
    group, mounts, own = output.splitlines()
    assert group.endswith(":/")
    assert int(mounts) >= 1
    assert own == "own"


def test_everything_that_is_not_allowed_is_one_error_and_nothing_is_left(world: World) -> None:
    """Two mistakes give two messages, each with its label."""
    error = error_of(
        world,
        shell_image(),
        {
            "tee-cmd": json.dumps(["x"]),
            "tee-mount": "type=tmpfs,source=tmpfs,destination=/data",
            "tee-cgroup-ns": "true",
            "tee-added-capabilities": json.dumps(["CAP_NET_ADMIN"]),
        },
        ALL_CAPABILITIES,
    )
    for label in ("allow_cmd_override", "allow_mount_destinations", "allow_cgroups", "allow_capabilities"):
        assert f"tee.launch_policy.{label}" in error


def test_a_wrong_label_is_named_although_nothing_was_asked_for(world: World) -> None:
    """Labels are the author's to mend, for every launch."""
    labels = {"tee.launch_policy.log_redirect": "sometimes", "tee.launch_policy.allow_cgroups": "maybe"}
    error = error_of(world, shell_image(labels=labels), {})
    assert error.startswith("failed to parse image Launch Policy: ")
    for label in labels:
        assert f"invalid image LABEL '{label}'" in error
    assert error.count("contact the image author") == 2


def test_two_mistakes_in_the_metadata_are_two_messages(world: World) -> None:
    """All of a document at once."""
    error = error_of(world, shell_image(), {"tee-restart-policy": "always", "tee-mount": "x", "tee-env-a-b": "c"})
    assert error.startswith("failed to get launchspec: ")
    for text in ("tee-restart-policy: invalid restart policy: always", "tee-mount: ", "tee-env-a-b: malformed env name"):
        assert text in error
