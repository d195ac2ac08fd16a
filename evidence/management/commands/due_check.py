"""Compare where asks stand, as it is kept for lists, with what it is judged from."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from controls import clock
from controls.grammar import count_of
from controls.models import System
from evidence.planning.standing_check import rebuild_standings, standing_differences

FOUND, COULD_NOT = 1, 2


class Command(BaseCommand):
    """Exit 0: all agree. 1: rows differ, printed. 2: could not run.

    With `--rebuild`, 0 once all were made anew.
    """

    help = (
        "Judge what is asked in each system anew and name the rows whose kept standing"
        " differs: by these My work, calendar and notices choose. Changes nothing"
        " without --rebuild."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which systems, and whether to make their rows anew."""
        parser.add_argument("system", nargs="*", help="slugs; all systems if none")
        parser.add_argument(
            "--rebuild", action="store_true", help="make all kept rows anew"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each row, one for all systems."""
        slugs, rebuild = options["system"], options["rebuild"]
        systems = System.objects.order_by("slug")
        unknown = sorted(set(slugs) - set(systems.values_list("slug", flat=True)))
        if unknown:
            self._stop(f"There is no system “{unknown[0]}”.")
        chosen = systems.filter(slug__in=slugs) if slugs else systems
        differing = 0
        try:
            for system in chosen:
                instant = clock.now()
                for row in standing_differences(system, instant):
                    self.stdout.write(
                        f"{system.slug} {row.control} “{row.title}” {row}"
                    )
                    differing += 1
                if rebuild:
                    rebuild_standings(system, instant)
        except DatabaseError as failure:
            self._stop(str(failure))
        done = "Made anew" if rebuild else "Changed nothing"
        self.stdout.write(
            f"{count_of(len(chosen), 'system')} checked,"
            f" {count_of(differing, 'difference')} found. {done}."
        )
        if differing and not rebuild:
            sys.exit(FOUND)

    def _stop(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(COULD_NOT)
