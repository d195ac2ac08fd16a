"""Compare a provider's document or security plan with our template; adopt it."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandParser

from controls.grammar import count_of
from controls.models import System, User
from controls.oscal.plans import MAX_PLAN_BYTES, PlanFile
from controls.provider_documents.adopt import request_adoption
from controls.provider_documents.compare import DocumentPreview, preview
from controls.provider_documents.rows import read_statements
from evidence.status.control_status import today_of

REFUSED, WRONG_USE = 1, 2


class Command(BaseCommand):
    """`import_provider_document SYSTEM PATH [--own-plan PATH] [--by EMAIL --title TITLE
    --reference TEXT --starts-on DAY [--leave-out]]`.

    Without `--by` it says what would change and writes nothing. Exit 1 where the file
    is refused, 2 on wrong use.
    """

    help = (
        "Read a provider's responsibility document (CSV, XLSX) or its security plan in"
        " OSCAL (JSON), and say where it differs from our template. With --by, an"
        " officer of the system asks that it rules; another officer approves."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The file; who adopts it, and what the document is called."""
        parser.add_argument("system", help="slug of the system")
        parser.add_argument("path", type=Path)
        parser.add_argument(
            "--own-plan", type=Path, help="your own OSCAL plan, held against it"
        )
        parser.add_argument("--by", help="e-mail of an officer of the system")
        parser.add_argument("--title", help="what the document is")
        parser.add_argument("--reference", help="its version")
        parser.add_argument(
            "--starts-on", type=dt.date.fromisoformat, help="day from which it rules"
        )
        parser.add_argument(
            "--leave-out", action="store_true", help="adopt without unplaced lines"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what the document says; ask for it where somebody is named."""
        system = System.objects.filter(slug=options["system"]).first()
        if system is None:
            self._stop(f"There is no system “{options['system']}”.", WRONG_USE)
        today, path = today_of(system), options["path"]
        try:
            own = self._own_plan(options["own_plan"])
            with path.open("rb") as file:
                read = read_statements(file, path.name, own)
        except OSError as fault:
            unread = fault.filename or path
            self._stop(f"{unread} cannot be read: {fault.strerror}.", WRONG_USE)
        except ValidationError as refusal:
            self._stop(" ".join(refusal.messages), REFUSED)
        self._print(preview(system, read, today=today))
        if not options["by"]:
            self.stdout.write("Nothing was written. Name an officer with --by.")
            return
        names = ("title", "reference", "starts_on")
        facts = {name: options[name] for name in names}
        if missing := [name for name in names if not facts[name]]:
            missing_options = ", ".join(
                f"--{name.replace('_', '-')}" for name in missing
            )
            self._stop(f"To adopt it, give {missing_options} too.", WRONG_USE)
        by = User.objects.filter(email__iexact=options["by"]).first()
        if by is None:
            self._stop(f"There is no account {options['by']}.", WRONG_USE)
        try:
            document = request_adoption(
                system,
                read,
                **facts,
                by=by,
                today=today,
                leave_out=options["leave_out"],
            )
        except ValidationError as refusal:
            self._stop(" ".join(refusal.messages), REFUSED)
        self.stdout.write(
            f"“{document}” waits for a second officer: once approved, it rules from"
            f" {document.starts_on}."
        )

    def _own_plan(self, path: Path | None) -> PlanFile | None:
        if path is None:
            return None
        with path.open("rb") as file:
            return PlanFile(path.name, file.read(MAX_PLAN_BYTES + 1))

    def _print(self, compared: DocumentPreview) -> None:
        for comparison in compared.differences:
            label = comparison.implementation.control.label
            self.stdout.write(
                f"{label}: {comparison.responsibility}, by our template"
                f" {comparison.template_class}."
            )
        for error in compared.errors:
            self.stdout.write(str(error))
        for sentence in compared.left_out:
            self.stdout.write(sentence)
        stated = count_of(len(compared.stated), "statement")
        self.stdout.write(f"{stated} about controls of this system.")

    def _stop(self, sentence: str, code: int) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(code)
