"""The two clocks of a page: the day it is about, and how much is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict

from controls import clock
from controls.base_form import Form
from controls.models import System
from evidence.status.clock_parameters import (
    ClockError,
    Window,
    parse_day,
    read_clocks,
)
from evidence.status.clocks import Clocks, moment_from, window_from
from evidence.status.control_status import window_of
from srm_project.requests import SignedInRequest

DAY = forms.DateInput(attrs={"type": "date"})


class DayField(forms.DateField):
    """A day within the bounds of all clocks, written as 2026-06-30."""

    def to_python(self, value: Any) -> dt.date | None:
        """The day; None for an empty field. Raises ValidationError."""
        if value in self.empty_values or isinstance(value, dt.date):
            return super().to_python(value)
        try:
            return parse_day(str(value))
        except ClockError as fault:
            raise forms.ValidationError(fault.sentence, fault.code) from fault


class ClockForm(Form):
    """Both clocks and the window as GET parameters; empty ones mean today and now.

    The texts are read by `read_clocks`, as those of the API are; `cleaned_data`
    holds nothing but what it read, under `clocks`.
    """

    data: QueryDict  # of a GET form: each name may come twice

    on = forms.Field(label="As of day", required=False, widget=DAY)
    known_at = forms.Field(label="Known at end of day", required=False, widget=DAY)
    window_from = forms.Field(label="Window from", required=False, widget=DAY)
    window_to = forms.Field(label="Window to", required=False, widget=DAY)

    def clean(self) -> dict[str, Any]:
        """Each fault stands at its field; one without a field above the form."""
        named = read_clocks(dict(self.data.lists()))
        for fault in named.faults:
            field = fault.parameter if fault.parameter in self.fields else None
            self.add_error(field, forms.ValidationError(fault.sentence, fault.code))
        return {"clocks": named}


@dataclass(frozen=True)
class PageClocks(Clocks):
    """The clocks with the form that asks for other ones."""

    form: ClockForm = field(kw_only=True)


def clocks_of(
    request: SignedInRequest, system: System, *, own: Window | None = None
) -> PageClocks:
    """The clocks a request asks for; what is no day is named on the form.

    `own` is the window of a page where none is named, other than the system's.
    The outermost reader of the clock: nothing below a view looks at it.
    """
    now = clock.now()
    today = system.day_of(now)
    form = ClockForm(request.GET)
    named = read_clocks(dict(request.GET.lists()))
    form.is_valid()
    moment = moment_from(system, named, now=now)
    of_system = window_of(system, moment.known_at)
    window = named.window or own or window_from(system, named, moment)
    own_window = window == of_system and own in (None, of_system)
    known_at_text = named.known.isoformat() if named.known else ""
    if named.as_known_then and named.on:
        known_at_text = str(named.on)
    page_clocks = PageClocks(
        system,
        moment,
        today,
        window,
        known_at_text,
        window_named=not own_window,
        form=form,
    )
    # `evidence.views.carried_clocks` takes them along the links of the page
    request.clocks_query = page_clocks.query
    return page_clocks
