"""What the scenarios measure: printed, collected, and never a reason to fail."""

from __future__ import annotations

import os
from pathlib import Path


def report(what: str, value: str) -> None:
    """Note a measurement; CS_REPORT names a file that collects them."""
    line = f"measured: {what}: {value}"
    print(line)
    if path := os.environ.get("CS_REPORT"):
        with Path(path).open("a") as file:
            file.write(line + "\n")
