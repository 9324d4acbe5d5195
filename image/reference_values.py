#!/usr/bin/python3
"""Predict what a machine measures that boots a signed unified kernel image, and write it as reference values."""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from predictions.entry import SUPPORT_ATTRIBUTES, load_packages, predicted_entry
from predictions.error import PredictionError
from predictions.registers import BANKS
from predictions.secure_boot import load_signature_lists


def _attributes(text: str) -> list[str]:
    attributes = [attribute for attribute in text.split(",") if attribute]
    for attribute in attributes:
        if attribute not in SUPPORT_ATTRIBUTES or attributes.count(attribute) > 1:
            raise argparse.ArgumentTypeError(f"{attribute!r} is unknown or stands twice")
    return attributes


def _swversion(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--uki", type=Path, required=True, metavar="FILE", help="the signed unified kernel image")
    for name in ("pk", "kek", "db"):
        parser.add_argument(
            f"--{name}", type=Path, required=True, metavar="FILE", help="signature lists, or a certificate (PEM, DER)"
        )
    parser.add_argument("--dbx", type=Path, metavar="FILE", help="signature lists (default: there is no dbx)")
    parser.add_argument("--owner", type=uuid.UUID, metavar="GUID", help="who owns the keys given as certificates")
    parser.add_argument("--name", required=True, help="of the entry")
    parser.add_argument("--swversion", type=_swversion, required=True, metavar="NUMBER", help="such as 260100")
    parser.add_argument("--hardened", choices=("true", "false"), required=True, help="what the command line says too")
    parser.add_argument(
        "--support-attributes", type=_attributes, default=[], metavar="A,B", help=f"of {', '.join(SUPPORT_ATTRIBUTES)}"
    )
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="mkosi's list of the packages in the image")
    parser.add_argument(
        "--bank",
        action="append",
        choices=BANKS,
        help="may be repeated; a machine must quote every bank (default: sha256)",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("reference-values.json"), metavar="FILE", help="(default: %(default)s)"
    )
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Parse the command line, predict and write; return the exit code."""
    arguments = _arguments(words)
    try:
        keys = {
            "PK": load_signature_lists(arguments.pk, arguments.owner),
            "KEK": load_signature_lists(arguments.kek, arguments.owner),
            "db": load_signature_lists(arguments.db, arguments.owner),
        }
        if arguments.dbx:
            keys["dbx"] = load_signature_lists(arguments.dbx, arguments.owner)
        image = predicted_entry(
            arguments.uki.read_bytes(),
            keys=keys,
            name=arguments.name,
            swversion=arguments.swversion,
            hardened=arguments.hardened == "true",
            support_attributes=arguments.support_attributes,
            packages=load_packages(arguments.manifest) if arguments.manifest else None,
            banks=list(dict.fromkeys(arguments.bank or ["sha256"])),
            file=str(arguments.uki),
        )
        arguments.output.write_text(json.dumps({"images": [image]}, indent=2) + "\n")
    except (PredictionError, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
