"""Verify an evidence package, as its own `verify.py` does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from evidence.exports.package.verify import verify

FAULTS, WRONG_USE = 1, 2


class Command(BaseCommand):
    """`verify_package PATH [--key FINGERPRINT]`: a zip or the folder it unpacks to.

    Exit 0: as it was signed. 1: faults, each naming a file. 2: nothing lies there.
    """

    help = "Verify an evidence package: its files, signatures and audit log."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to verify, and the key it has to bear."""
        parser.add_argument("path", type=Path, help="zip or unpacked folder")
        parser.add_argument(
            "--key", default="", help="fingerprint of the key that must have signed it"
        )

    def handle(self, *args: Any, path: Path, key: str, **options: Any) -> None:
        """Print what was checked, what was not, and each fault."""
        if not path.exists():
            self.stderr.write(f"There is nothing at {path}.")
            sys.exit(WRONG_USE)
        checked, unchecked, faults = verify(path, key)
        for label, lines in (("Checked", checked), ("NOT checked", unchecked)):
            for line in lines:
                self.stdout.write(f"{label}: {line}.")
        for fault in faults:
            self.stdout.write(f"FAULT: {fault}.")
        if faults:
            self.stdout.write("FAILED.")
            sys.exit(FAULTS)
        self.stdout.write("OK: every file is as it was signed.")
