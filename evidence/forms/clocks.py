"""The two clocks of a page: the day it is about, and how much is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from controls.errors import Refused
from controls.models import System
from evidence.status.clocks import Clocks
from evidence.status.control_status import Window, refuse_window, window_of
from evidence.status.gather import Moment
from srm_project.requests import SignedInRequest

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
    window_from = forms.DateField(label="Window from", required=False, widget=DAY)
    window_to = forms.DateField(label="Window to", required=False, widget=DAY)

    def clean(self) -> dict[str, Any]:
        """A window has both days, in order."""
        said = super().clean() or self.cleaned_data
        start, end = said.get("window_from"), said.get("window_to")
        if (start is None) != (end is None):
            self.add_error("window_to", "Give both days of a window, or none.")
        elif start and end:
            try:
                refuse_window(start, end)
            except Refused as refusal:
                self.add_error(None, refusal)
        return said


@dataclass(frozen=True)
class PageClocks(Clocks):
    """The clocks with the form that asks for other ones."""

    form: ClockForm


def clocks_of(request: SignedInRequest, system: System) -> PageClocks:
    """The clocks a request asks for; what is no day is named on the form.

    The outermost reader of the clock: nothing below a view looks at it.
    """
    today = system.day_of(timezone.now())
    form = ClockForm(request.GET)
    form.is_valid()
    day = form.cleaned_data.get("on") or today
    known_at = _bound(system, form)
    window = _window(system, form, known_at)
    known_at_text = form.data.get("known_at", "")
    return PageClocks(system, Moment(day, known_at), today, window, known_at_text, form)


def _window(system: System, form: ClockForm, known_at: dt.datetime | None) -> Window:
    start, end = (form.cleaned_data.get(n) for n in ("window_from", "window_to"))
    return (start, end) if start and end else window_of(system, known_at)


def _bound(system: System, form: ClockForm) -> dt.datetime | None:
    known = form.cleaned_data.get("known_at")
    if known is None or isinstance(known, dt.datetime):
        return known
    if known >= system.day_of(timezone.now()):
        return None  # that day has not ended
    return system.end_of_day(known)
