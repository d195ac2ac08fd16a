"""Which month and team a calendar shows; the days of the next audit window."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django import forms

from controls.base_form import Form
from controls.errors import Refused
from controls.models import System, Team
from evidence.forms.clocks import DayField
from evidence.forms.reasons import ReasonField
from evidence.forms.upload_fields import DayInput
from evidence.status.clock_parameters import MAX_DAY, MIN_DAY
from evidence.status.control_status import refuse_window

MONTH = re.compile(r"^(\d{4})-(0[1-9]|1[0-2])$")


@dataclass(frozen=True)
class Month:
    """One month as people page through it."""

    first: dt.date

    @property
    def last(self) -> dt.date:
        """Its last day."""
        days = calendar.monthrange(self.first.year, self.first.month)[1]
        return self.first.replace(day=days)

    @property
    def before(self) -> str:
        """The month before, as the address says it; empty before the first there is."""
        return _month_with(self.first - dt.timedelta(days=1))

    @property
    def after(self) -> str:
        """The month after, as the address says it; empty after the last there is."""
        return _month_with(self.last + dt.timedelta(days=1))

    def weeks(self) -> list[list[dt.date]]:
        """Weeks from Monday to Sunday that hold a day of it."""
        return calendar.Calendar().monthdatescalendar(self.first.year, self.first.month)


def _month_with(day: dt.date) -> str:
    return f"{day:%Y-%m}" if MIN_DAY <= day <= MAX_DAY else ""


def month_of(text: str, today: dt.date) -> Month:
    """The month an address names, such as 2026-11; this month for anything else."""
    match = MONTH.match(text)
    if match and MIN_DAY.year <= int(match[1]) <= MAX_DAY.year:
        return Month(dt.date(int(match[1]), int(match[2]), 1))
    return Month(today.replace(day=1))


class TeamFilter(Form):
    """One team, or all."""

    team = forms.ModelChoiceField(
        Team.objects.all(), to_field_name="slug", required=False, empty_label="All"
    )
    month = forms.CharField(widget=forms.HiddenInput, required=False)


class WindowDaysForm(Form):
    """Other days for the audit window that a system has."""

    window_start = DayField(label="First day", widget=DayInput)
    window_end = DayField(label="Last day", widget=DayInput)
    reason = ReasonField(
        label="Why the days change",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed where days fall out; the second officer reads it.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def about(cls, system: System) -> WindowDaysForm:
        """The form filled in with the days as they are."""
        names = ("window_start", "window_end", "version")
        return cls(initial={name: getattr(system, name) for name in names})

    def clean(self) -> dict[str, Any]:
        """In order, and no longer than a window may be."""
        cleaned = super().clean() or self.cleaned_data
        _refuse_days(self, cleaned.get("window_start"), cleaned.get("window_end"))
        return cleaned


class NextWindowForm(Form):
    """First and last day of the next audit window."""

    window_from = DayField(label="First day", widget=DayInput)
    window_to = DayField(label="Last day", widget=DayInput)

    def clean(self) -> dict[str, Any]:
        """In order, and no longer than a window may be."""
        cleaned = super().clean() or self.cleaned_data
        _refuse_days(self, cleaned.get("window_from"), cleaned.get("window_to"))
        return cleaned


def _refuse_days(form: Form, start: dt.date | None, end: dt.date | None) -> None:
    """An error above the form for days that are no window."""
    if start and end:
        try:
            refuse_window(start, end)
        except Refused as refusal:
            form.add_error(None, refusal.messages)
