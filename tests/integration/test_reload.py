"""The attestation service reads its files anew while it runs (SIGHUP)."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import TeeClient, Verifier, World
from cs_harness.verifier import unverified_claims

LOCATION = "/v1/projects/my-project/locations/us-central1"
RELOADS = 20
SECONDS = 60.0


@contextlib.contextmanager
def edited(file: Path) -> Iterator[None]:
    """Let a test change a file; afterwards it is as before."""
    before = file.read_bytes()
    try:
        yield
    finally:
        file.write_bytes(before)


@contextlib.contextmanager
def connected(verifier: Verifier) -> Iterator[http.client.HTTPSConnection]:
    """Yield a connection that is kept open."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", verifier.port, timeout=20, context=context)
    try:
        yield connection
    finally:
        connection.close()


def call(connection: http.client.HTTPSConnection, method: str, path: str, body: object = None) -> tuple[int, dict]:
    """Return status and document of an answer."""
    connection.request(method, path, json.dumps(body) if body is not None else None)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def challenge(connection: http.client.HTTPSConnection) -> str:
    """Return the name of a new challenge."""
    status, document = call(connection, "POST", f"{LOCATION}/challenges", {})
    assert status == http.client.OK
    return document["name"]


def use(connection: http.client.HTTPSConnection, name: str) -> int:
    """Answer a challenge with evidence that is none: 400 when the challenge was open, 404 when it was not."""
    return call(connection, "POST", f"/v1/{name}:verifyConfidentialSpace", {"tpmAttestation": {}})[0]


def fresh_claims(workload: TeeClient) -> dict:
    """Return the claims of a new default token."""
    answer = workload.request(headers={"Cache-Control": "no-cache"})
    assert answer.status == http.client.OK, answer.text
    return unverified_claims(answer.text)


def shown_certificate(verifier: Verifier) -> bytes:
    """Return the certificate, in DER, that the service shows to who connects now."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", verifier.port), timeout=20) as plain,
        context.wrap_socket(plain) as connection,
    ):
        certificate = connection.getpeercert(binary_form=True)
    assert certificate is not None
    return certificate


def test_challenges_survive(world: World) -> None:
    """Those that are open stay open, and those that were used stay used."""
    with connected(world.verifier) as connection:
        opened, used = challenge(connection), challenge(connection)
        assert use(connection, used) == http.client.BAD_REQUEST
        assert 'msg="reloaded"' in world.verifier.reload()
        assert use(connection, opened) == http.client.BAD_REQUEST
        assert use(connection, opened) == http.client.NOT_FOUND
        assert use(connection, used) == http.client.NOT_FOUND


def test_new_files_count_from_the_next_request_on(world: World, workload: TeeClient) -> None:
    """An image that is taken out of the reference values is not known any more."""
    assert fresh_claims(workload)["swname"] == "CONFIDENTIAL_SPACE"
    with edited(world.verifier.reference_values):
        world.verifier.reference_values.write_text('{"images": []}')
        assert "images=0" in world.verifier.reload()
        assert fresh_claims(workload)["swname"] == "GCE"
    assert "images=1" in world.verifier.reload()
    assert fresh_claims(workload)["swname"] == "CONFIDENTIAL_SPACE"


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("reference-values.json", "{", "reference-values.json"),
        ("config.json", "[]", "config"),
        ("state/signing-keys.json", '{"keys": []}', "holds no key"),
    ],
)
def test_a_broken_file_changes_nothing(
    world: World, workload: TeeClient, file: str, content: str, reason: str
) -> None:
    """One line says why; what was known stays known, and the keys the same."""
    keys = world.verifier.keys()
    path = world.verifier.reference_values.parent / file
    with edited(path):
        path.write_text(content)
        line = world.verifier.reload()
        assert 'msg="reload failed, nothing has changed"' in line
        assert reason in line
        assert world.verifier.keys() == keys
        assert fresh_claims(workload)["swname"] == "CONFIDENTIAL_SPACE"
    assert 'msg="reloaded"' in world.verifier.reload()


def test_a_key_file_that_is_gone_is_not_made_anew(world: World) -> None:
    """A key that relying parties do not know yet comes from an operator, not from an accident."""
    path = world.verifier.reference_values.parent / "state/signing-keys.json"
    aside = path.with_suffix(".aside")
    path.rename(aside)
    try:
        assert "reload failed" in world.verifier.reload()
        assert not path.exists()
    finally:
        aside.rename(path)


def test_where_it_listens_does_not_change(world: World) -> None:
    """What would need another socket is refused, and named."""
    path = world.verifier.reference_values.parent / "config.json"
    with edited(path):
        configuration = json.loads(path.read_text())
        configuration["listen"]["port"] += 1
        path.write_text(json.dumps(configuration))
        assert "config.listen.port: can't change while the service runs" in world.verifier.reload()


def test_a_new_certificate_is_shown_to_who_connects_then(world: World) -> None:
    """Connections that are open go on as they are."""
    server = world.verifier.server
    other = world.authority.issue("verifier-renewed")
    with connected(world.verifier) as connection, edited(server.certificate), edited(server.private_key):
        challenge(connection)
        before = shown_certificate(world.verifier)
        server.certificate.write_bytes(other.certificate.read_bytes())
        assert "does not fit the first certificate" in world.verifier.reload()
        assert shown_certificate(world.verifier) == before
        server.private_key.write_bytes(other.private_key.read_bytes())
        assert 'msg="reloaded"' in world.verifier.reload()
        renewed = other.certificate.read_text()
        assert ssl.DER_cert_to_PEM_cert(shown_certificate(world.verifier)) in renewed
        challenge(connection)  # over the connection of before
    world.verifier.reload()


def test_a_pki_that_goes_is_told(world: World, folder: Path) -> None:
    """Whoever takes the folder away sees that PKI tokens end, and when it is back that they go on."""
    with Verifier(
        folder / "pki",
        world.authority,
        attestation_roots=[world.machine.attestation_root],
        reference_values=[],
        pki=True,
    ) as verifier:
        pki, away = folder / "pki/verifier/state/pki", folder / "away"
        assert "pki=true" in verifier.reload()
        pki.rename(away)
        assert "pki=false" in verifier.reload()
        verifier.wait_for("level=WARN .*the PKI is gone from the state folder: there are no PKI tokens any more")
        away.rename(pki)
        assert "pki=true" in verifier.reload()


def test_a_request_to_reload_that_comes_early_is_kept(world: World) -> None:
    """A service that has not begun to listen does so, and reads its files anew then."""
    world.verifier.stop()
    world.verifier.start_until('msg="ready to appraise"')
    assert 'msg="reloaded"' in world.verifier.reload()
    assert world.verifier.keys()["keys"]


def test_nothing_is_lost_under_load(world: World, workload: TeeClient) -> None:
    """While it reloads again and again, every request is answered and every challenge is what it was."""
    done = threading.Event()
    failures: list[str] = []
    counts = {"tokens": 0, "challenges": 0}
    under_way = {what: threading.Event() for what in counts}

    def ask_for_tokens() -> None:
        while not done.is_set():
            audience = base64.b32encode(os.urandom(10)).decode()
            answer = workload.custom_token(audience)
            if answer.status != http.client.OK:
                failures.append(answer.text)
            counts["tokens"] += 1
            under_way["tokens"].set()

    def use_challenges() -> None:
        with connected(world.verifier) as connection:
            while not done.is_set():
                names = [challenge(connection) for _ in range(5)]
                found = [use(connection, name) for name in names] + [use(connection, names[0])]
                if found != [http.client.BAD_REQUEST] * len(names) + [http.client.NOT_FOUND]:
                    failures.append(f"challenges were answered with {found}")
                counts["challenges"] += len(names)
                under_way["challenges"].set()

    def run(work: object) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the thread's end is a failure of the test
            failures.append(repr(error))

    threads = [threading.Thread(target=run, args=(work,)) for work in (ask_for_tokens, use_challenges)]
    for thread in threads:
        thread.start()
    try:
        for begun in under_way.values():
            assert begun.wait(SECONDS)
        before = dict(counts)
        reloads = 0
        while failures == [] and (reloads < RELOADS or any(counts[what] == before[what] for what in counts)):
            assert 'msg="reloaded"' in world.verifier.reload()
            reloads += 1
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_who_is_to_stop_does_not_read_to_the_end(world: World) -> None:
    """A request to stop that comes while files are being read anew is heeded at once, and nothing is said of them."""
    verifier = world.verifier
    with edited(verifier.reference_values):
        known = json.loads(verifier.reference_values.read_text())["images"][0]
        many = [{**known, "name": f"image-{number}"} for number in range(5000)]
        verifier.reference_values.write_text(json.dumps({"images": many}))
        lines, before = verifier.lines, len(verifier.lines)
        threads = Path(f"/proc/{verifier.pid}/task")
        usual = len(list(threads.iterdir()))
        os.kill(verifier.pid, signal.SIGHUP)
        while len(list(threads.iterdir())) == usual:  # until one reads
            assert "reload" not in "".join(lines[before:])
        verifier.stop()
    verifier.start()
    log = "\n".join(lines[before:])
    assert "msg=stopping" in log or 'msg="stopping"' in log
    assert "stopped" in log
    assert "reload" not in log
