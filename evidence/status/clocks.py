"""The day an answer is about and how much is known, with the words for both."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from controls.models import System
from evidence.status.clock_parameters import ClockParameters, Window
from evidence.status.control_status import as_known_then, window_of
from evidence.status.gather import Moment
from evidence.status.rules import RULES, rules_then


def moment_from(system: System, named: ClockParameters, *, now: dt.datetime) -> Moment:
    """The moment that parameters name: today with all knowledge unless they do.

    `as_known_then` bounds what is known by the end of the day that is named with it,
    whatever `known_at` says; without such a day it changes nothing. A known day that
    has not ended, and an instant that has not come, mean all that is known: nobody
    shows today's answer as one known later.
    """
    today = system.day_of(now)
    if named.as_known_then and named.on:
        known = as_known_then(system, named.on).known_at
    elif isinstance(named.known, dt.datetime) or named.known is None:
        known = named.known
    else:
        known = system.end_of_day(named.known)
    if known is not None and known > now:
        known = None
    return Moment(on=named.on or today, known_at=known)


def window_from(system: System, named: ClockParameters, moment: Moment) -> Window:
    """The audit window that parameters name, else the system's as known then."""
    return named.window or window_of(system, moment.known_at)


@dataclass(frozen=True)
class Clocks:
    """What a page was asked: its moment, and the words its header shows."""

    system: System
    moment: Moment
    today: dt.date
    window: Window
    # as it was typed: a day stays a day on the next page
    known_at_text: str
    # whether the window was asked for, and is not the system's own as known then
    window_named: bool = False

    @property
    def other_window(self) -> bool:
        """Whether a window was asked for that is not the system's own."""
        return self.window != window_of(self.system)

    @property
    def now(self) -> bool:
        """Whether the answer is about today with all that is known."""
        return self.moment.on == self.today and self.moment.known_at is None

    @property
    def known_text(self) -> str:
        """How much is known, as the header says it."""
        if self.moment.known_at is None:
            return "now"
        known = self.moment.known_at.astimezone(self.system.zone)
        return f"{known:%Y-%m-%d %H:%M} {self.system.time_zone}"

    @property
    def rules(self) -> int:
        """The number of the rules that judge here (R35)."""
        return RULES

    @property
    def rules_then(self) -> int | None:
        """The number in force at the instant of what is known, where it is another."""
        return rules_then(self.moment.known_at)

    @property
    def query(self) -> str:
        """The GET parameters that ask for the same moment on another page."""
        parts = []
        if self.moment.on != self.today:
            parts.append(f"on={self.moment.on.isoformat()}")
        if self.known_at_text and self.moment.known_at:
            parts.append(f"known_at={self.known_at_text}")
        if self.window_named:
            start, end = self.window
            parts.append(f"window_from={start}&window_to={end}")
        return "&".join(parts).replace("+", "%2B")
