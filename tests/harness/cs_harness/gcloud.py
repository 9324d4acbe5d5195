"""The command line of Google Cloud, as far as the documentation's recipe goes, on a cloud that is played.

It stands in for a program that no package registry has. Commands and options that are not in the recipe are refused, as
the real one refuses what it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .google_cloud import GoogleCloud, Provider

POOLS = ("iam", "workload-identity-pools")
JWT = "urn:ietf:params:oauth:token-type:jwt"
MAX_MAPPINGS = 52
SERVICES = {f"{name}.googleapis.com" for name in ("iam", "iamcredentials", "sts", "cloudkms", "storage")}
FLAGS = {"uniform-bucket-level-access"}


class GcloudError(Exception):
    """What the command says instead of doing something."""


class Gcloud:
    """Acts for the owner of a project, in a folder that file names are relative to."""

    def __init__(self, cloud: GoogleCloud, folder: Path, *, project: str, number: int) -> None:
        self._cloud = cloud
        self._folder = folder
        self._project = project
        self._number = number
        self._commands: dict[tuple[str, ...], tuple[Callable[..., str], set[str]]] = {
            (*POOLS, "create"): (self._create_pool, {"location"}),
            (*POOLS, "providers", "create-oidc"): (self._create_provider, {"location", *_PROVIDER}),
            (*POOLS, "create-cred-config"): (self._create_credential_file, _CREDENTIALS),
            ("config", "set", "project"): (self._set_project, set()),
            ("services", "enable"): (self._enable, set()),
            ("iam", "service-accounts", "create"): (self._create_service_account, set()),
            ("iam", "service-accounts", "add-iam-policy-binding"): (self._bind, _BINDING),
            ("kms", "keyrings", "create"): (self._create_key_ring, {"location"}),
            ("kms", "keys", "create"): (self._create_key, {"location", "keyring", "purpose"}),
            ("kms", "encrypt"): (self._encrypt, {"location", "keyring", "key", "plaintext-file", "ciphertext-file"}),
            ("kms", "keys", "add-iam-policy-binding"): (self._bind_key, {"location", "keyring", *_BINDING}),
            ("storage", "buckets", "create"): (self._create_bucket, {"location", "uniform-bucket-level-access"}),
            ("storage", "cp"): (self._copy, set()),
            ("storage", "buckets", "add-iam-policy-binding"): (self._bind_bucket, _BINDING),
        }

    def run(self, *words: str) -> str:
        """Do what a command says and return what it prints."""
        given = [_option(word) for word in words if word.startswith("--")]
        options = dict(given)
        if len(options) != len(given):
            raise GcloudError(f"an option stands twice: {words}")
        plain = [word for word in words if not word.startswith("--")]
        for length in range(len(plain), 0, -1):
            found = self._commands.get(tuple(plain[:length]))
            if found is None:
                continue
            command, known = found
            if not set(options) <= known:
                raise GcloudError(f"unrecognized arguments: {sorted(set(options) - known)}")
            return command(plain[length:], options)
        raise GcloudError(f"Invalid choice: {plain}")

    def _set_project(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        if _only(names) != self._project:
            raise GcloudError(f"you have no project {names[0]}")
        return "Updated property [core/project].\n"

    def _enable(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        unknown = set(names) - SERVICES
        if unknown or not names:
            raise GcloudError(f"there are no services {sorted(unknown)}")
        return ""

    # --- pools and providers

    def _pool(self, name: str) -> str:
        return f"projects/{self._number}/locations/global/workloadIdentityPools/{name}"

    def _create_pool(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        pool = self._pool(_only(names))
        _expect(options, location="global")
        if pool in self._cloud.pools:
            raise GcloudError(f"{pool} already exists")
        self._cloud.pools.add(pool)
        return f"Created workload identity pool [{names[0]}].\n"

    def _provider_name(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        _expect(options, location="global")
        pool = self._pool(_required(options, "workload-identity-pool"))
        if pool not in self._cloud.pools:
            raise GcloudError(f"there is no pool {pool}")
        return f"{pool}/providers/{_only(names)}"

    def _create_provider(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        name = self._provider_name(names, options)
        if name in self._cloud.providers:
            raise GcloudError(f"{name} already exists")
        audiences = [audience for audience in options.get("allowed-audiences", "").split(",") if audience]
        issuer = _required(options, "issuer-uri")
        if not issuer.startswith("https://"):
            raise GcloudError("--issuer-uri must be https")
        mapping = _mapping(_required(options, "attribute-mapping"))
        self._cloud.providers[name] = Provider(issuer, audiences, mapping, options.get("attribute-condition", ""))
        return f"Created workload identity pool provider [{names[0]}].\n"

    def _create_credential_file(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        _expect(options, **{"credential-source-type": "text", "subject-token-type": JWT})
        if _only(names) not in self._cloud.providers:
            raise GcloudError(f"there is no {names[0]}")
        credential: dict[str, Any] = {
            "universe_domain": "googleapis.com",
            "type": "external_account",
            "audience": f"//iam.googleapis.com/{_only(names)}",
            "subject_token_type": JWT,
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": {
                "file": _required(options, "credential-source-file"),
                "format": {"type": "text"},
            },
        }
        if "service-account" in options:
            account = options["service-account"]
            url = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
            credential["service_account_impersonation_url"] = url
        (self._folder / _required(options, "output-file")).write_text(json.dumps(credential, indent=2))
        return f"Created credential configuration file [{options['output-file']}].\n"

    # --- what is guarded

    def _make(self, name: str) -> None:
        if name in self._cloud.resources:
            raise GcloudError(f"{name} already exists")
        self._cloud.resource(name)

    def _create_service_account(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        self._make(f"{_only(names)}@{self._project}.iam.gserviceaccount.com")
        return f"Created service account [{names[0]}].\n"

    def _bind(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        resource = self._cloud.resources.get(_only(names))
        if resource is None:
            raise GcloudError(f"there is no {names[0]}")
        resource.bindings.add((_required(options, "role"), _required(options, "member")))
        return f"Updated IAM policy for [{names[0]}].\n"

    def key_name(self, key: str, ring: str, location: str) -> str:
        """Return the full name of a key."""
        return f"projects/{self._project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key}"

    def _create_key_ring(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        self._make(f"projects/{self._project}/locations/{_required(options, 'location')}/keyRings/{_only(names)}")
        return ""

    def _key(self, key: str, options: Mapping[str, str]) -> str:
        return self.key_name(key, _required(options, "keyring"), _required(options, "location"))

    def _create_key(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        _expect(options, purpose="encryption")
        key = self._key(_only(names), options)
        if key.partition("/cryptoKeys/")[0] not in self._cloud.resources:
            raise GcloudError(f"there is no key ring {options['keyring']}")
        self._make(key)
        return ""

    def _encrypt(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        key = self._key(_required(options, "key"), options)
        if names or key not in self._cloud.resources:
            raise GcloudError(f"there is no {key}")
        plaintext = (self._folder / _required(options, "plaintext-file")).read_bytes()
        (self._folder / _required(options, "ciphertext-file")).write_bytes(self._cloud.encrypt(key, plaintext))
        return ""

    def _bind_key(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        return self._bind([self._key(_only(names), options)], options)

    def _create_bucket(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        self._make(_bucket(_only(names)))
        return f"Creating {names[0]}/...\n"

    def _bind_bucket(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        return self._bind([_bucket(_only(names))], options)

    def _copy(self, names: Sequence[str], options: Mapping[str, str]) -> str:
        """Copy files into a bucket, or an object out of one."""
        *sources, target = names
        if not target.startswith("gs://"):
            bucket, _, name = _only(sources).removeprefix("gs://").partition("/")
            (self._folder / target).write_bytes(self._cloud.resources[bucket].objects[name])
            return f"Copying {sources[0]} to file://{target}\n"
        bucket, _, prefix = target.removeprefix("gs://").partition("/")
        if bucket not in self._cloud.resources:
            raise GcloudError(f"there is no bucket {bucket}")
        for source in sources:
            name = prefix or Path(source).name
            self._cloud.resources[bucket].objects[name] = (self._folder / source).read_bytes()
        return f"Copying {' '.join(sources)} to {target}\n"


_PROVIDER = {"workload-identity-pool", "issuer-uri", "allowed-audiences", "attribute-mapping", "attribute-condition"}
_CREDENTIALS = {
    "credential-source-file",
    "credential-source-type",
    "subject-token-type",
    "service-account",
    "output-file",
}
_BINDING = {"role", "member"}


def _option(word: str) -> tuple[str, str]:
    name, equals, value = word.removeprefix("--").partition("=")
    if name in FLAGS and not equals:
        return name, "true"
    if not equals:
        raise GcloudError(f"argument --{name}: write --{name}=VALUE")
    return name, value


def _only(names: Sequence[str]) -> str:
    if len(names) != 1:
        raise GcloudError(f"one name is wanted, not {list(names)}")
    return names[0]


def _required(options: Mapping[str, str], name: str) -> str:
    if not options.get(name):
        raise GcloudError(f"argument --{name}: Must be specified.")
    return options[name]


def _expect(options: Mapping[str, str], **wanted: str) -> None:
    for name, value in wanted.items():
        if _required(options, name) != value:
            raise GcloudError(f"argument --{name}: Invalid value: {options[name]}")


def _mapping(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",", MAX_MAPPINGS)]
    if any(not equals for _, equals, _ in pairs):
        raise GcloudError(f"argument --attribute-mapping: Bad syntax for dict arg: {text}")
    return {name.strip(): value for name, _, value in pairs}


def _bucket(url: str) -> str:
    if not url.startswith("gs://") or "/" in url.removeprefix("gs://"):
        raise GcloudError(f"{url} is no bucket")
    return url.removeprefix("gs://")
