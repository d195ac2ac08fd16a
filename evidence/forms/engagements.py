"""Making, renewing and ending an engagement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms

from controls.base_form import Form
from controls.engagements import EngagementDraft
from controls.models import User
from controls.models.engagements import EngagementKind
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input

RENEWED_FOR = dt.timedelta(days=89)  # offered: 90 days with today


class EngagementForm(Form):
    """An audit: of which kind, by which firm, over which days."""

    title = forms.CharField(
        label="Title",
        max_length=200,
        help_text="As the auditors call it, such as “SOC 2 Type II 2026”.",
    )
    kind = forms.ChoiceField(
        label="Kind",
        # the plain FedRAMP kind is that of engagements of before
        choices=[one for one in EngagementKind.choices if one[0] != "fedramp"],
        initial=EngagementKind.TYPE2,
    )
    firm = forms.CharField(label="Firm", max_length=200)
    window_start = DayField(label="Window from", widget=day_input())
    window_end = DayField(
        label="Window to",
        widget=day_input(),
        help_text="Both days count. A SOC 2 Type I is about one day: give it twice.",
    )

    def draft(self) -> EngagementDraft:
        """What was typed."""
        return EngagementDraft(**self.cleaned_data)


class RenewForm(Form):
    """Whose access is renewed, and until when."""

    people = forms.ModelMultipleChoiceField(
        User.objects.none(),
        label="Auditors",
        to_field_name="uuid",
        widget=forms.CheckboxSelectMultiple,
    )
    last_day = DayField(
        label="Last day",
        widget=day_input(),
        help_text="90 days from today at most. That day counts.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, auditors: Iterable[User], today: dt.date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        keys = [person.pk for person in auditors]
        field = self.fields["people"]
        field.queryset = User.objects.filter(pk__in=keys)  # type: ignore[attr-defined]
        self.fields["last_day"].initial = today + RENEWED_FOR


class EndEngagementForm(Form):
    """That an engagement ends now, as it was seen."""

    version = forms.IntegerField(widget=forms.HiddenInput)
