"""Predictions of what an image measures, against values that others computed. None of these boots anything."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "image"))

from predictions.entry import load_packages
from predictions.error import PredictionError
from predictions.registers import (
    application_pcr,
    driver_pcr,
    predict_pcrs,
    sections_pcr,
    secure_boot_pcr,
)
from predictions.secure_boot import (
    SecureBootKeys,
    load_signature_lists,
    parse_signature_lists,
    signature_list,
)
from predictions.unified_kernel_image import UnifiedKernelImage

BOOT_LOG = REPOSITORY / "tests/data/boot-log/ovmf-secure-boot"
OWNER = uuid.UUID("c5a1ab1e-0000-4000-8000-000000000001")
ROOT_HASH = "5f1c" * 16
COMMAND_LINE = f"roothash={ROOT_HASH} ro confidential-space.hardened=true"
SECTIONS = {
    ".text": b"\xc3",
    ".sbat": b"sbat,1\n",
    ".osrel": b"ID=test\n",
    ".cmdline": COMMAND_LINE.encode() + b"\0",
    ".uname": b"6.12.1",
    ".linux": b"kernel",
    ".initrd": b"initrd of 21 bytes...",
}
PE, OPTIONAL, TABLE, HEADERS = 0x40, 0x58, 0x58 + 240, 0x400
EV_EVENT_TAG, EV_EFI_APPLICATION = 0x00000006, 0x80000003


def unsigned_image(sections: Mapping[str, bytes]) -> bytearray:
    """Return a PE32+ image: headers of 1 KiB, then the sections, each padded to 512 bytes in the file."""
    image = bytearray(HEADERS)
    struct.pack_into("<2s58xI", image, 0, b"MZ", PE)
    struct.pack_into("<4sHHIIIHH", image, PE, b"PE\0\0", 0x8664, len(sections), 0, 0, 0, 240, 0x22)
    struct.pack_into("<H14xII", image, OPTIONAL, 0x20B, 0x1000, 0x1000)
    struct.pack_into("<QII", image, OPTIONAL + 24, 0x10000000, 0x1000, 0x200)
    struct.pack_into("<I", image, OPTIONAL + 60, HEADERS)
    struct.pack_into("<H", image, OPTIONAL + 68, 10)
    struct.pack_into("<I", image, OPTIONAL + 108, 16)
    address = 0x1000
    for index, (name, content) in enumerate(sections.items()):
        raw_size = len(content) + -len(content) % 0x200
        place = TABLE + 40 * index
        struct.pack_into("<8sIIII", image, place, name.encode(), len(content), address, raw_size, len(image))
        struct.pack_into("<I", image, place + 36, 0x40000040)
        image += content.ljust(raw_size, b"\0")
        address += len(content) + -len(content) % 0x1000
    struct.pack_into("<I", image, OPTIONAL + 56, address)
    return image


def authenticode(image: bytes, bank: str = "sha256") -> bytes:
    """Hash an image that is not signed yet."""
    return hashlib.new(
        bank, image[: OPTIONAL + 64] + image[OPTIONAL + 68 : OPTIONAL + 144] + image[OPTIONAL + 152 :]
    ).digest()


class Signer:
    """A key with a certificate."""

    def __init__(self, name: str, issuer: Signer | None = None) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        names = [
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
            for text in (name, issuer.name if issuer else name)
        ]
        self.name = name
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(names[0])
            .issuer_name(names[1])
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.datetime(2024, 1, 1))
            .not_valid_after(datetime.datetime(2044, 1, 1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(issuer.key if issuer else self.key, hashes.SHA256())
        )
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        self.list = signature_list(self.der, OWNER)

    def sign(self, image: bytearray, digest: bytes | None = None) -> bytearray:
        """Append a PKCS #7 signature over content that holds the image's digest, as an indirect data content does."""
        content = b"\x04\x20" + (authenticode(image) if digest is None else digest)
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        signature = builder.add_signer(self.certificate, self.key, hashes.SHA256()).sign(
            serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary]
        )
        size = 8 + len(signature)
        table = struct.pack("<IHH", size, 0x0200, 0x0002) + signature + bytes(-size % 8)
        struct.pack_into("<II", image, OPTIONAL + 144, len(image), len(table))
        return image + table


@pytest.fixture(scope="module")
def signer() -> Signer:
    """Return the key of db."""
    return Signer("test db")


@pytest.fixture(scope="module")
def keys(signer: Signer) -> SecureBootKeys:
    """Return the machine's keys."""
    return SecureBootKeys(pk=Signer("test PK").list, kek=Signer("test KEK").list, db=signer.list)


def image_of(signer: Signer, changes: Mapping[str, bytes | None] | None = None) -> UnifiedKernelImage:
    """Return a signed image, with some sections changed or, with None, left out."""
    sections = {name: content for name, content in {**SECTIONS, **(changes or {})}.items() if content is not None}
    return UnifiedKernelImage(bytes(signer.sign(unsigned_image(sections))), "test.efi")


def replayed(bank: str, *digests: bytes) -> bytes:
    """Extend a register."""
    value = bytes(hashlib.new(bank).digest_size)
    for digest in digests:
        value = hashlib.new(bank, value + digest).digest()
    return value


# --- the log of a machine that was booted


def recorded() -> tuple[list[tuple[int, int, dict[str, bytes], bytes]], dict[str, Any]]:
    """Return the recorded events as PCR, type, digests and data, and what is known of the machine."""
    data = BOOT_LOG.with_suffix(".bin").read_bytes()
    algorithms = {0x04: ("sha1", 20), 0x0B: ("sha256", 32), 0x0C: ("sha384", 48)}
    offset = 32 + struct.unpack_from("<I", data, 28)[0]
    events = []
    while offset < len(data):
        pcr, kind, count = struct.unpack_from("<III", data, offset)
        offset += 12
        digests = {}
        for _ in range(count):
            name, size = algorithms[struct.unpack_from("<H", data, offset)[0]]
            digests[name] = data[offset + 2 : offset + 2 + size]
            offset += 2 + size
        size = struct.unpack_from("<I", data, offset)[0]
        events.append((pcr, kind, digests, data[offset + 4 : offset + 4 + size]))
        offset += 4 + size
    return events, json.loads(BOOT_LOG.with_suffix(".json").read_text())


@pytest.mark.parametrize("bank", ["sha256", "sha384"])
def test_keys_of_a_recorded_boot(bank: str) -> None:
    events, machine = recorded()
    variables = {}
    for pcr, _, _, data in events:
        if pcr == 7 and len(data) > 32:
            length, size = struct.unpack_from("<QQ", data, 16)
            variables.setdefault(data[32 : 32 + 2 * length].decode("utf-16-le"), data[32 + 2 * length :][:size])
    owner = uuid.UUID(bytes_le=variables["db"][28:44])
    certificate = base64.b64decode(machine["db_certificate"])
    db = signature_list(certificate, owner)
    assert db == variables["db"]
    keys = SecureBootKeys(pk=variables["PK"], kek=variables["KEK"], db=db)
    predicted = secure_boot_pcr(bank, keys, owner.bytes_le + certificate)
    assert predicted.hex() == machine["pcrs"][bank]["7"]


@pytest.mark.parametrize("bank", ["sha256", "sha384"])
def test_drivers_of_a_recorded_boot(bank: str) -> None:
    _, machine = recorded()
    assert driver_pcr(bank).hex() == machine["pcrs"][bank]["2"]


@pytest.mark.parametrize("bank", ["sha256", "sha384"])
def test_application_of_a_recorded_boot(bank: str) -> None:
    events, machine = recorded()
    (digest,) = [digests[bank] for pcr, kind, digests, _ in events if (pcr, kind) == (4, EV_EFI_APPLICATION)]
    assert application_pcr(bank, digest).hex() == machine["pcrs"][bank]["4"]


@pytest.mark.parametrize("bank", ["sha256", "sha384"])
def test_command_line_of_a_recorded_boot(bank: str, signer: Signer) -> None:
    events, machine = recorded()
    digests = [digests[bank] for pcr, kind, digests, _ in events if (pcr, kind) == (9, EV_EVENT_TAG)]
    image = image_of(signer, {".cmdline": machine["kernel_command_line"].encode() + b"\n"})
    options = (image.command_line() + "\0").encode("utf-16-le")
    assert hashlib.new(bank, options).digest() == digests[0]
    assert replayed(bank, *digests).hex() == machine["pcrs"][bank]["9"]


# --- each value by itself


@pytest.mark.parametrize("bank", ["sha256", "sha384", "sha512"])
def test_authenticode(bank: str, signer: Signer) -> None:
    assert image_of(signer).authenticode(bank) == authenticode(unsigned_image(SECTIONS), bank)


def test_signing_tools_agree(tmp_path: Path, signer: Signer, keys: SecureBootKeys) -> None:
    if not shutil.which("osslsigncode"):
        pytest.skip("osslsigncode is not installed")
    files = {"in.efi": bytes(unsigned_image(SECTIONS)), "db.pem": signer.pem}
    files["db.key"] = signer.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    sign = [
        "osslsigncode",
        "sign",
        "-certs",
        "db.pem",
        "-key",
        "db.key",
        "-h",
        "sha256",
        "-in",
        "in.efi",
        "-out",
        "out.efi",
    ]
    subprocess.run(sign, cwd=tmp_path, check=True, capture_output=True)
    verify = ["osslsigncode", "verify", "-CAfile", "db.pem", "-in", "out.efi"]
    said = subprocess.run(verify, cwd=tmp_path, check=False, capture_output=True, text=True).stdout
    found = re.search(r"Calculated message digest *: ([0-9A-F]{64})", said)
    assert found, said
    image = UnifiedKernelImage((tmp_path / "out.efi").read_bytes(), "out.efi")
    assert image.authenticode("sha256").hex() == found[1].lower()
    assert keys.approving(image).certificate == signer.der


def test_section_measurements(signer: Signer) -> None:
    image = image_of(signer, {".pcrsig": b"{}", ".pcrpkey": b"key", ".ucode": b"microcode"})
    names = (".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".uname", ".sbat", ".pcrpkey")
    contents = {**SECTIONS, ".ucode": b"microcode", ".pcrpkey": b"key"}
    digests = []
    for name in names:
        digests += [hashlib.sha256(name.encode() + b"\0").digest(), hashlib.sha256(contents[name]).digest()]
    assert sections_pcr("sha256", image) == replayed("sha256", *digests)


SYSTEMD_MEASURE = "usr/lib/systemd/systemd-measure"


def root_with_systemd_measure() -> Path | None:
    """Return where there is one that knows all sections: this machine, or the tools that images are built with."""
    for root in (Path("/"), REPOSITORY / "build/image.work/tools"):
        if not (root / SYSTEMD_MEASURE).exists():
            continue
        help_text = subprocess.run(
            ["chroot", root, f"/{SYSTEMD_MEASURE}", "--help"], check=False, capture_output=True, text=True
        ).stdout
        if "--uname" in help_text:
            return root
    return None


def test_systemd_measure_agrees(signer: Signer) -> None:
    root = root_with_systemd_measure()
    if root is None:
        pytest.skip("there is no systemd-measure that knows .uname")
    with tempfile.TemporaryDirectory(dir=root / "tmp") as name:
        folder = Path(name)
        options = []
        for section, content in SECTIONS.items():
            if section != ".text":
                (folder / section).write_bytes(content)
                options.append(f"--{section[1:]}=/tmp/{folder.name}/{section}")
        command = ["chroot", root, f"/{SYSTEMD_MEASURE}", "calculate", "--bank=sha256", "--phase=:", *options]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert f"11:sha256={sections_pcr('sha256', image_of(signer)).hex()}" in said


def test_initial_ram_disk(signer: Signer) -> None:
    image = image_of(signer, {".pcrsig": b"{}", ".ucode": b"microcode"})

    def archive(file: str, name_size: bytes, size: bytes, content: bytes) -> bytes:
        zero = b"00000000"
        folder = b"070701" + b"00000001" + b"0000416d" + zero * 2 + b"00000001" + zero * 6 + b"00000007" + zero
        header = (
            b"070701" + b"00000002" + b"00008124" + zero * 2 + b"00000001" + zero + size + zero * 4 + name_size + zero
        )
        trailer = b"070701" + zero * 4 + b"00000001" + zero * 6 + b"0000000B" + zero + b"TRAILER!!!\0\0\0\0"
        name = file.encode() + b"\0"
        return folder + b".extra\0\0\0\0" + header + name + bytes(-(110 + len(name)) % 4) + content + trailer

    expected = b"microcode\0\0\0" + b"initrd of 21 bytes...\0\0\0"
    expected += archive(".extra/tpm2-pcr-signature.json", b"0000001f", b"00000002", b"{}\0\0")
    expected += archive(".extra/os-release", b"00000012", b"00000008", b"ID=test\n")
    assert image.initial_ram_disk() == expected


def test_initial_ram_disk_is_an_archive(tmp_path: Path, signer: Signer) -> None:
    if not shutil.which("busybox"):
        pytest.skip("busybox is not installed")
    archive = image_of(signer).initial_ram_disk()[24:]
    subprocess.run(["busybox", "cpio", "-i", "-d"], cwd=tmp_path, input=archive, check=True, capture_output=True)
    assert (tmp_path / ".extra/os-release").read_bytes() == SECTIONS[".osrel"]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (b"quiet ro", "quiet ro"),
        (b"quiet ro\n\0\0\0", "quiet ro"),
        (b"\t quiet\nro \x7f ", "quiet ro"),
        (b"quiet  ro", "quiet  ro"),
        (b"x" * 2047, "x" * 2047),
    ],
)
def test_command_line(section: bytes, expected: str, signer: Signer) -> None:
    assert image_of(signer, {".cmdline": section}).command_line() == expected


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        (b"quiet\0ro", "has text behind a NUL"),
        ("quiet=\u00e9".encode(), "is not ASCII"),
        (b" \n", "holds no text"),
        (b"x" * 2048, "is longer than the 2047 characters that the kernel takes"),
    ],
)
def test_command_lines_that_the_kernel_would_get_otherwise(section: bytes, reason: str, signer: Signer) -> None:
    with pytest.raises(PredictionError, match=f"^test.efi: section .cmdline: {reason}$"):
        image_of(signer, {".cmdline": section}).command_line()


@pytest.mark.parametrize(
    ("words", "expected"),
    [("ro", None), (f"roothash={ROOT_HASH.upper()}", ROOT_HASH), (f"rd.roothash={ROOT_HASH} ro", ROOT_HASH)],
)
def test_root_hash(words: str, expected: str | None, signer: Signer) -> None:
    assert image_of(signer, {".cmdline": words.encode()}).verity_root_hash() == expected


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (f"roothash={ROOT_HASH} rd.roothash={ROOT_HASH}", "holds two root hashes"),
        ("roothash=5f1c", "roothash= is no SHA-256 digest"),
        (f"roothash={ROOT_HASH[:-1]}x", "roothash= is no SHA-256 digest"),
    ],
)
def test_root_hashes_that_name_no_file_system(words: str, reason: str, signer: Signer) -> None:
    with pytest.raises(PredictionError, match=reason):
        image_of(signer, {".cmdline": words.encode()}).verity_root_hash()


@pytest.mark.parametrize(
    ("words", "hardened", "agrees"),
    [
        ("confidential-space.hardened=true", True, True),
        ("confidential-space.hardened=false", True, False),
        ("ro", True, False),
        ("confidential-space.hardened=true confidential-space.hardened=false", True, False),
        ("confidential-space.hardened=false", False, True),
        ("ro", False, True),
        ("confidential-space.hardened=true", False, False),
    ],
)
def test_hardened_is_what_the_command_line_says(words: str, hardened: bool, agrees: bool, signer: Signer) -> None:
    image = image_of(signer, {".cmdline": words.encode()})
    if agrees:
        image.expect_hardened(hardened)
        return
    with pytest.raises(PredictionError, match=f"but hardened is {str(hardened).lower()}"):
        image.expect_hardened(hardened)


# --- who approved


def test_the_certificate_that_signed_approves(signer: Signer, keys: SecureBootKeys) -> None:
    both = SecureBootKeys(pk=keys.pk, kek=keys.kek, db=Signer("other").list + signer.list)
    approving = both.approving(image_of(signer))
    assert approving.data == OWNER.bytes_le + signer.der
    assert both.only_certificate() is None
    assert keys.only_certificate() == signer.der


def test_the_issuer_of_the_certificate_that_signed_approves(keys: SecureBootKeys) -> None:
    authority = Signer("authority")
    leaf = Signer("leaf", authority)
    keys = SecureBootKeys(pk=keys.pk, kek=keys.kek, db=Signer("other").list + authority.list)
    assert keys.approving(image_of(leaf)).certificate == authority.der


def test_a_namesake_of_the_issuer_does_not_approve(keys: SecureBootKeys) -> None:
    leaf = Signer("leaf", Signer("authority"))
    keys = SecureBootKeys(pk=keys.pk, kek=keys.kek, db=Signer("authority").list)
    with pytest.raises(PredictionError, match="^db: certificates: none has signed test.efi$"):
        keys.approving(image_of(leaf))


def test_which_of_two_approves_is_not_guessed(keys: SecureBootKeys) -> None:
    authority = Signer("authority")
    leaf = Signer("leaf", authority)
    keys = SecureBootKeys(pk=keys.pk, kek=keys.kek, db=leaf.list + authority.list)
    with pytest.raises(PredictionError, match="^db: certificates: more than one has signed test.efi$"):
        keys.approving(image_of(leaf))


def test_a_dbx_is_measured(signer: Signer, keys: SecureBootKeys) -> None:
    dbx = SecureBootKeys(pk=keys.pk, kek=keys.kek, db=keys.db, dbx=Signer("revoked").list)
    image = image_of(signer)
    predicted = [predict_pcrs(image, each) for each in (keys, dbx)]
    assert [pcr for pcr in predicted[0] if predicted[0][pcr] != predicted[1][pcr]] == [7]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:20], "at 0x0: is cut off"),
        (lambda data: data[:-1], "at 0x0: SignatureListSize is"),
        (lambda data: data + b"\0", "at 0x[0-9a-f]+: is cut off"),
        (lambda data: data[:16] + struct.pack("<I", 4) + data[20:], "at 0x0: SignatureListSize is 4"),
        (lambda data: data[:24] + struct.pack("<I", 16) + data[28:], "at 0x0: SignatureSize is 16"),
        (lambda data: data[:24] + struct.pack("<I", 99) + data[28:], "at 0x0: SignatureSize is 99"),
    ],
)
def test_broken_signature_lists(change: Callable[[bytes], bytes], reason: str, signer: Signer) -> None:
    with pytest.raises(PredictionError, match=f"^db.esl: signature list {reason}"):
        parse_signature_lists(change(signer.list), "db.esl")


def test_keys_are_read_from_lists_and_from_certificates(tmp_path: Path, signer: Signer) -> None:
    for name, content in {"db.esl": signer.list, "db.pem": signer.pem, "db.der": signer.der}.items():
        (tmp_path / name).write_bytes(content)
        assert load_signature_lists(tmp_path / name, OWNER) == signer.list
    assert load_signature_lists(tmp_path / "db.esl", None) == signer.list
    with pytest.raises(PredictionError, match="db.pem: owner: a certificate takes the GUID of its owner"):
        load_signature_lists(tmp_path / "db.pem", None)
    for name, content in {"empty": b"", "cut.der": signer.der[:-1], "cut.pem": signer.pem[:99]}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PredictionError, match=f"/{name}: (signature lists: there are none|certificate: )"):
            load_signature_lists(tmp_path / name, OWNER)


# --- images that are refused

Change = tuple[int, str, int]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((0, "<H", 0), "DOS header: does not begin with MZ"),
        ((0x3C, "<I", 0x7FFFFFFF), "PE header: lies beyond the end of the file, at 0x7fffffff"),
        ((PE, "<I", 0), "PE header: has no PE signature"),
        ((PE + 4, "<H", 0xAA64), "Machine: is 0xaa64, not x86-64"),
        ((PE + 6, "<H", 0), "NumberOfSections: is 0, not 1 to 96"),
        ((PE + 6, "<H", 97), "NumberOfSections: is 97, not 1 to 96"),
        ((PE + 6, "<H", 96), "SizeOfHeaders: is 0x400, but the headers end elsewhere"),
        ((PE + 20, "<H", 151), "SizeOfOptionalHeader: is 151, without a certificate table"),
        ((OPTIONAL, "<H", 0x10B), "optional header: is of type 0x10b, not PE32"),
        ((OPTIONAL + 108, "<I", 4), "NumberOfRvaAndSizes: is 4, without a certificate table"),
        ((OPTIONAL + 60, "<I", 0x7FFFFFFF), "SizeOfHeaders: is 0x7fffffff, but the headers end elsewhere"),
        ((OPTIONAL + 144, "<Q", 0), "certificate table: is empty: the image is not signed"),
        ((OPTIONAL + 144, "<I", 8), "certificate table: begins at 0x8, in the headers or not aligned"),
        ((OPTIONAL + 144, "<I", 0x7FFFFFF1), "certificate table: begins at 0x7ffffff1, in the headers or not aligned"),
        ((OPTIONAL + 148, "<I", 8), "certificate table: does not end where the file does"),
        ((TABLE + 12, "<I", 0x10), "section .text: VirtualAddress is in another section or beyond SizeOfImage"),
        ((TABLE + 8, "<I", 0x1001), "section .sbat: VirtualAddress is in another section or beyond SizeOfImage"),
        ((OPTIONAL + 56, "<I", 0x1000), "section .text: VirtualAddress is in another section or beyond SizeOfImage"),
        ((TABLE + 20, "<I", 0x200), "section .text: PointerToRawData is 0x200, not where the section before it ends"),
        ((TABLE + 20, "<I", 0x600), "section .text: PointerToRawData is 0x600, not where the section before it ends"),
        ((TABLE + 16, "<I", 0x400), "section .sbat: PointerToRawData is 0x600, not where the section before it ends"),
        ((TABLE + 6 * 40 + 16, "<I", 0x7FFFFFFF), "section .initrd: SizeOfRawData reaches into the certificate table"),
        ((TABLE + 6 * 40 + 8, "<I", 0), "section .initrd: is missing or empty"),
    ],
)
def test_broken_images(change: Change, reason: str, signer: Signer) -> None:
    image = signer.sign(unsigned_image(SECTIONS))
    offset, form, value = change
    struct.pack_into(form, image, offset, value)
    with pytest.raises(PredictionError, match=f"^test.efi: {reason}"):
        UnifiedKernelImage(bytes(image), "test.efi")


def test_a_file_that_ends_anywhere_is_refused(signer: Signer) -> None:
    image = bytes(signer.sign(unsigned_image(SECTIONS)))
    for size in [*range(HEADERS + 1), *range(HEADERS, len(image), 101), len(image) - 1]:
        with pytest.raises(PredictionError, match=r"^test\.efi: "):
            UnifiedKernelImage(image[:size], "test.efi")


def test_a_section_that_the_file_does_not_fill_is_refused(signer: Signer) -> None:
    image = signer.sign(unsigned_image(SECTIONS))
    struct.pack_into("<I", image, TABLE + 2 * 40 + 8, 0x201)
    with pytest.raises(PredictionError, match="^test.efi: section .osrel: VirtualSize is larger than"):
        UnifiedKernelImage(bytes(image), "test.efi")


@pytest.mark.parametrize("name", [".linux", ".osrel", ".cmdline", ".initrd"])
def test_an_image_without_its_parts_is_refused(name: str, signer: Signer) -> None:
    with pytest.raises(PredictionError, match=f"^test.efi: section {name}: is missing or empty$"):
        image_of(signer, {name: None})


@pytest.mark.parametrize("name", [".profile", ".dtbauto", ".hwids", ".efifw"])
def test_an_image_that_the_stub_chooses_from_is_refused(name: str, signer: Signer) -> None:
    with pytest.raises(PredictionError, match=f"^test.efi: section {name}: what the stub makes of it"):
        image_of(signer, {name: b"x"})


def test_a_section_that_stands_twice_is_refused(signer: Signer) -> None:
    image = signer.sign(unsigned_image(SECTIONS))
    struct.pack_into("<8s", image, TABLE, b".linux")
    with pytest.raises(PredictionError, match="^test.efi: section .linux: stands twice$"):
        UnifiedKernelImage(bytes(image), "test.efi")


def test_signatures_that_no_firmware_takes(signer: Signer) -> None:
    unsigned = unsigned_image(SECTIONS)
    place = len(unsigned)
    signed = bytes(signer.sign(bytearray(unsigned)))

    def refused(image: bytes, reason: str) -> None:
        with pytest.raises(PredictionError, match=f"^test.efi: certificate table: {reason}"):
            UnifiedKernelImage(image, "test.efi").signer_certificates()

    def changed(offset: int, form: str, value: int, image: bytes = signed) -> bytes:
        copy = bytearray(image)
        struct.pack_into(form, copy, offset, value)
        return bytes(copy)

    refused(changed(place + 4, "<H", 0x0100), "is no PKCS #7 signature")
    refused(changed(place + 6, "<H", 0x0001), "is no PKCS #7 signature")
    refused(changed(place, "<I", 8), "the signature reaches beyond the table")
    refused(changed(place, "<I", 0x7FFFFFFF), "the signature reaches beyond the table")
    table = signed[place:]
    refused(changed(OPTIONAL + 148, "<I", 2 * len(table), signed + table), "holds more than one signature")
    refused(changed(place - 1, "<B", 1), "the signature is not over this image's SHA-256 digest")
    refused(changed(place + 8, "<B", 0), "the signature can't be read")
    refused(bytes(signer.sign(bytearray(unsigned), bytes(32))), "the signature is not over this image's SHA-256 digest")


# --- the program


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
    assert json.loads((tmp_path / "reference-values.json").read_text()) == {
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
                        "7": secure_boot_pcr("sha256", keys, OWNER.bytes_le + signer.der).hex(),
                        "9": replayed("sha256", *digests[1]).hex(),
                        "11": sections_pcr("sha256", image).hex(),
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


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (b"{", "manifest: is no JSON"),
        (b"[]", "packages: is no list"),
        (b'{"packages": {}}', "packages: is no list"),
        (b'{"packages": [1]}', r"packages\[0\]: has no name or no version"),
        (b'{"packages": [{"name": "a"}]}', r"packages\[0\]: has no name or no version"),
        (b'{"packages": [{"name": "a", "version": 1}]}', r"packages\[0\]: has no name or no version"),
        (
            b'{"packages": [{"name": "a", "version": "1"}, {"name": "a", "version": "2"}]}',
            r"packages\[1\]: a stands there in two versions",
        ),
    ],
)
def test_broken_manifests(manifest: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "image.manifest").write_bytes(manifest)
    with pytest.raises(PredictionError, match=f"image.manifest: {reason}"):
        load_packages(tmp_path / "image.manifest")
