"""Relying parties that other people have written take our tokens, and refuse what is wrong with one."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cs_harness import HarnessError, PushedImage, TeeClient, World, binary
from cs_harness.process import run
from cs_harness.recipe import Shell, blocks
from cs_harness.verifier import HARDWARE_MODEL, unverified_claims
from reference_implementation import is_built
from support import STAY, push, shell_image

AUDIENCE = "https://keys.corporation.example"
LIFETIME_SECONDS = 6


@dataclass
class Setting:
    """A workload that runs, and who issues its tokens."""

    world: World
    image: PushedImage
    tee: TeeClient
    root: Path

    def token(self, kind: str = "OIDC", audience: str = AUDIENCE, **more: object) -> str:
        """Return a token of a kind."""
        answer = self.tee.request("POST", body={"audience": audience, "token_type": kind, **more})
        assert answer.status == 200, answer.text
        return answer.text


def published_root(world: World, file: Path) -> Path:
    """Write the root of PKI tokens to a file, as the service publishes it."""
    uri = str(world.verifier.get("/.well-known/attestation-pki-root")["root_ca_uri"])
    file.write_bytes(world.verifier.fetch(uri.removeprefix(world.verifier.url))[0])
    return file


@pytest.fixture(scope="module")
def setting(folder: Path) -> Iterator[Setting]:
    """Yield a workload that runs."""
    with World(folder, pki=True) as world:
        image = push(world.registry, shell_image(STAY))
        root = published_root(world, folder / "root.pem")
        with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
            launcher.wait_ready()
            yield Setting(world, image, TeeClient(launcher.socket), root)


class Refused(Exception):
    """What a relying party says instead of letting somebody in."""


def ask(program: str, *arguments: str | Path, text: str) -> dict[str, Any]:
    """Return what a relying party says of what it is given on standard input."""
    if not is_built(program):
        pytest.skip(f"{program} is not built, which takes Go")
    command = [binary(program), *map(str, arguments)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise Refused(done.stderr)
    return json.loads(done.stdout)


def parties(setting: Setting) -> dict[str, Callable[..., dict[str, Any]]]:
    """Return the libraries by name, each with the kind of token that it is for."""
    ca = setting.world.authority.certificate

    def by_discovery(way: str) -> Callable[..., dict[str, Any]]:
        def check(token: str, audience: str = AUDIENCE, issuer: str = setting.world.verifier.url) -> dict[str, Any]:
            return ask("relying", way, issuer, ca, audience, text=token)

        return check

    def by_root(token: str, audience: str = AUDIENCE, root: Path = setting.root) -> dict[str, Any]:
        return ask("relying", "pki", setting.world.verifier.url, root, audience, text=token)

    return {"oidc": by_discovery("oidc"), "jwt": by_discovery("jwt"), "pki": by_root}


KINDS = {"oidc": ("OIDC", "AWS_PRINCIPALTAGS", "AWS"), "jwt": ("OIDC", "AWS_PRINCIPALTAGS", "LIMITED_AWS"), "pki": ("PKI",)}


@pytest.mark.parametrize(("party", "kind"), [(party, kind) for party, kinds in KINDS.items() for kind in kinds])
def test_libraries_take_our_tokens(setting: Setting, party: str, kind: str) -> None:
    """Their claims are those that stand in it."""
    more: dict[str, object] = {"nonces": ["0123456789"]} if "AWS" not in kind else {}
    if kind == "AWS_PRINCIPALTAGS":
        more["aws_principal_tag_options"] = {}
    token = setting.token(kind, **more)
    assert parties(setting)[party](token) == unverified_claims(token)


@pytest.mark.parametrize("party", KINDS)
def test_libraries_refuse_what_is_wrong(setting: Setting, party: str) -> None:
    """Another audience, another signer, a changed claim, no signature at all."""
    check = parties(setting)[party]
    token = setting.token(KINDS[party][0])
    header, claims, signature = token.split(".")
    changed = {**unverified_claims(token), "dbgstat": "enabled"}
    other_claims = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    with pytest.raises(Refused, match="aud"):
        check(token, audience="https://somebody.example")
    for wrong in (f"{header}.{other_claims}.{signature}", f"{unsigned}.{claims}.", f"{header}.{claims}.", "token", ""):
        with pytest.raises(Refused):
            check(wrong)
    assert check(token)["sub"] == changed["sub"]


def test_pki_tokens_are_those_of_the_root(setting: Setting) -> None:
    """A root that did not sign them is refused, and an OIDC token has no certificates."""
    check = parties(setting)["pki"]
    with pytest.raises(Refused, match="the root is another one"):
        check(setting.token("PKI"), root=setting.world.authority.certificate)
    with pytest.raises(Refused, match="x5c does not have three certificates"):
        check(setting.token("OIDC"))


def test_an_expired_token_is_refused(folder: Path) -> None:
    """By each of them, at once: none of them is lenient, Vault because its recipe says so."""
    with World(folder / "short", pki=True, token_lifetime_seconds=LIFETIME_SECONDS) as world:
        image = push(world.registry, shell_image(STAY))
        with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
            launcher.wait_ready()
            short = Setting(world, image, TeeClient(launcher.socket), published_root(world, folder / "short-root.pem"))
            told = tell_vault(short, folder / "short-vault")
            everybody = {**parties(short), "vault": lambda token: vault(told, token)}
            lenient = {**told, "role/meal-planner": {**told["role/meal-planner"], "clock_skew_leeway": 0}}
            for party, check in everybody.items():
                token = short.token("PKI" if party == "pki" else "OIDC")
                assert check(token)
                time.sleep(max(0.0, unverified_claims(token)["exp"] - time.time()))
                with pytest.raises(Refused, match="expired"):
                    check(token)
                if party == "vault":
                    assert vault(lenient, token), "the recipe's leeway is needed: by itself it is lenient for a minute"


# --- The documentation's recipes


def test_the_python_of_the_recipe(setting: Setting, folder: Path) -> None:
    """It prints the claims of a right token, and nothing for another audience."""
    (code,) = blocks("Recipe: any relying party", "python")
    script = folder / "check.py"
    script.write_text(code)
    token = setting.token()
    common = [setting.world.verifier.url, setting.world.authority.certificate]
    assert json.loads(run("/usr/bin/python3", script, *common, AUDIENCE, token)) == unverified_claims(token)
    with pytest.raises(HarnessError, match="Audience"):
        run("/usr/bin/python3", script, *common, "https://somebody.example", token)


def test_the_root_of_the_recipe(setting: Setting, folder: Path) -> None:
    """What it has people fetch is the root of PKI tokens."""
    (code,) = blocks("PKI tokens")
    home = folder / "pki"
    home.mkdir()
    environment = {"ISSUER": setting.world.verifier.url, "CA": str(setting.world.authority.certificate)}
    with Shell(home, environment, print) as shell:
        assert "sha256 Fingerprint=" in shell.type(code)
    assert parties(setting)["pki"](setting.token("PKI"), root=home / "root.pem")["aud"] == AUDIENCE


# --- Vault's and OpenBao's JWT auth method

(RECIPE,) = blocks("Vault and OpenBao", "json")


def tell_vault(setting: Setting, home: Path) -> dict[str, Any]:
    """Follow the recipe in docs/data-collaborator.md, and return what Vault was told: `config` and `role/meal-planner`."""
    role = json.loads(RECIPE)
    assert role["bound_audiences"] == [AUDIENCE]
    role["bound_claims"]["hwmodel"] = [HARDWARE_MODEL]
    role["bound_claims"]["/submods/container/image_digest"] = setting.image.digest
    home.mkdir()
    (home / "data.key.base64").write_text("c2VjcmV0")
    (home / "role.json").write_text(json.dumps(role))
    (home / "ca.pem").write_text(setting.world.authority.certificate.read_text())
    with Shell(home, {"ISSUER": setting.world.verifier.url}, print) as shell:
        for block in blocks("Vault and OpenBao"):
            shell.type(block)
    return json.loads((home / "told-to-vault.json").read_text())


@pytest.fixture(scope="module")
def told(setting: Setting, folder: Path) -> dict[str, Any]:
    """Return what Vault was told."""
    return tell_vault(setting, folder / "vault")


def vault(told: dict[str, Any], token: str, **changed: Any) -> dict[str, Any]:
    """Log in to Vault with a token; `changed` are bound claims by their names, not asked for where they are None."""
    role = told["role/meal-planner"]
    claims = {**role["bound_claims"], **changed}
    role = {**role, "bound_claims": {name: value for name, value in claims.items() if value is not None}}
    return ask("vault_jwt", text=json.dumps({"config": told["config"], "role": role, "jwt": token}))


def test_vault_lets_the_agreed_program_in(setting: Setting, told: dict[str, Any]) -> None:
    """As the machine that it is, with what its role has it know of the image."""
    assert told["secret/preferences"] == {"key": "c2VjcmV0"}
    assert 'path "secret/data/preferences"' in told["policy/preferences"]
    login = vault(told, setting.token())
    assert login["policies"] == ["preferences"]
    assert login["alias"].endswith("/instances/workload-vm")
    assert login["metadata"] == {"role": "meal-planner", "image_digest": setting.image.digest}


@pytest.mark.parametrize(
    ("claim", "wanted"),
    [
        ("swname", "GCE"),
        ("swversion", ["260101", "260200"]),
        ("dbgstat", "enabled"),
        ("secboot", False),
        ("hwmodel", ["GCP_AMD_SEV", "GCP_INTEL_TDX"]),
        ("/submods/confidential_space/support_attributes", "EXPERIMENTAL"),
        ("/submods/container/image_digest", "sha256:" + "0" * 64),
        ("/submods/container/restart_policy", "Always"),
        ("/submods/gce/project_id", "rival-project"),
        ("/submods/nvidia_gpu/cc_mode", "ON"),
    ],
)
def test_vault_refuses_whoever_is_not_it(setting: Setting, told: dict[str, Any], claim: str, wanted: object) -> None:
    """By the claim, and lets the same token in when that one is not asked for."""
    token = setting.token()
    with pytest.raises(Refused, match=f'claim "{claim}"'):
        vault(told, token, **{claim: wanted})
    assert vault(told, token, **{claim: None})["policies"] == ["preferences"]


def test_vault_refuses_tokens_that_are_for_others(setting: Setting, told: dict[str, Any]) -> None:
    """Another audience, and a signature that is not the issuer's."""
    with pytest.raises(Refused, match="aud"):
        vault(told, setting.token(audience="https://somebody.example"))
    with pytest.raises(Refused, match="signature"):
        vault(told, setting.token()[:-8] + "AAAAAAAA")


def test_vault_cannot_ask_for_an_empty_override(setting: Setting, told: dict[str, Any]) -> None:
    """Which is why its recipe is for images alone that allow none: what is empty fits no value of a bound claim."""
    token = setting.token()
    with pytest.raises(Refused, match="does not match any associated bound claim values"):
        vault(told, token, **{"/submods/container/cmd_override": []})
    with pytest.raises(Refused, match="not a string, bool, int or list"):
        vault(told, token, **{"/submods/container/env_override": {}})
