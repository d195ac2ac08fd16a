"""Import the official text of the controls, from a file or from its publisher."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandParser

from controls.grammar import count_of
from controls.reference.control_texts import import_texts
from controls.reference.official_catalog import fetch_official

OFFICIAL = "official"
REFUSED = 1


class Command(BaseCommand):
    """`import_control_text PATH|official`. Exit 1 where nothing could be imported."""

    # The checks read every page's code, which takes longer than the work; the web
    # process does not start without them.
    requires_system_checks = ()

    help = (
        "Import the official text of the controls: an OSCAL catalog in JSON from a"
        " path, or `official`: the file that NIST publishes. The same file again"
        " changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the file is."""
        parser.add_argument("source", metavar="PATH|official")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was imported, or why nothing was."""
        source: str = options["source"]
        try:
            with self._open(source) as body:
                name = self._name(source)
                imported = import_texts(body, source=name, by=None)
        except OSError as fault:
            self._stop(f"{source} cannot be read: {fault.strerror or fault}.")
        except ValidationError as refusal:
            self._stop(" ".join(refusal.messages))
        edition = imported.edition
        texts = count_of(imported.text_count, "control")
        if not imported.is_new:
            self.stdout.write(
                f"Nothing to change: the text of {texts}, edition {edition.version},"
                f" was imported from this file on {edition.known_from:%Y-%m-%d}."
            )
            return
        self.stdout.write(f"Imported the text of {texts}, edition {edition.version}.")
        if not edition.is_published:
            self.stdout.write(
                "It is not the file that this version of SRM was made for, and pages"
                " say so."
            )

    def _open(self, source: str) -> BinaryIO:
        return fetch_official() if source == OFFICIAL else Path(source).open("rb")

    def _name(self, source: str) -> str:
        if source == OFFICIAL:
            return str(settings.CONTROL_TEXT_ADDRESS)
        return Path(source).name

    def _stop(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(REFUSED)
