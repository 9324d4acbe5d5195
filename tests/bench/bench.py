#!/usr/bin/python3
"""What every step costs, beside what it may cost. Real services; CS_BIN names the folder of the programs.

Times are never a failure: the exit code is non-zero only when something could not be measured.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))

from cs_harness import (
    GoogleApis,
    HarnessError,
    Image,
    Launcher,
    Machine,
    Process,
    Swtpm,
    World,
    binary,
    boot_log,
    boot_log_path,
    busybox_layer,
    missing_requirements,
    unwind_on_signals,
)
from cs_harness.metadata import Instance
from cs_harness.process import run, wait_connect
from cs_harness.verifier import reference_value

LAUNCHES = 10
ATTESTATIONS = 100
REQUESTS = 20000
WRK_SECONDS = 5
WRK_CONNECTIONS = 8
ONE_BANK = ["sha256"]
QUESTIONS = 20
USUAL_LOG_BYTES = 64_000
MANY_EVENTS = 10_000
EV_IPL = 0xD
WORKLOAD = "trap 'exit 0' TERM; sleep 300 & wait"


@dataclass(frozen=True)
class Row:
    """One line of the table. `value` is in `unit`; `aim` is in words, and `met` nothing where there is no aim."""

    name: str
    value: float
    unit: str
    aim: str = ""
    met: bool | None = None
    note: str = ""


def at_most(name: str, value: float, unit: str, bound: float, note: str = "") -> Row:
    """Return a row whose value should not be above `bound`."""
    return Row(name, value, unit, f"<= {bound:g} {unit}", value <= bound, note)


def below(name: str, value: float, unit: str, bound: float, note: str = "") -> Row:
    """Return a row whose value should be below `bound`."""
    return Row(name, value, unit, f"< {bound:g} {unit}", value < bound, note)


def at_least(name: str, value: float, unit: str, bound: float, note: str = "") -> Row:
    """Return a row whose value should not be below `bound`."""
    return Row(name, value, unit, f">= {bound:g} {unit}", value >= bound, note)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie."""
    return sorted(values)[int(share * (len(values) - 1))]


def bench_extend(folder: Path) -> Iterator[Row]:
    """Measure events against the bare command, in one bank and in all."""
    for label, banks in (("1 bank", ONE_BANK), ("all banks", None)):
        with Swtpm(folder / label.replace(" ", "-"), banks) as tpm:
            result = json.loads(run(binary("cs-bench-tpm"), "extend", "--tcti", tpm.tcti))
        ours, bare = result["ours"]["p50_us"], result["bare"]["p50_us"]
        name = f"extend, {label}" if banks else f"extend, {len(result['banks'])} banks"
        yield Row(f"{name}: an event", ours, "us", note=f"bare Esys_PCR_Extend {bare:.1f} us")
        yield Row(f"{name}: rate", 1e6 / ours, "/s")
        yield at_most(f"{name}: against bare", ours / bare, "x", 1.3)


def bench_quote(folder: Path) -> Iterator[Row]:
    """Quote all banks against the bare commands, with both kinds of attestation key."""
    for key, label in (("ecc", "ECC P-256"), ("rsa", "RSA-2048")):
        place = folder / key
        machine = Machine(place, Instance())
        with machine.tpm:
            machine.provision("--key", key)
            machine.replay()
            result = json.loads(
                run(
                    *(binary("cs-bench-tpm"), "quote", "--tcti", machine.tpm.tcti),
                    *("--key", key, "--boot-log", machine.boot_log),
                    timeout=120,
                )
            )
        banks = len(result["banks"])
        ours, bare = result["ours"], result["bare"]
        note = f"bare Esys_Quote {bare['p50_us'] / banks:.0f} us, p99 {bare['p99_us'] / banks:.0f} us"
        yield Row(f"quote, {label}: a bank of {banks}, p50", ours["p50_us"] / banks, "us", note=note)
        yield Row(f"quote, {label}: a bank of {banks}, p99", ours["p99_us"] / banks, "us")
        ratio = ours["p50_us"] / bare["p50_us"]
        yield at_most(f"quote, {label}: against bare", ratio, "x", 1.2, "all banks, one after the other")


def bench_appraisal(folder: Path) -> Iterator[Row]:
    """Turn one request into tokens of each kind, by one thread and by two, at full speed, at half of it, and for long."""
    instance = Instance()
    machine = Machine(folder, instance)
    with machine.tpm:
        machine.provision("--key", "ecc")
        machine.replay()
        result = json.loads(
            run(
                *(binary("cs-bench-appraisal"), "--tcti", machine.tpm.tcti, "--boot-log", machine.boot_log),
                *("--root", machine.attestation_root, "--project", instance.project_id),
                timeout=900,
            )
        )
    note = f"a request of {result['bytes'] / 1e3:.0f} kB; all but HTTP"
    usual = result["rates"]["OIDC"]
    yield at_least("verification, 1 thread: rate", usual["one"], "/s", 300, note)
    yield at_least("verification, 2 threads: rate", usual["several"], "/s", 600)
    yield at_least("verification, 2 threads: against 1", usual["several"] / usual["one"], "x", 1.7)
    for kind in ("PKI", "AWS_PRINCIPALTAGS"):
        yield Row(f"verification, {kind}, 1 thread: rate", result["rates"][kind]["one"], "/s")
        yield Row(f"verification, {kind}, 2 threads: rate", result["rates"][kind]["several"], "/s")
    half = result["half_load"]
    note = f"2 threads, {half['rate']:.0f} requests a second, whether or not those before have ended"
    yield Row("verification, at half load: p50", half["p50_ms"], "ms", note=note)
    yield below("verification, at half load: p99", half["p99_ms"], "ms", 100)
    memory = result["memory"]
    note = f"{memory['after_kb'] / 1e3:.1f} MB of its own after {memory['requests']:,}; against after a tenth of them"
    yield at_most("verification, many: memory", memory["after_kb"] / memory["before_kb"], "x", 1.05, note)


def bench_token_server(folder: Path) -> Iterator[Row]:
    """Ask the production TEE server for a token that it has in memory."""
    folder.mkdir(parents=True)
    with Process([binary("cs-bench-token-server"), folder]) as server:
        port = int(server.wait_for(r"^\d+$", timeout=10))
        wait_connect(folder / "teeserver.sock", server)
        times = json.loads(run(binary("cs-bench-token-client"), folder / "teeserver.sock", str(REQUESTS)))
        yield below("GET /v1/token, Unix socket: p50", times["p50_us"], "us", 100, "one keep-alive client, 3 kB token")
        yield Row("GET /v1/token, Unix socket: p99", times["p99_us"], "us")
        yield at_least(
            *("GET /v1/token, TCP: rate", requests_per_second(port), "/s", 20000),
            note=f"wrk, {WRK_CONNECTIONS} connections; TCP since wrk knows no Unix sockets; 1 server thread",
        )


def requests_per_second(port: int) -> float:
    """Return how many requests `wrk` gets answered."""
    output = run(
        *("wrk", "--threads", "1", "--connections", str(WRK_CONNECTIONS), "--duration", f"{WRK_SECONDS}s"),
        f"http://127.0.0.1:{port}/v1/token",
    )
    if "Non-2xx" in output or "Socket errors" in output:
        raise HarnessError(f"wrk: {output}")
    (line,) = [line for line in output.splitlines() if line.startswith("Requests/sec:")]
    return float(line.split()[1])


@dataclass(frozen=True)
class LaunchCost:
    """What one launch took until its workload was started."""

    milliseconds: float
    cpu_milliseconds: float
    peak_kb: int
    private_kb: int

    @staticmethod
    def of(process: Process, began: float) -> LaunchCost:
        """Look at the process now."""
        milliseconds = (time.monotonic() - began) * 1e3
        proc = Path(f"/proc/{process.pid}")
        threads = [int((task / "schedstat").read_text().split()[0]) for task in (proc / "task").iterdir()]
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        peak, private = (int(status[key].split()[0]) for key in ("VmHWM", "RssAnon"))
        return LaunchCost(milliseconds, sum(threads) / 1e6, peak, private)


def bench_launch(folder: Path) -> Iterator[Row]:
    """Launch an image that is already there, again and again; then ask the last launcher for tokens."""
    with World(folder) as world:
        image = world.registry.push(Image([busybox_layer()], entrypoint=["/bin/sh", "-c", WORKLOAD]), "bench", "latest")
        attributes = {"tee-image-reference": image.by_tag}
        costs = []
        for number in range(LAUNCHES + 1):
            launcher = world.launcher(attributes, options={"--log-level": "info"})
            began = time.monotonic()
            with launcher:
                launcher.wait_ready()
                costs.append(LaunchCost.of(launcher.process, began))
                if number == LAUNCHES:
                    yield from bench_attestation(launcher)
                launcher.terminate()
                launcher.wait()
        warm = costs[1:]
        total = [cost.milliseconds for cost in warm]
        cpu = [cost.cpu_milliseconds for cost in warm]
        note = f"median of {len(warm)}, worst {max(total):.0f} ms; with the pull {costs[0].milliseconds:.0f} ms"
        yield below("launch: process start to workload task", statistics.median(total), "ms", 400, note)
        note = f"user and system, all threads; worst {max(cpu):.0f} ms"
        yield below("launch: CPU time of the launcher", statistics.median(cpu), "ms", 50, note)
        peak = statistics.median(cost.peak_kb for cost in warm) / 1e3
        private = statistics.median(cost.private_kb for cost in warm) / 1e3
        with_pull = costs[0].peak_kb / 1e3
        note = f"VmHWM; {private:.1f} MB are its own, the rest pages of files; with the pull {with_pull:.1f} MB"
        yield below("launch: peak memory", peak, "MB", 25, note)


def bench_features(folder: Path) -> Iterator[Row]:
    """Launch with everything that an operator and a machine's image can ask for, by turns with a plain launch."""
    labels = {
        "allow_cmd_override": "true",
        "allow_env_override": "NAME",
        "log_redirect": "always",
        "hardened_monitoring": "all",
        "allow_mount_destinations": "/data",
        "allow_capabilities": "true",
        "allow_cgroups": "true",
    }
    wishes = {
        "tee-cmd": '["x"]',
        "tee-env-NAME": "value",
        "tee-container-log-redirect": "true",
        "tee-monitoring-enable": "all",
        "tee-mount": "type=tmpfs,source=tmpfs,destination=/data,size=1048576,mode=0755",
        "tee-dev-shm-size-kb": "1024",
        "tee-added-capabilities": '["CAP_SYS_PTRACE"]',
        "tee-cgroup-ns": "true",
        "tee-impersonate-service-accounts": "a@p.iam.gserviceaccount.com,b@p.iam.gserviceaccount.com",
    }
    with World(folder) as world, GoogleApis(world) as google:
        described = {f"tee.launch_policy.{name}": value for name, value in labels.items()}
        image = Image([busybox_layer()], entrypoint=["/bin/sh", "-c", WORKLOAD], labels=described)
        reference = {"tee-image-reference": world.registry.push(image, "bench", "latest").by_tag}
        (folder / "console").touch()
        options = {
            **google.options,
            "--log-level": "info",
            "--console": folder / "console",
            "--output-directory": folder / "output",
            "--stop-grace": "0",  # the shell may not have come to its trap yet
        }
        milliseconds: dict[str, list[float]] = {"plain": [], "all": []}
        for _ in range(LAUNCHES + 1):
            for kind, attributes, flags in (
                ("plain", reference, []),
                ("all", {**reference, **wishes}, ["--cloud-logging", "--cloud-monitoring"]),
            ):
                launcher = world.launcher(attributes, options=options, flags=flags, env=google.environment)
                began = time.monotonic()
                with launcher:
                    launcher.wait_ready()
                    milliseconds[kind].append((time.monotonic() - began) * 1e3)
                    launcher.terminate()
                    launcher.wait()
        plain, full = (statistics.median(milliseconds[kind][1:]) for kind in ("plain", "all"))
        note = f"{full:.0f} ms with all features, {plain:.0f} ms without, by turns; ports are not among them"
        yield at_most("launch with all features, of a plain one", full / plain, "times", 1.3, note)


def bench_attestation(launcher: Launcher) -> Iterator[Row]:
    """Have whole attestations made: challenge, quotes, verification, through the TEE server's socket."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(launcher.socket))
    milliseconds = []
    for number in range(ATTESTATIONS):
        body = json.dumps({"audience": "https://bench.example", "token_type": "OIDC", "nonces": [f"{number:010}"]})
        began = time.monotonic()
        connection.request("POST", "/v1/token", body)
        answer = connection.getresponse()
        answer.read()
        milliseconds.append((time.monotonic() - began) * 1e3)
        if answer.status != http.client.OK:
            raise HarnessError(f"POST /v1/token: {answer.status}")
    connection.close()
    note = "POST /v1/token; cs-verifier beside it, an ID token fetched for each"
    yield Row("token, whole attestation: p50", quantile(milliseconds, 0.5), "ms", note=note)
    yield Row("token, whole attestation: p99", quantile(milliseconds, 0.99), "ms")


def bench_size(folder: Path) -> Iterator[Row]:
    """Strip a copy of the launcher."""
    folder.mkdir(parents=True)
    copy = shutil.copy(binary("cs-launcher"), folder / "cs-launcher")
    run("strip", copy)
    yield below("cs-launcher, stripped", Path(copy).stat().st_size / 1e6, "MB", 12)


def bench_csctl(folder: Path) -> Iterator[Row]:
    """Ask the tool for people about a log as machines have it, and about one with nearly as many events as may be."""
    folder.mkdir(parents=True)
    head, events = boot_log.read(boot_log_path().read_bytes())
    usual, many, reference = folder / "usual.bin", folder / "many.bin", folder / "reference.json"
    one_more = boot_log.Event(9, EV_IPL, dict(events[-1].digests), b"/boot/module" * 20)
    one_more.measure()
    room = USUAL_LOG_BYTES - len(boot_log.write(head, events))
    fits = room // len(boot_log.write(b"", [one_more]))
    usual.write_bytes(boot_log.write(head, [*events, *[one_more] * fits]))
    all_of_them = [*events, *[replace(one_more, data=b"x")] * (MANY_EVENTS - len(events))]
    many.write_bytes(boot_log.write(*boot_log.with_sha256_alone(head, all_of_them)))
    reference.write_text(json.dumps({"images": [reference_value(boot_log_path())]}))
    yield at_most("csctl: start", question_ms("--version"), "ms", 20)
    questions = {
        "eventlog show": ["eventlog", "show", "LOG"],
        "eventlog replay": ["eventlog", "replay", "LOG"],
        "eventlog diff": ["eventlog", "diff", boot_log_path(), "LOG"],
        "explain": ["explain", "LOG", "--reference", reference],
        "report": ["report", "LOG", "--against", boot_log_path()],
    }
    for log, size, bound in ((usual, "64 kB", 100), (many, f"{MANY_EVENTS:,} events", 1000)):
        for name, words in questions.items():
            took = question_ms(*(log if word == "LOG" else word for word in words))
            yield at_most(f"csctl {name}, {size}", took, "ms", bound)


def question_ms(*words: str | Path) -> float:
    """Return how long the program takes to answer, whatever it answers but that it can't."""
    times = []
    for _ in range(QUESTIONS):
        began = time.monotonic()
        code = subprocess.run([binary("csctl"), *words], check=False, stdout=subprocess.DEVNULL).returncode
        times.append((time.monotonic() - began) * 1e3)
        if code not in (0, 1):
            raise HarnessError(f"csctl {words[0]} ends with {code}")
    return quantile(times, 0.5)


BENCHES: dict[str, Callable[[Path], Iterator[Row]]] = {
    "extend": bench_extend,
    "quote": bench_quote,
    "appraisal": bench_appraisal,
    "get": bench_token_server,
    "launch": bench_launch,
    "features": bench_features,
    "csctl": bench_csctl,
    "size": bench_size,
}


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text."""
    cells = [("step", "measured", "aim", "met", "")]
    for row in rows:
        digits = 2 if row.value < 10 else 1 if row.value < 1000 else 0
        met = {None: "", True: "yes", False: "NO"}[row.met]
        cells.append((row.name, f"{row.value:.{digits}f} {row.unit}", row.aim, met, row.note))
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    lines = []
    for name, value, aim, met, note in cells:
        left = f"{name:<{widths[0]}}  {value:>{widths[1]}}  {aim:>{widths[2]}}  {met:<{widths[3]}}  {note}"
        lines.append(left.rstrip())
    return "\n".join(lines)


@contextmanager
def working_folder() -> Iterator[Path]:
    """Yield a folder with a short path, since paths of Unix sockets are limited to 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="cs-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def main() -> int:
    """Run the benches and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    parser.add_argument("benches", nargs="*", choices=[*BENCHES, []], help="which ones; all by default")
    arguments = parser.parse_args()
    unwind_on_signals()
    rows: list[Row] = []
    failures = [f"missing: {each}" for each in missing_requirements()]
    with working_folder() as folder:
        for name in arguments.benches or ([] if failures else BENCHES):
            print(f"bench: {name} ...", file=sys.stderr, flush=True)
            try:
                rows.extend(BENCHES[name](folder / name))
            except (HarnessError, OSError, ValueError, LookupError, subprocess.SubprocessError) as error:
                traceback.print_exc()
                failures.append(f"{name}: {error}")
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    print(table(rows))
    for failure in failures:
        print(f"could not be measured: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
