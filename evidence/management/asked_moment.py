"""What commands share that answer about a system: its name, both clocks, the window."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from controls.errors import Refused
from controls.models import System
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


class AskedMoment(BaseCommand):
    """`SYSTEM [--as-of DAY] [--known-at INSTANT] [--window-from DAY --window-to DAY]`.

    `--as-of` alone means as it was known then. Exit 2 on wrong use.
    """

    name_a_system = "Name a system."

    def add_arguments(self, parser: CommandParser) -> None:
        """Names and meanings are fixed: scripts call them."""
        parser.add_argument("system", nargs="?", help="slug of the system")
        parser.add_argument("--as-of", help="day, YYYY-MM-DD")
        parser.add_argument("--known-at", help="instant, ISO 8601 with offset")
        parser.add_argument("--window-from", help="first day of another audit window")
        parser.add_argument("--window-to", help="its last day")

    def asked_system(self, options: dict[str, Any]) -> System:
        """The system that is named; exits with 2 where there is none."""
        slug = options["system"]
        if not slug:
            self.refuse(self.name_a_system)
        system = System.objects.filter(slug=slug).first()
        if system is None:
            known = ", ".join(System.objects.values_list("slug", flat=True)[:20])
            self.refuse(f"There is no system “{slug}”. Known: {known or 'none'}.")
        return system

    def asked_moment(self, system: System, options: dict[str, Any]) -> Moment:
        """The day the answer is about and what is known; today with all of it."""
        as_of, known_at = options["as_of"], options["known_at"]
        day = self._day(as_of) if as_of else None
        if known_at:
            return moment_of(system, day, self._instant(known_at))
        return as_known_then(system, day) if day else moment_of(system, None, None)

    def asked_window(
        self, system: System, moment: Moment, options: dict[str, Any]
    ) -> Window:
        """The window that is named, else the system's as known at the moment."""
        start, end = options["window_from"], options["window_to"]
        if not start and not end:
            return window_of(system, moment.known_at)
        if not start or not end:
            self.refuse("Give both --window-from and --window-to, or none.")
        window = self._day(start, "--window-from"), self._day(end, "--window-to")
        try:
            refuse_window(*window)
        except Refused as refusal:
            self.refuse(" ".join(refusal.messages))
        return window

    def _day(self, text: str, option: str = "--as-of") -> dt.date:
        try:
            return parse_day(text)
        except ClockError as fault:
            self.refuse(f"{option} {fault}")

    def _instant(self, text: str) -> dt.datetime:
        try:
            return parse_instant(text)
        except ClockError as fault:
            self.refuse(f"--known-at {fault}")

    def refuse(self, sentence: str) -> NoReturn:
        """Say what is wrong and exit with 2."""
        self.stderr.write(sentence)
        sys.exit(WRONG_USE)
