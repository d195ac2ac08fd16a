"""Import what AWS publishes about its services: its OSCAL component definitions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandParser

from controls.grammar import count_of
from controls.oscal.components import packed
from controls.reference.published_services import (
    ImportOutcome,
    ServiceDifference,
    compare_services,
    import_services,
)

REFUSED = 1
SHOWN = 20  # names of one kind


class Command(BaseCommand):
    """`import_aws_components PATH`. Exit 1 where nothing could be imported."""

    # The checks read every page's code, which takes longer than the work; the web
    # process does not start without them.
    requires_system_checks = ()

    help = (
        "Import AWS's OSCAL component definitions from a folder, or from a ZIP file:"
        " names, ids, prefixes, regions, Config rules and Security Hub controls of"
        " its services. New ones arrive as not classified. The same files again change"
        " nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the files are, and whether they are looked at only."""
        parser.add_argument("path", type=Path)
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would change, and stop"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was imported and what differs, or why nothing was."""
        path: Path = options["path"]
        try:
            with packed(path) as body:
                if options["dry_run"]:
                    outcome = compare_services(body, by=None)
                else:
                    outcome = import_services(body, source=path.name, by=None)
        except OSError as fault:
            self._stop(f"{path} cannot be read: {fault.strerror or fault}.")
        except ValidationError as refusal:
            self._stop(" ".join(refusal.messages))
        self._print_outcome(outcome, dry=options["dry_run"])

    def _print_outcome(self, outcome: ImportOutcome, *, dry: bool) -> None:
        read, difference = outcome.read, outcome.difference
        services = count_of(len(read.services), "service")
        self.stdout.write(f"Read {services} in {count_of(read.files, 'file')}.")
        if difference.is_nothing:
            self.stdout.write("Nothing to change: they say what is known already.")
        for line in _lines(difference):
            self.stdout.write(line)
        if dry and not difference.is_nothing:
            self.stdout.write("Nothing was written.")

    def _stop(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(REFUSED)


def _lines(difference: ServiceDifference) -> list[str]:
    """What differs, one line for each kind of difference that there is."""
    kinds = (
        ("New, not classified", [facts.title for facts in difference.added]),
        (
            "Joined to a service that is there",
            [f"{facts.title} ({ours.slug})" for facts, ours in difference.joined],
        ),
        (
            "Changed",
            [
                f"{change.facts.title} ({', '.join(change.words)})"
                for change in difference.changed
            ],
        ),
        ("Not in these files, kept", [row.title for row in difference.gone]),
    )
    lines = []
    for title, names in kinds:
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            lines.append(f"{title}: {len(names)}: {', '.join(names[:SHOWN])}{more}.")
    return lines
