"""Print the control status of a system, for scripts."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from controls.errors import Refused
from controls.models import System
from evidence.exports.status_csv import lines
from evidence.exports.status_rows import documents
from evidence.status.clock_parameters import ClockError, parse_day, parse_instant
from evidence.status.control_status import (
    Window,
    as_known_then,
    moment_of,
    refuse_window,
    window_of,
)
from evidence.status.gather import Moment

WRONG_USE = 2


class Command(BaseCommand):
    """`control_status SYSTEM [--as-of DAY] [--known-at INSTANT] [--format csv|json]`.

    `--as-of` alone means as it was known then. Exit 2 on wrong use.
    """

    help = "Print each control of a system with both halves and the verdict."

    def add_arguments(self, parser: CommandParser) -> None:
        """Names and meanings are fixed: scripts call them."""
        parser.add_argument("system", nargs="?", help="slug of the system")
        parser.add_argument("--list", action="store_true", help="print the slugs")
        parser.add_argument("--as-of", help="day, YYYY-MM-DD")
        parser.add_argument("--known-at", help="instant, ISO 8601 with offset")
        parser.add_argument("--window-from", help="first day of another audit window")
        parser.add_argument("--window-to", help="its last day")
        parser.add_argument("--format", choices=["csv", "json"], default="json")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print, or say what is wrong and exit with 2."""
        if options["list"]:
            slugs = list(System.objects.order_by("slug").values_list("slug", flat=True))
            for slug in slugs:
                self.stdout.write(slug)
            if not slugs:
                self.stderr.write("There is no system yet.")
            return
        system = self._system(options["system"])
        moment = self._moment(system, options["as_of"], options["known_at"])
        window = self._window(system, moment, options)
        try:
            rows = list(documents(system, moment, window))
        except LookupError as absent:
            self._refuse(str(absent))
        if options["format"] == "json":
            self.stdout.write(json.dumps(rows, indent=1, ensure_ascii=False))
        else:
            marks = "demo / imported history" if system.demo else ""
            self.stdout.write(b"".join(lines(rows, marks=marks)).decode(), ending="")

    def _system(self, slug: str | None) -> System:
        if not slug:
            self._refuse("Name a system, or use --list.")
        system = System.objects.filter(slug=slug).first()
        if system is None:
            known = ", ".join(System.objects.values_list("slug", flat=True)[:20])
            self._refuse(f"There is no system “{slug}”. Known: {known or 'none'}.")
        return system

    def _moment(
        self, system: System, as_of: str | None, known_at: str | None
    ) -> Moment:
        day = self._day(as_of) if as_of else None
        if known_at:
            return moment_of(system, day, self._instant(known_at))
        return as_known_then(system, day) if day else moment_of(system, None, None)

    def _window(
        self, system: System, moment: Moment, options: dict[str, Any]
    ) -> Window:
        start, end = options["window_from"], options["window_to"]
        if not start and not end:
            return window_of(system, moment.known_at)
        if not start or not end:
            self._refuse("Give both --window-from and --window-to, or none.")
        window = self._day(start, "--window-from"), self._day(end, "--window-to")
        try:
            refuse_window(*window)
        except Refused as refusal:
            self._refuse(" ".join(refusal.messages))
        return window

    def _day(self, text: str, option: str = "--as-of") -> dt.date:
        try:
            return parse_day(text)
        except ClockError as fault:
            self._refuse(f"{option} {fault}")

    def _instant(self, text: str) -> dt.datetime:
        try:
            return parse_instant(text)
        except ClockError as fault:
            self._refuse(f"--known-at {fault}")

    def _refuse(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(WRONG_USE)
