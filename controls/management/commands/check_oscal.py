"""Say whether every reference of OSCAL documents leads to what it names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from controls.grammar import count_of
from controls.oscal.catalog import OscalProblem
from controls.oscal.documents import MAX_BYTES, Document, read_document
from controls.oscal.references import CatalogIds, faults
from controls.reference.catalog_ids import ids_of_file, shipped_ids

FAULTY, WRONG_USE = 1, 2


class Command(BaseCommand):
    """`check_oscal PATH ... [--catalog FILE]`. Exit 1 with faults, 2 on wrong use.

    Documents that name parts of each other are given together. Ids of controls and
    statements are those of the shipped catalog, or of an official file.
    """

    help = "Check that every UUID and id that OSCAL documents refer to is there."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Documents, and the catalog that they speak of."""
        parser.add_argument("path", nargs="+", type=Path)
        parser.add_argument(
            "--catalog", type=Path, help="an official catalog; parameters are checked"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each fault, then how many there are."""
        catalog = self._catalog(options["catalog"])
        documents: list[Document] = []
        unread = []
        for path in options["path"]:
            try:
                documents.append(read_document(path.name, self._content(path)))
            except OscalProblem as problem:
                unread.append(str(problem))
        lines = unread + [str(fault) for fault in faults(documents, catalog)]
        for line in lines:
            self.stdout.write(line)
        checked = count_of(len(documents), "document")
        counted = count_of(len(lines), "fault") if lines else "no faults"
        self.stdout.write(f"{checked} checked: {counted}.")
        if lines:
            sys.exit(FAULTY)

    def _catalog(self, path: Path | None) -> CatalogIds:
        if path is None:
            return shipped_ids()
        try:
            return ids_of_file(path)
        except OscalProblem as problem:
            self._stop(str(problem))
        except OSError as failure:
            self._stop(f"{path} cannot be read: {failure.strerror}.")

    def _content(self, path: Path) -> bytes:
        """At most a byte more than a document may have."""
        try:
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError as failure:
            self._stop(f"{path} cannot be read: {failure.strerror}.")

    def _stop(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(WRONG_USE)
