"""A unified kernel image: what systemd's stub measures of it, and what it hands to the kernel.

Formats: systemd 257, src/boot/stub.c and cpio.c; Linux 6.12, drivers/firmware/efi/libstub/efi-stub-helper.c.
"""

from __future__ import annotations

from .pe_image import PeImage

# In the order in which the stub measures them.
MEASURED_SECTIONS = (
    ".linux",
    ".osrel",
    ".cmdline",
    ".initrd",
    ".ucode",
    ".splash",
    ".dtb",
    ".uname",
    ".sbat",
    ".pcrpkey",
)
REQUIRED_SECTIONS = (".linux", ".osrel", ".cmdline", ".initrd")
# What the stub takes of these depends on the machine or on who calls it, or on the version of the stub.
UNPREDICTABLE_SECTIONS = (".profile", ".dtbauto", ".hwids", ".efifw")
# Sections that become files in /.extra, in the order of the archives.
PASSED_ON = {
    ".pcrsig": "tpm2-pcr-signature.json",
    ".pcrpkey": "tpm2-pcr-public-key.pem",
    ".osrel": "os-release",
}

MAX_COMMAND_LINE = 2047  # Linux on x86: COMMAND_LINE_SIZE with the NUL
ROOT_HASH_KEYS = ("roothash=", "rd.roothash=")
HARDENED_KEY = "confidential-space.hardened="


class UnifiedKernelImage(PeImage):
    """A signed PE image with the sections of a unified kernel image."""

    def __init__(self, data: bytes, file: str) -> None:
        super().__init__(data, file)
        self._expect_unified()

    def required_section(self, name: str) -> bytes:
        """Return a section that is known to be there."""
        content = self.section(name)
        if content is None:
            raise self._error(f"section {name}", "is missing or empty")
        return content

    def command_line(self) -> str:
        """Return the command line as the stub hands it to the kernel: control characters as spaces, none around it."""
        text, nul, rest = self.required_section(".cmdline").partition(b"\0")
        field = "section .cmdline"
        if nul and rest.strip(b"\0"):
            raise self._error(field, "has text behind a NUL")
        if not text.isascii():
            raise self._error(field, "is not ASCII")
        spaced = "".join(" " if byte <= 0x20 or byte == 0x7F else chr(byte) for byte in text).strip(" ")
        if not spaced:
            raise self._error(field, "holds no text")
        if len(spaced) > MAX_COMMAND_LINE:
            raise self._error(field, f"is longer than the {MAX_COMMAND_LINE} characters that the kernel takes")
        return spaced

    def verity_root_hash(self) -> str | None:
        """Return the SHA-256 root hash on the command line, or None if there is none."""
        field = "section .cmdline"
        words = self.command_line().split()
        hashes = [word.removeprefix(key) for word in words for key in ROOT_HASH_KEYS if word.startswith(key)]
        if not hashes:
            return None
        if len(hashes) > 1:
            raise self._error(field, "holds two root hashes")
        if len(hashes[0]) != 64 or hashes[0].strip("0123456789abcdefABCDEF"):
            raise self._error(field, "roothash= is no SHA-256 digest")
        return hashes[0].lower()

    def expect_hardened(self, hardened: bool) -> None:
        """Raise unless the command line says the same as who describes the image."""
        words = self.command_line().split()
        said = [word.removeprefix(HARDENED_KEY) for word in words if word.startswith(HARDENED_KEY)]
        agrees = said == ["true"] if hardened else "true" not in said
        if not agrees:
            found = " ".join(HARDENED_KEY + value for value in said) or "nothing of the kind"
            raise self._error("section .cmdline", f"says {found}, but hardened is {str(hardened).lower()}")

    def initial_ram_disk(self) -> bytes:
        """Return what the stub registers as initial RAM disk: each part is padded to four bytes."""
        parts = [self.section(name) for name in (".ucode", ".initrd")]
        for name, file_name in PASSED_ON.items():
            content = self.section(name)
            parts.append(None if content is None else _archive(file_name, content))
        return b"".join(_padded(part) for part in parts if part is not None)

    def _expect_unified(self) -> None:
        known = (*MEASURED_SECTIONS, *PASSED_ON)
        seen: set[str] = set()
        for section in self._sections:
            field = f"section {section.name}"
            if section.name in UNPREDICTABLE_SECTIONS:
                raise self._error(field, "what the stub makes of it can't be predicted")
            if section.name not in known:
                continue
            if section.name in seen:
                raise self._error(field, "stands twice")
            seen.add(section.name)
            if section.virtual_size > section.raw_size:
                raise self._error(field, "VirtualSize is larger than what is in the file")
        for name in REQUIRED_SECTIONS:
            self.required_section(name)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _archive(file_name: str, content: bytes) -> bytes:
    """Return the cpio archive in which the stub passes on a file in /.extra (Linux, initramfs buffer format)."""

    def entry(name: str, inode: int, mode: int, data: bytes) -> bytes:
        numbers = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        header = "070701" + "".join(f"{number:08x}" for number in numbers) + name + "\0"
        return _padded(header.encode()) + _padded(data)

    trailer = b"070701" + b"0" * 32 + b"00000001" + b"0" * 48 + b"0000000B" + b"0" * 8 + b"TRAILER!!!\0\0\0\0"
    return entry(".extra", 1, 0o040555, b"") + entry(f".extra/{file_name}", 2, 0o100444, content) + trailer
