"""Both images from inside: what runs there and as what, what is locked and what is encrypted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cs_harness import VmWorld, observer
from cs_harness.shell import Shell
from cs_harness.vm import VirtualMachine
from report import report
from support import STAY, push, shell_image, verified_claims

# The debug image has the verifier to be looked at, and does not start it.
MAX_EXPOSURE = {"cs-firewall.service": 1.5, "cs-launcher.service": 2.0, "cs-verifier.service": 1.5}
CAPABILITIES = {"cap_dac_read_search": 2, "cap_sys_admin": 21}
CAP_NET_ADMIN = 12
IPPROTO_TCP = 6  # the image has no file with names
DECLARED = f"{sum(1 << bit for bit in CAPABILITIES.values()):016x}"
TOKEN = "/run/container_launcher/attestation_verifier_claims_token"


@dataclass(frozen=True)
class Inside:
    """A machine whose workload runs until it is asked to end, and root's shell on it."""

    variant: str
    vm: VirtualMachine
    shell: Shell


@pytest.fixture(scope="module", params=["debug", "hardened"])
def inside(world: VmWorld, request: pytest.FixtureRequest) -> Iterator[Inside]:
    """Yield a debug machine, which has a shell of its own, and a hardened one with an observer's."""
    is_debug = request.param == "debug"
    script = f"{world.postbox.send(f'cat {TOKEN}')}; {STAY}"
    image = push(world.registry, shell_image(script, exposed_ports=["80/tcp"]))
    world.metadata.attributes = {"tee-image-reference": image.by_tag}
    if not is_debug:
        world.metadata.attributes["tee-disable-gca-refresh"] = "true"
    with world.machine(request.param, is_observed=not is_debug) as vm:
        vm.console.wait_for('msg="workload task started"')
        shell = Shell(vm.console, "bash" if is_debug else observer.INTERPRETER)
        yield Inside(request.param, vm, shell.wait_ready())


@pytest.fixture
def shell(inside: Inside) -> Shell:
    """Return the shell of that machine."""
    return inside.shell


debug_only = pytest.mark.parametrize("inside", ["debug"], indirect=True)


def exposed_ports(shell: Shell) -> list[object]:
    """Return what the firewall's helper has put into the ruleset."""
    objects = json.loads(shell.run("nft --json list set inet filter exposed_ports"))["nftables"]
    (ports,) = [each["set"] for each in objects if "set" in each]
    return [element["concat"] for element in ports.get("elem", [])]


@debug_only
@pytest.mark.usefixtures("inside")
def test_its_tokens_say_that_it_is_open(world: VmWorld) -> None:
    """A debug image is a Confidential Space that nobody should give a secret to."""
    claims = verified_claims(world, world.postbox.wait())
    assert claims["swname"] == "CONFIDENTIAL_SPACE"
    assert claims["dbgstat"] == "enabled"
    assert "support_attributes" not in claims["submods"]["confidential_space"]


@debug_only
def test_what_was_predicted_is_what_was_measured(world: VmWorld, shell: Shell) -> None:
    """The PCRs in the reference value, made without a boot, are those that the TPM holds."""
    entry = next(image for image in world.reference_values if not image["hardened"])
    for pcr, expected in entry["pcrs"]["sha256"].items():
        assert shell.run(f"cat /sys/class/tpm/tpm0/pcr-sha256/{pcr}").strip().lower() == expected, f"PCR {pcr}"


@pytest.mark.parametrize("unit", MAX_EXPOSURE)
def test_the_services_are_sandboxed(inside: Inside, shell: Shell, unit: str) -> None:
    """systemd's own measure of what a service could do if it were taken over."""
    if unit == "cs-verifier.service" and inside.variant == "hardened":
        assert unit not in shell.run("systemctl list-unit-files --no-legend --plain")
        return
    output = shell.run(f"systemd-analyze security --no-pager {unit}")
    exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", output)[1])
    report(f"exposure of {unit}", f"{exposure}")
    assert exposure < MAX_EXPOSURE[unit], output


def test_the_live_launcher_is_as_declared(shell: Shell) -> None:
    """docs/image.md names its user, capabilities, system call filter and privileges."""
    pid = shell.run("systemctl show --property=MainPID --value cs-launcher.service").strip()
    status = dict(line.split(":\t", 1) for line in shell.run(f"cat /proc/{pid}/status").splitlines() if ":\t" in line)
    assert status["Uid"].split()[1] != "0"
    for each in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert status[each] == DECLARED, each
    assert status["Seccomp"] == "2"
    assert status["NoNewPrivs"] == "1"
    assert shell.run("systemctl show --property=WatchdogUSec --value cs-launcher.service").strip() == "1min"
    assert "the workload runs" in shell.run("systemctl show --property=StatusText cs-launcher.service")


def test_the_firewall_helper_can_do_nothing_else(shell: Shell) -> None:
    """A user of its own, one capability, and the ports of the image are all that is open."""
    pid = shell.run("systemctl show --property=MainPID --value cs-firewall.service").strip()
    status = dict(line.split(":\t", 1) for line in shell.run(f"cat /proc/{pid}/status").splitlines() if ":\t" in line)
    assert status["Uid"].split()[1] not in ("0", shell.run("id -u cs-launcher").strip())
    for each in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[each], 16) == 1 << CAP_NET_ADMIN, each
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    assert exposed_ports(shell) == [[IPPROTO_TCP, 80]]
    assert shell.run("stat -c '%U %G %a' /run/cs-firewall.sock").split() == ["root", "cs-launcher", "660"]


def test_the_clock_is_kept(shell: Shell) -> None:
    """By the clouds' own clocks, where DHCP names none; here nobody answers for one, which it says."""
    journal = "journalctl --no-pager --unit=systemd-timesyncd.service"
    shell.run(f"until {journal} | grep -q '169[.]254[.]169[.]'; do sleep 0.5; done")


def test_only_what_an_appliance_needs_runs(inside: Inside, shell: Shell) -> None:
    """No unit has failed, none runs that is not known here, and what is masked is not active."""
    assert shell.run("systemctl --failed --no-legend --plain").strip() == ""
    running = shell.run("systemctl list-units --type=service --state=running --no-legend --plain").splitlines()
    own = {"cs-console.service"} if inside.variant == "debug" else set()
    assert {line.split()[0] for line in running} == own | {
        "containerd.service",
        "cs-firewall.service",
        "cs-launcher.service",
        "systemd-journald.service",
        "systemd-networkd.service",
        "systemd-resolved.service",
        "systemd-timesyncd.service",
        "systemd-udevd.service",
    }
    masked = shell.run("systemctl list-unit-files --state=masked --no-legend --plain").splitlines()
    units = [line.split()[0] for line in masked if "@." not in line]
    assert "systemd-logind.service" in units
    states = shell.run(f"systemctl is-active {' '.join(units)} || true").split()
    assert set(states) <= {"inactive"}


def test_root_and_state_are_verified_and_encrypted(shell: Shell) -> None:
    """dm-verity below the root, dm-crypt with authentication below the state, and nobody keeps its key."""
    root = shell.run("dmsetup table root").split()
    assert root[2] == "verity"
    assert root[-1] == "panic_on_corruption"
    assert "roothash=" + root[root.index("sha256") + 1] in shell.run("cat /proc/cmdline")
    state = shell.run("dmsetup table cs-state").split()
    assert state[2:4] == ["crypt", "capi:gcm(aes)-random"]
    assert "integrity:28:aead" in state
    assert shell.run("ls /run/cs-state 2>/dev/null || true").strip() == ""
    mounts = {line.split()[1]: line.split() for line in shell.run("cat /proc/mounts").splitlines()}
    assert mounts["/"][2] == "erofs"
    assert {"nosuid", "nodev"} <= set(mounts["/var/lib/containerd"][3].split(","))
    for place in ("/tmp", "/var", "/run"):
        assert mounts[place][2] == "tmpfs", place


def test_the_kernel_is_locked(shell: Shell) -> None:
    """Lockdown, no more modules, no other kernel, no keys on the console, firewall closed by policy."""
    assert "[confidentiality]" in shell.run("cat /sys/kernel/security/lockdown")
    for name, value in {
        "kernel.modules_disabled": "1",
        "kernel.kexec_load_disabled": "1",
        "kernel.sysrq": "0",
        "kernel.unprivileged_userns_clone": "0",
        "kernel.unprivileged_bpf_disabled": "1",
    }.items():
        assert shell.run(f"cat /proc/sys/{name.replace('.', '/')}").strip() == value, name
    chains = [each["chain"] for each in json.loads(shell.run("nft --json list chains"))["nftables"] if "chain" in each]
    assert {chain["name"]: chain["policy"] for chain in chains} == {"input": "drop", "forward": "drop"}


def test_nobody_has_a_password(shell: Shell) -> None:
    """No account can be logged in to."""
    fields = [line.split(":") for line in shell.run("cat /etc/shadow").splitlines()]
    assert all(password.startswith(("!", "*")) for _, password, *_ in fields)


@debug_only
def test_where_the_time_goes(shell: Shell) -> None:
    """For docs/image.md: the kernel's part, systemd's, and the slowest units."""
    total = shell.run("systemd-analyze time").splitlines()[0]
    report("boot of the debug image", total.removeprefix("Startup finished in "))
    for line in shell.run("systemd-analyze blame --no-pager").splitlines()[:8]:
        report("unit", " ".join(line.split()))


@debug_only
def test_the_machine_stays_when_the_workload_has_ended(inside: Inside, shell: Shell) -> None:
    """Exit code 4: nothing is powered off. This is the last test, as it ends the workload."""
    shell.run("systemctl kill --signal=TERM --kill-whom=main cs-launcher.service")
    inside.vm.console.wait_for('exit_code=4 exit_msg="VM remains running"')
    shell.run("while systemctl --quiet is-active cs-firewall.service; do sleep 0.1; done")
    assert exposed_ports(shell) == []
    assert shell.run("systemctl is-system-running || true").strip() in ("running", "degraded")
    assert shell.run("ls /run/container_launcher").split() == ["attestation_verifier_claims_token"]
