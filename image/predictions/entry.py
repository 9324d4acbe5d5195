"""An entry of cs-verifier's reference values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .error import PredictionError
from .registers import predict_events, predict_pcrs
from .secure_boot import SecureBootKeys
from .unified_kernel_image import UnifiedKernelImage

SUPPORT_ATTRIBUTES = ("LATEST", "STABLE", "USABLE", "EXPERIMENTAL")


def predicted_entry(
    kernel_image: bytes,
    *,
    keys: Mapping[str, bytes],
    name: str,
    swversion: int,
    hardened: bool,
    support_attributes: Sequence[str] = (),
    packages: Mapping[str, str] | None = None,
    banks: Sequence[str] = ("sha256",),
    file: str = "unified kernel image",
) -> dict[str, Any]:
    """Return an entry of cs-verifier's reference values.

    `keys` are the signature lists PK, KEK, db and perhaps dbx. A machine that does not quote one of the banks does not
    match the entry. `file` names the image in errors.
    """
    image = UnifiedKernelImage(kernel_image, file)
    secure_boot = SecureBootKeys(pk=keys["PK"], kek=keys["KEK"], db=keys["db"], dbx=keys.get("dbx", b""))
    image.expect_hardened(hardened)
    _expect_deserved(support_attributes, hardened)
    result: dict[str, Any] = {
        "name": name,
        "swversion": swversion,
        "hardened": hardened,
        "support_attributes": list(support_attributes),
        "secure_boot": True,
        "kernel_command_line": image.command_line(),
        "pcrs": {
            bank: {str(pcr): value.hex() for pcr, value in predict_pcrs(image, secure_boot, bank).items()}
            for bank in banks
        },
        "unified_kernel_image_authenticode_sha256": image.authenticode("sha256").hex(),
    }
    certificate = secure_boot.only_certificate()
    if certificate is not None:
        result["secure_boot_certificate_sha256"] = hashlib.sha256(certificate).hexdigest()
    root_hash = image.verity_root_hash()
    if root_hash is not None:
        result["verity_root_hash"] = root_hash
    if "sha256" in banks:
        result["events"] = {
            str(pcr): [{"sha256": event.digest.hex(), "text": event.text} for event in events]
            for pcr, events in predict_events(image, secure_boot).items()
            if events
        }
    if packages is not None:
        result["packages"] = dict(packages)
    return result


def load_packages(path: Path) -> dict[str, str]:
    """Return versions by name from a manifest that mkosi wrote (ManifestFormat=json)."""
    file = str(path)
    try:
        manifest = json.loads(path.read_bytes())
    except ValueError as error:
        raise PredictionError(file, "manifest", f"is no JSON: {error}") from error
    packages = manifest.get("packages") if isinstance(manifest, dict) else None
    if not isinstance(packages, list):
        raise PredictionError(file, "packages", "is no list")
    versions: dict[str, str] = {}
    for index, package in enumerate(packages):
        field = f"packages[{index}]"
        name = package.get("name") if isinstance(package, dict) else None
        version = package.get("version") if isinstance(package, dict) else None
        if not isinstance(name, str) or not isinstance(version, str):
            raise PredictionError(file, field, "has no name or no version")
        if versions.setdefault(name, version) != version:
            raise PredictionError(file, field, f"{name} stands there in two versions")
    return dict(sorted(versions.items()))


def _expect_deserved(attributes: Sequence[str], hardened: bool) -> None:
    """Refuse what cs-verifier would refuse."""
    if "LATEST" in attributes and not {"STABLE", "USABLE"} <= set(attributes):
        raise PredictionError("support attributes", "LATEST", "takes STABLE and USABLE")
    if "STABLE" in attributes and not hardened:
        raise PredictionError("support attributes", "STABLE", "takes a hardened image")
