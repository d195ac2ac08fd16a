"""A list of requests as a file, and what holds where its rows say nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from controls.base_form import Form
from controls.grammar import size_in_words
from controls.models import System, Team
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input
from evidence.requests.list_plan import Defaults, contributing_teams
from evidence.requests.list_rows import MAX_BYTES, MAX_ROWS
from evidence.requests.requests import MAX_DUE_AHEAD

DAYS_TO_ANSWER = dt.timedelta(days=14)


class RequestListForm(Form):
    """The file; the day and the team of rows that name none."""

    file = forms.FileField(
        label="Your list",
        help_text=f"CSV or XLSX, at most {MAX_ROWS} rows and"
        f" {size_in_words(MAX_BYTES)}.",
    )
    due_on = DayField(
        label="To be answered by",
        widget=day_input(),
        help_text="That day included; for rows that name no day.",
    )
    team = forms.ModelChoiceField(
        Team.objects.none(),
        label="Asked of the team",
        required=False,
        empty_label="The owner of the controls",
        help_text="For rows that name no team and whose controls have no one owner.",
    )

    def __init__(
        self, *args: Any, system: System, today: dt.date, **kwargs: Any
    ) -> None:
        kwargs.setdefault("initial", {"due_on": today + DAYS_TO_ANSWER})
        super().__init__(*args, **kwargs)
        self.today = today
        teams = [team.pk for team in contributing_teams(system)]
        choices = Team.objects.filter(pk__in=teams)
        self.fields["team"].queryset = choices  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        """Refused by its size before anybody reads it."""
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            limit = size_in_words(MAX_BYTES)
            raise forms.ValidationError(f"The file is larger than {limit}.")
        return file

    def clean_due_on(self) -> dt.date:
        """From today on, within two years."""
        day: dt.date = self.cleaned_data["due_on"]
        if day < self.today:
            raise forms.ValidationError("That day has passed.")
        if day > self.today + MAX_DUE_AHEAD:
            raise forms.ValidationError("Ask for a day within the next two years.")
        return day

    def defaults(self) -> Defaults:
        """What holds where a row says nothing."""
        return Defaults(self.cleaned_data["due_on"], self.cleaned_data["team"])
