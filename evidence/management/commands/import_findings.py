"""Hold a file of findings of AWS against a system; import it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandParser

from controls.grammar import count_of
from controls.models import System, User
from evidence.findings.imports import ImportPreview, confirm_import, preview_import

REFUSED, WRONG_USE = 1, 2


class Command(BaseCommand):
    """`import_findings SYSTEM PATH --account ID... --by EMAIL [--control ID]
    [--confirm [--leave-out]]`.

    Without `--confirm` it says what would change and records nothing. Exit 1 where the
    file is refused, 2 on wrong use.
    """

    help = (
        "Read findings of AWS Security Hub (ASFF), in OCSF, or as CSV, and say what"
        " they would change in a system. With --confirm they are recorded, as failing"
        " observations of the controls that they name."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, whose accounts it may be of, and who records it."""
        parser.add_argument("system", help="slug of the system")
        parser.add_argument("path", type=Path)
        parser.add_argument(
            "--account", action="append", required=True, help="id of an AWS account"
        )
        parser.add_argument(
            "--by", required=True, help="e-mail of an officer or auditor of the system"
        )
        parser.add_argument(
            "--control", default="", help="control for findings that name none"
        )
        parser.add_argument("--confirm", action="store_true", help="record it")
        parser.add_argument(
            "--leave-out", action="store_true", help="record it without refused lines"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what would change; record it where that is said."""
        system = System.objects.filter(slug=options["system"]).first()
        if system is None:
            self._stop(f"There is no system “{options['system']}”.", WRONG_USE)
        by = User.objects.filter(email__iexact=options["by"]).first()
        if by is None:
            self._stop(f"There is no account {options['by']}.", WRONG_USE)
        path: Path = options["path"]
        try:
            with path.open("rb") as file:
                shown = preview_import(
                    system,
                    file,
                    path.name,
                    path.stat().st_size,
                    accounts=" ".join(options["account"]),
                    control=options["control"],
                    by=by,
                )
            self._print(shown)
            if not options["confirm"]:
                self.stdout.write("Nothing was recorded. Say so with --confirm.")
                return
            if not shown.token:
                self.stdout.write("Nothing was recorded: the file changes nothing.")
                return
            leave_out = options["leave_out"]
            made = confirm_import(system, shown.token, leave_out=leave_out, by=by)
        except OSError as fault:
            self._stop(f"{path} cannot be read: {fault.strerror}.", WRONG_USE)
        except ValidationError as refusal:
            self._stop(" ".join(refusal.messages), REFUSED)
        recorded = count_of(made.made, "failing observation,failing observations")
        self.stdout.write(f"Recorded {recorded} of {system.name}.")

    def _print(self, shown: ImportPreview) -> None:
        plan = shown.plan
        groups = {"new": plan.new, "again": plan.again, "passed": plan.passed}
        for word, rows in groups.items():
            for row in rows:
                label = row.implementation.control.label
                title = row.result.title or row.result.check
                self.stdout.write(f"{word}: line {row.result.line}, {label}: {title}")
        for refusal in plan.refusals:
            self.stdout.write(str(refusal))
        unclear = count_of(len(plan.unclear), "finding", "is")
        self.stdout.write(
            f"{len(plan.new)} new, {len(plan.again)} again, {len(plan.passed)} passed,"
            f" {len(plan.refusals)} refused; {unclear} neither failed nor passed."
        )

    def _stop(self, sentence: str, code: int) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(code)
