"""Destroy bytes whose retention has ended."""

from __future__ import annotations

import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from controls.grammar import count_of
from controls.models import System
from evidence.files.purge import (
    EVIDENCE,
    EndedRecord,
    bytes_of,
    ended_records,
    purge,
    rows_of,
    sharing_bytes,
)
from evidence.models import Evidence

COULD_NOT = 2


class Command(BaseCommand):
    """Nothing is changed without --remove. Exit 0: done. Exit 2: could not run."""

    help = (
        "List evidence and lists of events whose retention has ended and no hold keeps;"
        " --remove destroys their bytes. Titles, names, digests, days, reviews, rows of"
        " lists and the log stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """SYSTEM and --remove."""
        parser.add_argument("system", nargs="?", help="of one system only (its slug)")
        parser.add_argument(
            "--remove", action="store_true", help="destroy the bytes; no way back"
        )

    def handle(
        self, *args: Any, system: str | None, remove: bool, **options: Any
    ) -> None:
        """Print each evidence and its files; with `remove` let their bytes go."""
        if system and not System.objects.filter(slug=system).exists():
            raise CommandError(f"No system has the slug “{system}”.")
        try:
            ended = ended_records(system)
            self._print(ended)
            if remove:
                self._remove(ended)
            else:
                self.stdout.write(f"{_sum(ended)} would go. Nothing was changed.")
        except ValidationError as refusal:
            self._stop(" ".join(refusal.messages))
        except (OSError, DatabaseError) as failure:
            self._stop(str(failure))

    def _print(self, ended: list[EndedRecord]) -> None:
        rows = rows_of(ended)
        for piece in ended:
            row = rows[piece.key]
            kept = f"kept until {piece.kept_until} ({count_of(piece.years, 'year')})"
            name = row.title if isinstance(row, Evidence) else f"list of events: {row}"
            self.stdout.write(f"{row.system.slug} {row.uuid} {name}: {kept}")
            for file in piece.files:
                size = count_of(file.size_bytes, "byte")
                self.stdout.write(f"  {file.sha256} {size} {file.name}")

    def _remove(self, ended: list[EndedRecord]) -> None:
        gone = []
        for group in sharing_bytes(ended):
            outcomes = purge(group)
            if not outcomes:
                self.stdout.write(
                    f"{_records(group)} changed meanwhile and stayed. Run it again."
                )
                continue
            gone += group
            for digest, outcome in outcomes.items():
                self.stdout.write(f"{digest} {outcome}")
        self.stdout.write(f"{_sum(gone)} purged; the record of it stays.")

    def _stop(self, sentence: str) -> None:
        self.stderr.write(sentence)
        sys.exit(COULD_NOT)


def _sum(ended: list[EndedRecord]) -> str:
    files = count_of(len({blob for piece in ended for blob in piece.blobs}), "file")
    size = count_of(bytes_of(ended), "byte")
    return f"{_records(ended)}, {files}, {size}"


def _records(ended: list[EndedRecord]) -> str:
    """How many of which kind; lists of events only where there are some."""
    evidence = sum(piece.key.kind == EVIDENCE for piece in ended)
    lists = len(ended) - evidence
    counted = count_of(evidence, "piece of evidence")
    return f"{counted}, {count_of(lists, 'list of events')}" if lists else counted
