"""Accounts that the machine acts as, and a launch that does without a token of its own."""

from __future__ import annotations

import http.client
import json
import socket
import socketserver
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Self

from cs_harness import Postbox, World
from support import STAY, push, shell_image, verified_claims

FAILURE = 1
IAM_HOST = "iamcredentials.googleapis.com"
ACCOUNTS = ("data@partner.iam.gserviceaccount.com", "keys@partner.iam.gserviceaccount.com")


class Iam:
    """Google's IAM Credentials API behind a proxy, as far as ID tokens go; `requests` is what it was asked."""

    def __init__(self, world: World) -> None:
        self.requests: list[tuple[str, str, dict[str, object]]] = []
        self.refuses = False
        outer = self

        class Api(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append((self.path, self.headers["Authorization"], body))
                if outer.refuses:
                    status = http.client.FORBIDDEN
                    answer = {"error": {"code": 403, "message": "lacks iam.serviceAccounts.getOpenIdToken"}}
                else:
                    status = http.client.OK
                    account = self.path.split("/")[-1].removesuffix(":generateIdToken").replace("%40", "@")
                    answer = {"token": world.metadata.identity_token(str(body["audience"]), account)}
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        server = world.authority.issue("iam", hosts=[IAM_HOST])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.certificate, server.private_key)

        class Proxy(socketserver.StreamRequestHandler):
            """Takes a tunnel, at whose other end stands the API."""

            def handle(self) -> None:
                first = self.rfile.readline().decode().split()
                while self.rfile.readline().strip():
                    pass
                if first[:2] != ["CONNECT", f"{IAM_HOST}:443"]:
                    self.wfile.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
                    return
                self.wfile.write(b"HTTP/1.1 200 Yes\r\n\r\n")
                with context.wrap_socket(self.request, server_side=True) as secure:
                    Api(secure, self.client_address, outer._api)

        self._api = HTTPServer(("127.0.0.1", 0), Api, bind_and_activate=False)
        self._proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy)
        self._proxy.daemon_threads = True
        self.environment = {"HTTPS_PROXY": f"http://127.0.0.1:{self._proxy.server_address[1]}"}

    def __enter__(self) -> Self:
        threading.Thread(target=self._proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.shutdown()
        self._proxy.server_close()


def attributes_for(reference: str) -> dict[str, str]:
    """Return attributes of a launch that acts as both accounts."""
    return {"tee-image-reference": reference, "tee-impersonate-service-accounts": ",".join(ACCOUNTS)}


def test_accounts_that_the_machine_acts_as_are_in_the_token(world: World) -> None:
    """Beside its own; each was asked for with the access token, for the challenge, with its email."""
    image = push(world.registry, shell_image())
    options = {"--google-ca": world.authority.certificate}
    with Iam(world) as iam, world.launcher(
        attributes_for(image.by_tag), options=options, env=iam.environment
    ) as launcher:
        token = launcher.wait_token()
        assert launcher.wait(60) == 0, launcher.process.last_words()
    claims = verified_claims(world, token)
    assert sorted(claims["google_service_accounts"]) == sorted([world.metadata.instance.service_account, *ACCOUNTS])
    for account, (path, authorization, body) in zip(ACCOUNTS, iam.requests, strict=True):
        assert path == f"/v1/projects/-/serviceAccounts/{account.replace('@', '%40')}:generateIdToken"
        assert authorization == "Bearer test-access-token"
        assert str(body["audience"]).startswith("projects/")
        assert body["includeEmail"] is True


def test_an_account_that_the_machine_may_not_act_as_ends_the_launch(world: World) -> None:
    """With Google's own word for it, and without the access token."""
    image = push(world.registry, shell_image())
    options = {"--google-ca": world.authority.certificate}
    with Iam(world) as iam:
        iam.refuses = True
        with world.launcher(attributes_for(image.by_tag), options=options, env=iam.environment) as launcher:
            assert launcher.wait(60) == FAILURE
            assert f"failed to get impersonated token for {ACCOUNTS[0]}" in launcher.log_text
            assert "lacks iam.serviceAccounts.getOpenIdToken" in launcher.log_text
            assert "test-access-token" not in launcher.log_text
    assert len(iam.requests) == 1


def test_without_a_default_token_there_is_none_before_somebody_asks(world: World, postbox: Postbox) -> None:
    """No file, and no attestation; the socket gives one all the same."""
    folder = "/run/container_launcher"
    script = postbox.send(f"ls {folder}") + f"; {STAY}"
    image = push(world.registry, shell_image(script))
    attributes = {"tee-image-reference": image.by_tag, "tee-disable-gca-refresh": "true"}
    with world.launcher(attributes) as launcher:
        launcher.wait_ready()
        names = postbox.wait().split()
        assert "teeserver.sock" in names
        assert "attestation_verifier_claims_token" not in names
        assert "successfully refreshed attestation token" not in launcher.log_text
        assert _default_token(launcher.socket).count(".") == 2
        assert not launcher.token_file.exists()
        launcher.terminate()
        assert launcher.wait(60) == 0


def test_without_a_default_token_the_service_may_be_away(world: World) -> None:
    """A warning; the workload runs."""
    image = push(world.registry, shell_image())
    attributes = {"tee-image-reference": image.by_tag, "tee-disable-gca-refresh": "true"}
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with world.launcher(attributes, options={"--verifier": url}) as launcher:
            assert launcher.wait(60) == 0, launcher.process.last_words()
            assert "the attestation service can't be used yet" in launcher.log_text


def _default_token(path: Path) -> str:
    """Return the default token from a launcher's socket."""

    class Connection(http.client.HTTPConnection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(str(path))

    connection = Connection("localhost")
    try:
        connection.request("GET", "/v1/token")
        return connection.getresponse().read().decode()
    finally:
        connection.close()
