"""The lists of an image's files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from file_lists import files_of


def test_each_file_is_told_by_what_it_is(tmp_path: Path) -> None:
    """Mode, owner, and content or target; a link is not followed."""
    (tmp_path / "etc").mkdir(mode=0o755)
    (tmp_path / "etc/hosts").write_text("a")
    (tmp_path / "etc/hosts").chmod(0o640)
    (tmp_path / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe", mode=0o600)
    owner = f"{os.getuid()}:{os.getgid()}"
    assert files_of(tmp_path) == {
        "/etc": f"drwxr-xr-x {owner}",
        "/etc/hosts": f"-rw-r----- {owner} sha256 {hashlib.sha256(b'a').hexdigest()}",
        "/link": f"lrwxrwxrwx {owner} -> /etc",
        "/pipe": f"prw------- {owner}",
    }


def test_a_change_shows(tmp_path: Path) -> None:
    """One byte, or one bit of the mode."""
    file = tmp_path / "file"
    file.write_text("a")
    before = files_of(tmp_path)
    file.write_text("b")
    assert files_of(tmp_path) != before
    file.write_text("a")
    file.chmod(0o4755)
    assert files_of(tmp_path)["/file"].startswith("-rwsr-xr-x ")
