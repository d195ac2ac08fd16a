"""The facts that ship with the product, as they stand in files."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
Rows = list[dict[str, str]]


def rows(name: str) -> Rows:
    """The rows of one shipped file."""
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def reading_rows() -> Iterator[dict[str, str]]:
    """The rows of all families' readings."""
    for path in sorted((FOLDER / "readings").glob("*.csv")):
        yield from rows(f"readings/{path.name}")


def summary_rows() -> Rows:
    """One plain sentence for each control that a shipped baseline selects."""
    return rows("control_summaries.csv")


def shipped_version() -> str:
    """The version of the shipped facts."""
    return (FOLDER / "VERSION").read_text(encoding="utf-8").strip()


def digest() -> str:
    """sha256 over all shipped files, in hex."""
    total = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*.csv")):
        total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()
