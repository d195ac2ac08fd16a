"""Compare the store with the records."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from controls import clock
from controls.grammar import count_of
from evidence.storage.fsck import Pace, StoreReport, check_store

FOUND, COULD_NOT = 1, 2
MEGABYTE = 1_000_000


def rate(text: str) -> float:
    """A positive number of MB/s. Raises ArgumentTypeError."""
    try:
        megabytes = float(text)
    except ValueError:
        megabytes = 0.0
    if not 0 < megabytes < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no rate in MB/s")
    return megabytes


class Command(BaseCommand):
    """Exit 0: all as recorded. 1: findings, printed. 2: wrong use or could not run."""

    help = "Read every blob and compare it with the records. Repairs nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """How it is told, and how fast it reads."""
        parser.add_argument("--json", action="store_true", help="one object on stdout")
        parser.add_argument(
            "--resume", action="store_true", help="go on where the last one broke off"
        )
        parser.add_argument("--rate", type=rate, help="MB/s that are read at most")
        parser.add_argument(
            "--all-ages", action="store_true", help="also what came in the last day"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and print what was found."""
        rate_limit = options["rate"]
        try:
            report = check_store(
                instant=clock.now(),
                resume=options["resume"],
                all_ages=options["all_ages"],
                pace=Pace(rate_limit * MEGABYTE if rate_limit else None),
            )
        except ValidationError as refusal:
            self._stop(" ".join(refusal.messages))
        except (OSError, DatabaseError) as failure:
            self._stop(str(failure))
        else:
            self._print_report(report, as_json=options["json"])

    def _print_report(self, report: StoreReport, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(asdict(report)))
        else:
            self._print(report)
        if report.findings:
            sys.exit(FOUND)

    def _print(self, report: StoreReport) -> None:
        for finding in report.findings:
            on = (
                f" (evidence {', '.join(finding.evidence)})" if finding.evidence else ""
            )
            self.stdout.write(
                f"{finding.kind:10} {finding.sha256 or '-'} {finding.what}{on}"
            )
        checked = count_of(report.checked, "blob")
        findings = count_of(len(report.findings), "finding")
        summary = f"{checked} checked, {findings}."
        self.stdout.write(summary)

    def _stop(self, sentence: str) -> None:
        self.stderr.write(sentence)
        sys.exit(COULD_NOT)
