"""csctl reference: documents of reference values, as a publisher makes them and a verifier takes them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cs_harness import boot_log
from cs_harness.csctl import CANNOT_TELL, NO, WRONG_USE, YES, csctl
from cs_harness.signed_image import SECTIONS, Signer, unsigned_image
from machine import Launched
from predictions.entry import predicted_entry

END = "2036-01-01T00:00:00Z"


@pytest.fixture
def entry(machine: Launched, tmp_path: Path) -> Path:
    """Return a file with the entry by which the machine is known."""
    values = json.loads(Path(json.loads(machine.config.read_text())["reference_values"]).read_text())
    file = tmp_path / "entry.json"
    file.write_text(json.dumps(values["images"][0]))
    return file


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """Return a publisher's keys, private and public, as docs/verifier.md makes them."""
    private, public = tmp_path / "team.key", tmp_path / "team.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    private.chmod(0o600)
    return private, public


def images(document: Path) -> list[dict[str, Any]]:
    """Return what a document has."""
    found = json.loads(document.read_text())["images"]
    assert isinstance(found, list)
    return found


def test_a_document_is_made_signed_and_taken(
    machine: Launched, entry: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    """By the verifier, too."""
    private, public = keys
    document = tmp_path / "team.json"
    assert csctl("reference", "add", document, entry).rows == [[f"{document} has 1 image"]]
    assert csctl("reference", "verify", document).rows[-1] == ["a verifier takes it: 1 image"]
    answer = csctl("reference", "sign", document, "--key", private, "--publisher", "team", "--expires", END)
    assert (answer.code, answer.text) == (YES, f"version 1 of publisher team, good until {END}\n")
    answer = csctl("reference", "verify", document, "--keys", public)
    assert (answer.code, answer.rows[-1]) == (YES, ["a verifier takes it: 1 image, version 1 of publisher team"])
    config = json.loads(machine.config.read_text())
    del config["reference_values"]
    config["state_directory"] = str(tmp_path / "state")
    config["reference_publishers"] = [{"name": "team", "keys": str(public), "document": str(document)}]
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    assert csctl("verifier", "check", file).code == YES
    answer = csctl("explain", machine.boot_log, "--reference", document)
    assert (answer.code, answer.rows) == (YES, [['image: it runs image "confidential-space-260100"']])
    again = csctl("reference", "sign", document, "--key", private, "--days", "60", "--json").json
    assert (again["publisher"], again["version"]) == ("team", 2) and again["expires"] < END
    assert csctl("verifier", "check", file).code == YES


def test_an_image_is_deprecated(entry: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    """And the signature that was there is of what the document was."""
    private, public = keys
    document = tmp_path / "team.json"
    name = json.loads(entry.read_text())["name"]
    csctl("reference", "add", document, entry)
    csctl("reference", "sign", document, "--key", private, "--publisher", "team")
    assert csctl("reference", "list", document).rows[0][4] == "in use"
    answer = csctl("reference", "deprecate", document, name)
    assert answer.code == YES and "sign it anew" in answer.rows[1][0]
    assert images(document)[0]["deprecated"] is True
    (row,) = csctl("reference", "list", document).rows
    assert row[0] == name and row[4] == "deprecated"
    answer = csctl("reference", "verify", document, "--keys", public)
    assert answer.code == NO and answer.rows[0][1] == f'{document}: is not signed by publisher "team"'
    csctl("reference", "sign", document, "--key", private)
    answer = csctl("reference", "verify", document, "--keys", public)
    assert answer.code == YES and answer.rows[0] == ["warning", f"{document}: all images are deprecated"]
    assert csctl("reference", "deprecate", document, name).rows == [["they are deprecated already"]]
    answer = csctl("reference", "deprecate", document, "other")
    assert answer.code == CANNOT_TELL and 'no image "other"' in answer.error


def test_what_has_expired_is_not_taken(entry: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    """Nor is it signed."""
    private, public = keys
    document = tmp_path / "team.json"
    csctl("reference", "add", document, entry)
    csctl("reference", "sign", document, "--key", private, "--publisher", "team", "--expires", END)
    answer = csctl("reference", "verify", document, "--keys", public, "--at", "2040-01-01T00:00:00Z")
    assert answer.code == NO and answer.rows[0][1] == f"{document}: has expired at {END}"
    assert csctl("reference", "list", document, "--at", "2040-01-01T00:00:00Z").rows[0][4] == "expired"
    before = document.read_bytes()
    answer = csctl("reference", "sign", document, "--key", private, "--expires", "2020-01-01T00:00:00Z")
    assert (answer.code, answer.error) == (CANNOT_TELL, f"csctl: {document}.expires: has passed\n")
    assert document.read_bytes() == before
    answer = csctl("reference", "verify", document, "--keys", public, "--at", "2040-01-01T00:00:00Z", "--json")
    assert answer.json["good"] is False and answer.json["signature_verified"] is True


def test_what_no_verifier_takes_is_not_written(entry: Path, tmp_path: Path) -> None:
    """The document stays as it was."""
    document, broken = tmp_path / "team.json", tmp_path / "broken.json"
    csctl("reference", "add", document, entry)
    before = document.read_bytes()
    for text in ("", "[]", '{"images": [{}]}', json.dumps(json.loads(entry.read_text()) | {"colour": "red"})):
        broken.write_text(text)
        answer = csctl("reference", "add", document, broken)
        assert (answer.code, answer.text, answer.error.count("\n")) == (CANNOT_TELL, "", 1)
        assert "broken.json" in answer.error
    answer = csctl("reference", "add", document, entry)
    assert answer.code == CANNOT_TELL and "stands in" in answer.error
    assert document.read_bytes() == before
    broken.write_text('{"images": [{"name": ""}]}')
    answer = csctl("reference", "verify", broken)
    assert answer.code == NO and answer.rows[-1] == ["no verifier takes it"]
    assert csctl("reference", "add", document).code == WRONG_USE
    assert csctl("reference", "sign", document, "--key", entry).code == CANNOT_TELL
    assert csctl("reference", "verify", document, "--signature", entry).code == WRONG_USE
    answer = csctl("reference", "verify", document, "--keys", tmp_path / "absent.pem", "--signature", entry)
    assert answer.code == CANNOT_TELL and "absent.pem" in answer.error
    assert csctl("reference", "verify", document, "--keys", entry, "--signature", entry).code == CANNOT_TELL


def test_what_can_not_be_written_changes_nothing(entry: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    """Neither document nor version, when the signature's place is taken; and nobody else's file is in the way."""
    document = tmp_path / "team.json"
    (tmp_path / ".team.json.new").write_text("precious")
    csctl("reference", "add", document, entry)
    assert (tmp_path / ".team.json.new").read_text() == "precious"
    before = document.read_bytes()
    (tmp_path / "team.json.sig").mkdir()
    answer = csctl("reference", "sign", document, "--key", keys[0], "--publisher", "team")
    assert (answer.code, answer.error) == (CANNOT_TELL, f"csctl: {document}.sig: is no regular file\n")
    assert document.read_bytes() == before
    answer = csctl("reference", "add", "/proc/nowhere/values.json", entry)
    assert answer.code == CANNOT_TELL and "/proc/nowhere/values.json" in answer.error
    assert sorted(path.name for path in tmp_path.iterdir() if "team.json" in path.name) == [
        ".team.json.new", "team.json", "team.json.sig"
    ]


def test_a_key_that_others_may_read_signs_nothing(entry: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    """As ssh has it."""
    document = tmp_path / "team.json"
    csctl("reference", "add", document, entry)
    keys[0].chmod(0o644)
    answer = csctl("reference", "sign", document, "--key", keys[0], "--publisher", "team")
    assert answer.code == CANNOT_TELL and "is open to other users" in answer.error
    assert not (tmp_path / "team.json.sig").exists()


class Build:
    """Image builds with one signer, as make image leaves them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.signer = Signer("db")
        self.keys = {name: Signer(name).list for name in ("PK", "KEK")} | {"db": self.signer.list}

    def make(self, name: str, packages: dict[str, str], files: dict[str, str], **sections: bytes) -> Path:
        """Return the unified kernel image, everything else beside it."""
        changed = {f".{section}": content for section, content in sections.items()}
        image = bytes(self.signer.sign(unsigned_image(SECTIONS | changed)))
        folder = self.folder / name
        folder.mkdir()
        entry = predicted_entry(
            image, keys=self.keys, name=name, swversion=100, hardened=True, packages=packages, file=name
        )
        listed = [{"name": package, "version": version} for package, version in packages.items()]
        (folder / "hardened.efi").write_bytes(image)
        (folder / "hardened.manifest").write_text(json.dumps({"packages": listed}))
        (folder / "hardened.files.json").write_text(json.dumps({"root": files, "initrd": {"/init": "a"}}))
        (folder / "reference-values.json").write_text(json.dumps({"images": [entry]}))
        return folder / "hardened.efi"


def test_two_images_are_told_apart(tmp_path: Path) -> None:
    """A package more, a file, a word of the command line: with the registers that move."""
    build = Build(tmp_path)
    command_line = SECTIONS[".cmdline"].rstrip(b"\0")
    before = build.make("before", {"openssl": "3.0"}, {"/etc/hosts": "a"})
    after = build.make(
        "after",
        {"openssl": "3.1", "curl": "8"},
        {"/etc/hosts": "b"},
        cmdline=command_line.replace(b"roothash=5", b"roothash=6") + b" debug\0",
        linux=b"another kernel",
    )
    answer = csctl("reference", "diff", before, after)
    assert answer.code == NO and answer.rows[0] == ["registers that move: 4, 9, 11"]
    rows = {(row[0], row[1]): row[2:] for row in answer.rows[1:] if row[0] != "register"}
    everything = "4, 9, 11"
    assert rows[("package", "openssl")] == ["3.0", "3.1", everything]
    assert rows[("package", "curl")] == ["nothing", "8", everything]
    assert rows[("file", "/etc/hosts")] == ["a", "b", everything]
    assert rows[("option", "debug")] == ["nothing", "set", everything]
    assert rows[("part", ".linux")][2] == "4, 11"
    assert {key[1] for key in rows if key[0] == "option"} == {"roothash", "debug"}
    registers = {row[1] for row in answer.rows if row[0] == "register"}
    assert registers == {"PCR 4", "PCR 9", "PCR 11"}
    of_sections = [row[2] for row in answer.rows if row[:2] == ["register", "PCR 11"]]
    assert [text.partition(" (")[0] for text in of_sections] == ["contents of .linux", "contents of .cmdline"]
    document = csctl("reference", "diff", before, after, "--json").json
    assert document["moves"] == [4, 9, 11]
    assert {difference["kind"] for difference in document["differences"]} == {
        "register", "package", "file", "option", "part"
    }


def test_documents_alone_tell_what_they_know(tmp_path: Path) -> None:
    """Entry against entry, also of one document."""
    build = Build(tmp_path)
    before = build.make("before", {"openssl": "3.0"}, {})
    after = build.make("after", {"openssl": "3.0"}, {}, linux=b"another kernel")
    documents = [path.parent / "reference-values.json" for path in (before, after)]
    rows = csctl("reference", "diff", *documents).rows
    assert rows[0] == ["registers that move: 4, 11"]
    assert {row[0] for row in rows[1:]} == {"register", "part"}
    both = tmp_path / "both.json"
    csctl("reference", "add", both, *documents)
    answer = csctl("reference", "diff", both, both, "--before", "before", "--after", "after")
    assert answer.code == NO and answer.rows == rows
    answer = csctl("reference", "diff", both, both)
    assert answer.code == CANNOT_TELL and "has 2 images" in answer.error
    assert csctl("reference", "diff", before, before).rows == [["nothing tells them apart"]]
    assert csctl("reference", "diff", both, both, "--before", "x", "--after", "after").code == CANNOT_TELL


def test_an_image_that_was_not_booted_explains_nothing(machine: Launched, tmp_path: Path) -> None:
    """Another one than what the firmware says it has started."""

    def other_key(events: list[boot_log.Event]) -> None:
        boot_log.replace_measured(events, 7, b"test PK", b"test QK")

    other = boot_log.changed(machine.boot_log, tmp_path, other_key)
    image = Build(tmp_path).make("image", {}, {})
    answer = csctl("explain", other, "--config", machine.config, "--image", image)
    assert (answer.code, answer.text) == (CANNOT_TELL, "")
    assert answer.error == f"csctl: {image}: is not what the firmware of the machine started\n"
    document = tmp_path / "no-image"
    document.write_bytes(b"MZ")
    answer = csctl("explain", other, "--config", machine.config, "--image", document)
    assert answer.code == CANNOT_TELL and "no-image" in answer.error
