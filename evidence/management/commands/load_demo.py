"""Load the demo company once."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import secrets
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from controls import clock
from controls.models import System
from evidence.demo import company
from evidence.demo.build import build
from evidence.status.clock_parameters import ClockError, parse_day

REPORTS = 20  # lines of progress in all


def day(text: str) -> dt.date:
    """The day of a text. Raises ArgumentTypeError."""
    try:
        return parse_day(text)
    except ClockError as fault:
        raise argparse.ArgumentTypeError(fault.sentence) from fault


class Command(BaseCommand):
    """Builds the demo in its own past; does nothing when it is already there."""

    help = "Load the demo company (needs the owner role and loaded reference data)."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--today` fixes the day the demo is built around."""
        parser.add_argument("--today", type=day)
        parser.add_argument("--accounts", help="file to write the accounts to")

    def handle(self, *args: Any, **options: Any) -> None:
        """Build it and write the accounts to a file that only the owner can read."""
        if System.objects.filter(slug="payments").exists():
            self.stdout.write("The demo is already there.")
            return
        password = secrets.token_urlsafe(9)
        today = options["today"] or clock.today()
        build(today=today, password=password, progress=self._report)
        self._write_accounts(password, options["accounts"])
        self.stdout.write("The demo is loaded.")

    def _report(self, done: int, total: int) -> None:
        """Print a line now and then: this takes longest of all that `make run` does."""
        if done * REPORTS // total > (done - 1) * REPORTS // total:
            share = 100 * done // total
            self.stdout.write(f"{done} of {total} submissions and reviews ({share} %)")
            self.stdout.flush()

    def _write_accounts(self, password: str, named: str | None) -> None:
        lines = [
            f"  {role:<12} {local}@{company.DOMAIN}"
            + (f"  (team {team})" if team else "")
            for local, _, role, team in company.PEOPLE
        ]
        text = "\n".join([*lines, f"  password for all: {password}", ""])
        target = named or os.environ.get("SRM_DEMO_ACCOUNTS")
        if target is None:
            self.stdout.write(text)
            return
        path = Path(target)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
