"""Show or record what newer reference data changes in a system."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandParser

from controls.grammar import count_of
from controls.models import System, User
from controls.reference.updates import adopt, digest_of, preview

WAITING, WRONG_USE = 1, 2


class Command(BaseCommand):
    """`reread SYSTEM [--adopt --by EMAIL]`. Exit 1 while changes wait, 2 wrong use."""

    help = "Preview or record the decisions that newer reference data asks for."

    def add_arguments(self, parser: CommandParser) -> None:
        """The system, and in whose name it is recorded."""
        parser.add_argument("system")
        parser.add_argument("--adopt", action="store_true")
        parser.add_argument("--by", help="e-mail of an officer of the system")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the changes; with --adopt record them."""
        system = System.objects.filter(slug=options["system"]).first()
        if system is None:
            self._stop(f"There is no system “{options['system']}”.")
        changes = preview(system)
        for change in changes:
            start, end = change.start or "always", change.end or "open"
            name = change.implementation.control.ref_id
            line = f"{name:12} {start} .. {end}  {change.before} -> {change.after}"
            self.stdout.write(line + (" (reason only)" if change.basis_only else ""))
        if not options["adopt"]:
            self.stdout.write(f"{count_of(len(changes), 'change', 'waits')}.")
            sys.exit(WAITING if changes else 0)
        by = User.objects.filter(email=options["by"] or "").first()
        if by is None:
            self._stop("Say --by with the e-mail of an officer.")
        try:
            count = adopt(system, by=by, seen=digest_of(changes))
        except ValidationError as refusal:
            self._stop(" ".join(refusal.messages))
        self.stdout.write(f"Recorded for {count_of(count, 'control')}.")

    def _stop(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(WRONG_USE)
