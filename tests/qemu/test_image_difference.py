"""The two built images, told apart by what their build has left; nothing is booted."""

from __future__ import annotations

import json
from pathlib import Path

from cs_harness.csctl import NO, YES, csctl


def test_the_debug_image_is_told_from_the_hardened_one(images: Path) -> None:
    """Its packages, its files and its word, with the registers that move; each image's entry is found by its digest."""
    hardened, debug = images / "hardened.efi", images / "debug.efi"
    answer = csctl("reference", "diff", hardened, debug)
    assert answer.code == NO and answer.rows[0] == ["registers that move: 4, 9, 11"]
    rows = {(row[0], row[1]): row[2:] for row in answer.rows[1:]}
    everything = "4, 9, 11"
    assert rows[("option", "confidential-space.hardened")] == ["true", "false", everything]
    assert rows[("statement", "hardened")] == ["true", "false", ""]
    manifests = [json.loads((images / f"{name}.manifest").read_text())["packages"] for name in ("hardened", "debug")]
    names = [{package["name"] for package in manifest} for manifest in manifests]
    assert {name for kind, name in rows if kind == "package"} == names[0] ^ names[1] != set()
    assert ("file", "/usr/sbin/cs-verifier") in rows
    assert not any(name.startswith("initrd:") for kind, name in rows if kind == "file"), "they have one RAM disk"
    assert {name for kind, name in rows if kind == "part"} == {".cmdline"}
    assert {name for kind, name in rows if kind == "register"} == {"PCR 4", "PCR 9", "PCR 11"}
    assert csctl("reference", "diff", hardened, hardened).code == YES
