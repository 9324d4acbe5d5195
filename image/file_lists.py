"""What files an image has, for people who ask what one build has that another has not."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path


def files_of(root: Path) -> dict[str, str]:
    """Return what each file below a folder is, in words, by its path."""
    return {f"/{path.relative_to(root)}": _words(path) for path in sorted(root.rglob("*"))}


def _words(path: Path) -> str:
    status = path.lstat()
    words = f"{stat.filemode(status.st_mode)} {status.st_uid}:{status.st_gid}"
    if stat.S_ISLNK(status.st_mode):
        return f"{words} -> {os.readlink(path)}"
    if stat.S_ISREG(status.st_mode):
        with path.open("rb") as file:
            return f"{words} sha256 {hashlib.file_digest(file, 'sha256').hexdigest()}"
    return words
