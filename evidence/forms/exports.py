"""Which system, about which day, in which format; the view of a page of controls."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from controls.base_form import Form
from controls.models import Actor, System
from evidence.exports.formats import CHOICES, DEFAULT
from evidence.exports.rows.scope import FILTERS
from evidence.forms.clocks import DayField
from evidence.forms.upload_fields import DayInput
from evidence.status.clock_parameters import Window, read_clocks
from evidence.status.control_status import as_known_then, today_of

MAX_FILTER = 200  # characters
CLOCKS_OF_A_VIEW = ("known_at", "window_from", "window_to")
OF_A_VIEW = (*FILTERS, *CLOCKS_OF_A_VIEW)


class ExportForm(Form):
    """A control status as a file. Hidden is what a page of controls was narrowed to."""

    system = forms.ModelChoiceField(
        queryset=System.objects.none(), to_field_name="slug"
    )
    format = forms.ChoiceField(choices=CHOICES, initial=DEFAULT, required=False)
    on = DayField(
        label="About the day",
        required=False,
        widget=DayInput,
        help_text="If empty, today in the time zone of the system.",
    )
    as_known_then = forms.BooleanField(
        required=False,
        label="Only what was known on that day",
        help_text="Otherwise what is recorded now, also about a past day.",
    )

    def __init__(self, *args: Any, user: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["system"]
        field.queryset = System.objects.visible_to(user)  # type: ignore[attr-defined]
        for name in OF_A_VIEW:
            self.fields[name] = forms.CharField(
                required=False, max_length=MAX_FILTER, widget=forms.HiddenInput
            )

    def clean(self) -> dict[str, Any]:
        """The instant and the window of the view, read as those of pages are."""
        cleaned = super().clean() or {}
        texts = {name: [cleaned.get(name) or ""] for name in CLOCKS_OF_A_VIEW}
        named = read_clocks(texts)
        for fault in named.faults:
            self.add_error(None, forms.ValidationError(fault.sentence, fault.code))
        return {**cleaned, "clocks": named}

    @property
    def asked_day(self) -> dt.date:
        """The day it is about: today of the system, where none is named."""
        day: dt.date | None = self.cleaned_data["on"]
        return day or today_of(self.cleaned_data["system"])

    @property
    def known_at(self) -> dt.datetime | None:
        """The instant of what is known; None for all that is recorded now."""
        system = self.cleaned_data["system"]
        if self.cleaned_data["as_known_then"]:
            return as_known_then(system, self.asked_day).known_at
        known = self.cleaned_data["clocks"].known
        if known is None or isinstance(known, dt.datetime):
            instant: dt.datetime | None = known
            return instant
        return as_known_then(system, known).known_at

    @property
    def window(self) -> Window | None:
        """The window of the view; None for the system's own."""
        window: Window | None = self.cleaned_data["clocks"].window
        return window

    @property
    def filters(self) -> dict[str, str]:
        """What narrows the controls, by the names of their page."""
        return {name: self.cleaned_data[name] for name in FILTERS}

    @property
    def format_name(self) -> str:
        """The format; the first one where none is named."""
        return self.cleaned_data["format"] or DEFAULT
