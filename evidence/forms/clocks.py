"""The two clocks of a page: the day it is about, and how much is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from controls.models import System
from evidence.facts import Moment

DAY = forms.DateInput(attrs={"type": "date"})


class KnownField(forms.Field):
    """A day (known at its end) or an instant with an offset; empty means now."""

    widget = forms.DateInput(attrs={"type": "date"})

    def to_python(self, value: Any) -> dt.date | dt.datetime | None:
        """The day or the instant. Raises ValidationError naming the text."""
        text = str(value or "").strip()
        if not text:
            return None
        try:
            if len(text) == 10:
                return dt.date.fromisoformat(text)
            instant = parse_datetime(text.replace(" ", "+"))
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            raise forms.ValidationError(f"“{text}” is not a day such as 2026-06-30.")
        return instant


class ClockForm(forms.Form):
    """Both clocks as GET parameters; empty fields mean today and now."""

    on = forms.DateField(label="As of day", required=False, widget=DAY)
    known_at = KnownField(label="Known at end of day", required=False)


@dataclass(frozen=True)
class Clocks:
    """What a page was asked: its moment, and the words its header shows."""

    system: System
    moment: Moment
    form: ClockForm
    today: dt.date

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
    def query(self) -> str:
        """The GET parameters that ask for the same moment on another page."""
        parts = []
        if self.moment.on != self.today:
            parts.append(f"on={self.moment.on.isoformat()}")
        if self.form.data.get("known_at") and self.moment.known_at:
            parts.append(f"known_at={self.form.data['known_at']}")
        return "&".join(parts).replace("+", "%2B")


def clocks_of(request: HttpRequest, system: System) -> Clocks:
    """The clocks a request asks for; what is no day is named on the form.

    The outermost reader of the clock: nothing below a view looks at it.
    """
    today = system.day_of(timezone.now())
    form = ClockForm(request.GET)
    form.is_valid()
    day = form.cleaned_data.get("on") or today
    return Clocks(system, Moment(day, _bound(system, form)), form, today)


def _bound(system: System, form: ClockForm) -> dt.datetime | None:
    known = form.cleaned_data.get("known_at")
    if known is None or isinstance(known, dt.datetime):
        return known
    end = system.end_of_day(known)
    return None if end > timezone.now() else end
