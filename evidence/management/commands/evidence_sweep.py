"""Delete unreferenced bytes."""

from __future__ import annotations

import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from controls import clock
from controls.grammar import count_of
from evidence.storage.sweep import sweep_store

COULD_NOT = 2


class Command(BaseCommand):
    """Exit 0: done, what was deleted is printed. Exit 2: could not run."""

    help = "Delete bytes that no record names and nobody touched for a day."

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep, and print what became of each digest."""
        try:
            swept = sweep_store(instant=clock.now())
        except ValidationError as refusal:
            self._stop(" ".join(refusal.messages))
        except (OSError, DatabaseError) as failure:
            self._stop(str(failure))
        else:
            for digest, outcome in swept.outcomes.items():
                self.stdout.write(f"{digest} {outcome}")
            count, files = len(swept.outcomes), swept.unfinished
            orphans = count_of(count, "orphan")
            unfinished = count_of(files, "unfinished file,unfinished files")
            self.stdout.write(f"{orphans}, {unfinished} deleted.")

    def _stop(self, sentence: str) -> None:
        self.stderr.write(sentence)
        sys.exit(COULD_NOT)
