"""Compare the proof table with the links it is computed from."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection

from controls.grammar import count_of
from controls.models import System
from evidence.status.proof_check import (
    ProofDifference,
    proof_differences,
    repair_proof,
)

FOUND, COULD_NOT = 1, 2


class Command(BaseCommand):
    """Exit 0: all as the links say. 1: rows differ, printed. 2: could not run.

    With `--repair`, 0 once the rows that differed were written anew.
    """

    help = (
        "Recompute the proof of each system from its links and name the rows that"
        " differ. Changes nothing without --repair, which needs the owner role."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which systems, and whether to repair."""
        parser.add_argument("system", nargs="*", help="slugs; all systems if none")
        parser.add_argument(
            "--repair",
            action="store_true",
            help="write the rows that differ anew (SRM_ROLE=owner)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each row, one for each system."""
        slugs, repair = options["system"], options["repair"]
        systems = System.objects.order_by("slug")
        unknown = sorted(set(slugs) - set(systems.values_list("slug", flat=True)))
        if unknown:
            self._stop(f"There is no system “{unknown[0]}”.")
        if repair and not self._is_owner():
            self._stop("--repair needs the owner role: set SRM_ROLE=owner.")
        chosen = systems.filter(slug__in=slugs) if slugs else systems
        differing = 0
        try:
            for system in chosen:
                check = repair_proof if repair else proof_differences
                differing += self._print(system, check(system))
        except DatabaseError as failure:
            self._stop(str(failure))
        verb = "repaired" if repair else "found"
        self.stdout.write(
            f"{count_of(len(chosen), 'system')} checked,"
            f" {count_of(differing, 'difference')} {verb}."
        )
        if differing and not repair:
            sys.exit(FOUND)

    def _print(self, system: System, differences: list[ProofDifference]) -> int:
        for row in differences:
            self.stdout.write(f"{system.slug} {row.control} link {row.link} {row}")
        return len(differences)

    def _is_owner(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT srm_is_owner()")
            return bool(cursor.fetchone()[0])

    def _stop(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(COULD_NOT)
