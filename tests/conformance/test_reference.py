"""The reference implementation and ours, side by side: on real logs, on changed ones, and on each other's evidence.

Where both accept they must say the same. Where only ours accepts, nothing may be decided in favour of who changed it.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cs_harness import World, binary, cel
from cs_harness.process import REPOSITORY, clouds_python
from reference_implementation import (
    Appraiser,
    Recorder,
    about_boot_log,
    about_evidence,
    about_launch_log,
    is_built,
    ours,
    reference,
)
from support import ALLOW_CMD, push, shell_image, verified_claims

SHA256 = 0xB
BANKS = {"SHA1": 0x4, "SHA256": 0xB, "SHA384": 0xC}
MASKS = (0x01, 0x80)
ONE_MASK = 0x01  # enough of what has tens of thousands of bytes
VECTORS = Path(os.environ.get("CS_VECTORS") or REPOSITORY.parent / "shared/vectors") / "boot-eventlogs"
TECHNOLOGIES = {"GCP_SHIELDED_VM": "NONE", "GCP_AMD_SEV": "AMD_SEV", "GCP_AMD_SEV_ES": "AMD_SEV_ES", "GCP_INTEL_TDX": "INTEL_TDX"}
NONCES = ["0123456789", "abcdefghij"]  # that the client asks for


@dataclass
class Both:
    """Two appraisers that are asked the same."""

    theirs: Appraiser
    ours: Appraiser

    def ask(self, question: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return their answer and ours."""
        with ThreadPoolExecutor(2) as pool:
            answers = [pool.submit(appraiser.ask, question) for appraiser in (self.theirs, self.ours)]
            theirs, mine = (answer.result() for answer in answers)
        return theirs, mine


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    """Yield both appraisers."""
    if not is_built("reference"):
        pytest.skip("the reference implementation is not built, which takes Go")
    with reference() as theirs, ours() as mine:
        yield Both(theirs, mine)


@pytest.fixture(scope="module")
def launched(folder: Path) -> Iterator[tuple[World, Recorder]]:
    """Yield a world in which a launch has ended, and what it has sent."""
    environment = {f"tee-env-V{number}": f"value {number}" for number in range(3)}
    labels = {**ALLOW_CMD, "tee.launch_policy.allow_env_override": "V0,V1,V2"}
    settings = {"locations": ["us-central1"]}
    with World(folder, verifier_settings=settings) as world, Recorder(world) as recorder:
        image = push(world.registry, shell_image(env=["A=1", "B=c=d", "EMPTY="], labels=labels))
        metadata = {"tee-image-reference": image.by_tag, "tee-cmd": '["one", "", "three words here"]', **environment}
        with world.launcher(metadata, options={"--verifier": recorder.url}) as launcher:
            launcher.wait_token()
            assert launcher.wait() == 0
        yield world, recorder


def states(answer: dict[str, Any]) -> dict[int, Any]:
    """Return what was made of each changed byte that was accepted."""
    return {place: outcome["state"] for outcome in answer["accepted"] for place in outcome["bytes"]}


def told(state: dict[str, Any]) -> dict[str, Any]:
    """Return what a state says that both can tell: ours, of machines whose firmware names no technology soundly, has none."""
    boot = state.get("boot", {})
    technology = boot.get("technology", "")
    told_of_boot = {"secure_boot": boot.get("secure_boot"), "technology": TECHNOLOGIES.get(technology, technology)}
    return {**{name: part for name, part in state.items() if name != "boot"}, "boot": told_of_boot}


def agrees(mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Tell whether our state says what theirs says, or leaves out the technology."""
    ours_told, theirs_told = told(mine), told(theirs)
    if not ours_told["boot"]["technology"]:
        theirs_told["boot"]["technology"] = ""
    return ours_told == theirs_told


def compare(both: Both, question: dict[str, Any], length: int) -> tuple[int, int]:
    """Ask about an unchanged thing and then about each changed byte of it; return how many each accepts."""
    plain = {name: value for name, value in question.items() if name not in ("mask", "part")}
    theirs, mine = both.ask(plain)
    assert "error" not in mine, mine
    if "error" in theirs:
        assert mine["boot"]["secure_boot"] is False, "only ours accepts it, and decides in its favour"
    else:
        assert agrees(mine, theirs), (mine, theirs)
    answers = both.ask(question)
    theirs_changed, mine_changed = (states(answer) for answer in answers)
    for answer, accepted in zip(answers, (theirs_changed, mine_changed), strict=True):
        assert answer["refused"] + len(accepted) == length
    for place, state in mine_changed.items():
        # What was changed is nothing that is measured, or it would be refused: so ours says what it said before.
        assert agrees(state, mine), (place, state)
        assert place not in theirs_changed or agrees(state, theirs_changed[place]), (place, state, theirs_changed[place])
    return len(theirs_changed), len(mine_changed)


def real_logs() -> list[Any]:
    """Return recorded boot logs, with the registers that they replay to."""
    if not VECTORS.is_dir():
        return [pytest.param("", "", marks=pytest.mark.skip(reason=f"{VECTORS} is not there"))]
    recorded = json.loads((VECTORS / "pcrs.json").read_text())
    return [pytest.param(name, bank, id=f"{name}-{bank}") for name, log in recorded.items() for bank in log["pcrs"]]


@pytest.mark.parametrize(("name", "bank"), real_logs())
def test_real_boot_logs(both: Both, name: str, bank: str) -> None:
    """Both say the same of them; and of what is left when a byte is changed."""
    recorded = json.loads((VECTORS / "pcrs.json").read_text())[name]["pcrs"][bank]
    values = {int(index): bytes.fromhex(value) for index, value in recorded.items()}
    log = (VECTORS / name).read_bytes()
    _, mine = compare(both, about_boot_log(log, BANKS[bank.upper()], values, mask=ONE_MASK), len(log))
    assert mine > 0  # types and texts of events are not measured, so some changes go unseen


def test_real_boot_logs_are_those_that_are_documented() -> None:
    """How many, and how many bytes of them are changed: docs/conformance.md."""
    logs = [mark.values[0] for mark in real_logs()]
    if logs == [""]:
        pytest.skip(f"{VECTORS} is not there")
    assert (len(logs), sum((VECTORS / name).stat().st_size for name in logs) // 1000) == (11, 255)


def binary_parts(attestation: dict[str, Any]) -> list[str]:
    """Return the parts of evidence that are bytes, as JSON pointers."""
    parts = ["/akCert", "/canonicalEventLog", "/tcgEventLog"]
    parts += [f"/certChain/{number}" for number, _ in enumerate(attestation.get("certChain", []))]
    for number, quote in enumerate(attestation["quotes"]):
        parts += [f"/quotes/{number}/rawQuote", f"/quotes/{number}/rawSignature"]
        parts += [f"/quotes/{number}/pcrValues/{index}" for index in quote["pcrValues"]]
    return parts


def part_of(attestation: dict[str, Any], pointer: str) -> str:
    """Return what is at a JSON pointer."""
    found: Any = attestation
    for word in pointer.split("/")[1:]:
        found = found[int(word)] if isinstance(found, list) else found[word]
    return str(found)


def test_changed_evidence(both: Both, launched: tuple[World, Recorder]) -> None:
    """No byte of what our launcher sends can be changed so that either says something else of container or machine."""
    world, recorder = launched
    assert recorder.evidence is not None
    root = world.machine.attestation_root
    whole = about_evidence(recorder.evidence, recorder.nonce, root)
    theirs, mine = both.ask(whole)
    assert agrees(mine, theirs), (mine, theirs)
    claims = verified_claims(world, recorder.token)
    assert theirs["container"]["env_override"] == claims["submods"]["container"]["env_override"] != {}
    for part in binary_parts(recorder.evidence["tpmAttestation"]):
        length = len(base64.b64decode(part_of(recorder.evidence["tpmAttestation"], part)))
        question = about_evidence(recorder.evidence, recorder.nonce, root, part=part, mask=ONE_MASK)
        _, mine_changed = compare(both, question, length)
        assert length > 0
        assert mine_changed == 0 or part == "/tcgEventLog", part


def test_changed_launch_log(both: Both, launched: tuple[World, Recorder]) -> None:
    """The same of the launch log alone, against the register that it was measured into."""
    world, recorder = launched
    assert recorder.evidence is not None
    log = base64.b64decode(recorder.evidence["tpmAttestation"]["canonicalEventLog"])
    for mask in MASKS:
        _, mine = compare(both, about_launch_log(log, SHA256, world.pcr(), mask=mask), len(log))
        assert mine == 0


GOOD = cel.expected_events(
    reference="registry.example/image:1",
    digest="sha256:" + "1" * 64,
    config_digest="sha256:" + "2" * 64,
    args=["/run", "", "two words", "ü"],
    env=["PATH=/bin", "EMPTY=", "TWO=a=b", "X=1"],
    override_env=["X=1"],
    override_args=["two words", "ü"],
    memory_monitor=True,
)


def crafted_logs() -> Iterator[tuple[str, list[cel.Event]]]:
    """Yield logs that replay to their register, with what was done to them: right ones, wrong ones and strange ones."""
    yield "as it is", GOOD
    for number, event in enumerate(GOOD):
        rest = [*GOOD[:number], *GOOD[number + 1 :]]
        yield f"without event {number}", rest
        yield f"event {number} twice", [*GOOD[: number + 1], *GOOD[number:]]
        yield f"event {number} first", [event, *rest]
        yield f"event {number} last", [*rest, event]
    texts = {
        "RestartPolicy": ["Sometimes", "never", "", "Always", "OnFailure", "Never "],
        "ImageDigest": ["1" * 64, "sha256:", "sha256:" + "G" * 64, "sha512:" + "1" * 128, "", "sha256:" + "1" * 65],
        "ImageID": ["", "2" * 64],
        "ImageRef": ["", "a\nb", "a\0b"],
        "Arg": ["", "x" * 100_000, "a\0b", "a\nb"],
        "EnvVar": ["A", "=1", "A.B=1", "A-B=1", "1A=1", "A=", "A= ", " A=1", "Ä=1", "A=\0", "A=1\n", "A\n=1", "X=2", "PATH=/x"],
        "OverrideEnv": ["NEW=1", "X=2", "A", "A.B=1", "EMPTY="],
        "OverrideArg": ["", "other"],
    }
    for name, values in texts.items():
        place = next(number for number, event in enumerate(GOOD) if event.name == name)
        for value in values:
            event = cel.Event(name, value.encode())
            yield f"{name} is {value[:20]!r}", [*GOOD[:place], event, *GOOD[place + 1 :]]
            yield f"one more {name}, {value[:20]!r}", [*GOOD[:place], event, *GOOD[place:]]
    for content in (b"", b"\x00", b"\x01", b"\x02", b"\x01\x00", b"true"):
        yield f"MemoryMonitor is {content!r}", [*GOOD[:-2], cel.Event("MemoryMonitor", content), GOOD[-1]]
        yield f"the separator is {content!r}", [*GOOD[:-1], cel.Event("LaunchSeparator", content)]
    for name in ("Arg", "EnvVar", "OverrideEnv", "ImageRef", "ImageDigest"):
        yield f"{name} is no UTF-8", [cel.Event(name, b"A=\xff"), *(event for event in GOOD if event.name != name)]
    yield "nothing", []
    yield "nothing but the separator", [GOOD[-1]]
    yield "a thousand arguments", [*GOOD[:-2], *(cel.Event("Arg", b"a") for _ in range(1000)), *GOOD[-2:]]


def test_crafted_launch_logs(both: Both) -> None:
    """Whatever is measured: where both accept, they say the same, and ours accepts nothing that the reference does not."""
    accepted = {"both": 0, "only the reference": 0, "neither": 0}
    for what, events in crafted_logs():
        theirs, mine = both.ask(about_launch_log(cel.encode(events), SHA256, cel.replay(events)))
        if "error" in theirs:
            assert "error" in mine, (what, theirs, mine)
            accepted["neither"] += 1
        elif "error" in mine:
            accepted["only the reference"] += 1
        else:
            assert mine == theirs, what
            accepted["both"] += 1
    assert accepted == {"both": 64, "only the reference": 50, "neither": 59}  # as docs/conformance.md says


@pytest.mark.parametrize("algorithm", ["ecc", "rsa"])
@pytest.mark.usefixtures("both")
def test_the_agent_and_the_client_of_google_are_served(launched: tuple[World, Recorder], algorithm: str) -> None:
    """Quotes that the public agent's own code has made of the machine's TPM, sent by Google's client of the REST API.

    They get a token of the same claims; and the API's other methods answer as that client expects.
    """
    world, recorder = launched
    assert recorder.evidence is not None
    world.machine.provision("--key", algorithm)
    launch_log = world.folder / "launch-log"
    launch_log.write_bytes(base64.b64decode(recorder.evidence["tpmAttestation"]["canonicalEventLog"]))
    attest = [binary("reference"), "attest", world.machine.tpm.socket, algorithm, world.machine.boot_log, launch_log]
    project = world.metadata.instance.project_id
    answers = ask_as_google(world, project, [str(word) for word in attest])
    claims = verified_claims(world, answers["confidential_space"])
    assert claims["submods"] == verified_claims(world, recorder.token)["submods"]
    assert claims["eat_nonce"] == verified_claims(world, answers["attestation"])["eat_nonce"] == NONCES
    assert answers["partial_errors"] == 0
    location = f"projects/{project}/locations/us-central1"
    assert answers["location"] == location
    assert answers["locations"] == [location]
    assert answers["challenge"]["name"].startswith(f"{location}/challenges/")
    refusals = answers["refusals"]
    assert (refusals["used"]["kind"], refusals["used"]["reason"]) == ("NotFound", "CHALLENGE_NOT_OPEN")
    assert refusals["gke"]["kind"] == "MethodNotImplemented"


def ask_as_google(world: World, project: str, attest: list[str]) -> dict[str, Any]:
    """Make all calls of the REST API with Google's own client."""
    command = [clouds_python(), Path(__file__).parent / "google_client.py", f"127.0.0.1:{world.verifier.port}", project]
    done = subprocess.run(
        [str(word) for word in command],
        input=json.dumps({"attest": attest}),
        env={**os.environ, "REQUESTS_CA_BUNDLE": str(world.authority.certificate)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
