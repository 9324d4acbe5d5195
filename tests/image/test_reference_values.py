"""The command."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from cs_harness.signed_image import (
    COMMAND_LINE,
    OWNER,
    ROOT_HASH,
    SECTIONS,
    Signer,
    authenticode,
    image_of,
    replayed,
    unsigned_image,
)
from predictions.registers import sections_events, secure_boot_events, value_of
from predictions.secure_boot import SecureBootKeys

REPOSITORY = Path(__file__).resolve().parents[2]


def written(folder: Path, signer: Signer, keys: SecureBootKeys) -> list[str]:
    """Write the outputs of a build and return the words that name them."""
    manifest = {"packages": [{"type": "deb", "name": name, "version": "1.0", "architecture": "amd64"} for name in "ba"]}
    files = {"image.efi": bytes(signer.sign(unsigned_image(SECTIONS))), "PK.esl": keys.pk, "KEK.esl": keys.kek}
    files |= {"db.pem": signer.pem, "image.manifest": json.dumps(manifest).encode()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    words = ["--uki", "image.efi", "--pk", "PK.esl", "--kek", "KEK.esl", "--db", "db.pem", "--owner", str(OWNER)]
    return [*words, "--name", "test-1", "--swversion", "260100", "--manifest", "image.manifest"]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder."""
    program = [sys.executable, REPOSITORY / "image/reference_values.py", *words]
    return subprocess.run(program, cwd=folder, check=False, capture_output=True, text=True)


def test_program(tmp_path: Path, signer: Signer, keys: SecureBootKeys) -> None:
    words = written(tmp_path, signer, keys)
    result = run(tmp_path, *words, "--hardened", "true", "--support-attributes", "STABLE,USABLE")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    image = image_of(signer)
    digests = [
        [hashlib.sha256(event).digest() for event in (b"Calling EFI Application from Boot Option", bytes(4))],
        [
            hashlib.sha256(event).digest()
            for event in ((COMMAND_LINE + "\0").encode("utf-16-le"), image.initial_ram_disk())
        ],
    ]
    document = json.loads((tmp_path / "reference-values.json").read_text())
    events = document["images"][0].pop("events")
    assert document == {
        "images": [
            {
                "name": "test-1",
                "swversion": 260100,
                "hardened": True,
                "support_attributes": ["STABLE", "USABLE"],
                "secure_boot": True,
                "kernel_command_line": COMMAND_LINE,
                "pcrs": {
                    "sha256": {
                        "2": replayed("sha256", hashlib.sha256(bytes(4)).digest()).hex(),
                        "4": replayed("sha256", *digests[0], authenticode(unsigned_image(SECTIONS))).hex(),
                        "7": value_of("sha256", secure_boot_events("sha256", keys, OWNER.bytes_le + signer.der)).hex(),
                        "9": replayed("sha256", *digests[1]).hex(),
                        "11": value_of("sha256", sections_events("sha256", image)).hex(),
                        "12": "0" * 64,
                    }
                },
                "unified_kernel_image_authenticode_sha256": authenticode(unsigned_image(SECTIONS)).hex(),
                "secure_boot_certificate_sha256": hashlib.sha256(signer.der).hexdigest(),
                "verity_root_hash": ROOT_HASH,
                "packages": {"a": "1.0", "b": "1.0"},
            }
        ]
    }
    pcrs = document["images"][0]["pcrs"]["sha256"]
    assert sorted(events) == sorted(pcr for pcr in pcrs if pcr != "12")
    for pcr, of_register in events.items():
        assert replayed("sha256", *(bytes.fromhex(event["sha256"]) for event in of_register)).hex() == pcrs[pcr]
    texts = {pcr: [event["text"] for event in of_register] for pcr, of_register in events.items()}
    assert texts["7"][:2] == ["SecureBoot = on", "PK = CN = test PK"] and texts["7"][4] == "dbx = empty"
    assert texts["11"][:4] == [".linux", "contents of .linux", ".osrel", "contents of .osrel"]


def test_program_takes_banks(tmp_path: Path, signer: Signer, keys: SecureBootKeys) -> None:
    words = written(tmp_path, signer, keys)
    result = run(tmp_path, *words, "--hardened", "true", "--bank", "sha384", "--bank", "sha256", "--output", "out.json")
    assert result.returncode == 0, result.stderr
    (entry,) = json.loads((tmp_path / "out.json").read_text())["images"]
    assert list(entry["pcrs"]) == ["sha384", "sha256"]
    assert entry["pcrs"]["sha384"]["12"] == "0" * 96


def test_program_says_what_is_wrong(tmp_path: Path, signer: Signer, keys: SecureBootKeys) -> None:
    words = written(tmp_path, signer, keys)
    result = run(tmp_path, *words, "--hardened", "false")
    says = "section .cmdline: says confidential-space.hardened=true, but hardened is false"
    assert (result.returncode, result.stderr) == (1, f"reference_values.py: image.efi: {says}\n")
    assert run(tmp_path, *words, "--hardened", "true", "--uki", "nowhere.efi").returncode == 1
    assert run(tmp_path, *words, "--hardened", "true", "--support-attributes", "STABLE,STABLE").returncode == 2
    refused = run(tmp_path, *words, "--hardened", "true", "--support-attributes", "LATEST,USABLE")
    says = "support attributes: LATEST: takes STABLE and USABLE"
    assert (refused.returncode, refused.stderr) == (1, f"reference_values.py: {says}\n")
    assert run(tmp_path, *words, "--hardened", "true", "--swversion", "-1").returncode == 2
    assert run(tmp_path, *words).returncode == 2
    assert not (tmp_path / "reference-values.json").exists()
