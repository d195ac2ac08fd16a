"""Making, renewing and ending an engagement."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet

from controls.base_form import Form
from controls.engagement_scope import MAX_TYPED
from controls.engagements import EngagementDraft
from controls.models import System, User
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

    systems = forms.ModelMultipleChoiceField(
        System.objects.none(),
        label="Other systems of the same audit",
        to_field_name="slug",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Each keeps its own access, scope and marks; inviting an auditor here"
        " lets them into all of them.",
    )

    def __init__(self, *args: Any, others: QuerySet[System], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["systems"].queryset = others  # type: ignore[attr-defined]
        if not others.exists():
            del self.fields["systems"]

    def draft(self) -> EngagementDraft:
        """What was typed, without its systems."""
        names = [field.name for field in dataclasses.fields(EngagementDraft)]
        return EngagementDraft(**{name: self.cleaned_data[name] for name in names})

    @property
    def others(self) -> list[System]:
        """The other systems that were chosen."""
        return list(self.cleaned_data.get("systems", ()))


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
    everywhere = forms.BooleanField(
        label="Also in the other systems of this audit", required=False
    )

    def __init__(
        self, *args: Any, auditors: Iterable[User], today: dt.date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        keys = [person.pk for person in auditors]
        field = self.fields["people"]
        field.queryset = User.objects.filter(pk__in=keys)  # type: ignore[attr-defined]
        self.fields["last_day"].initial = today + RENEWED_FOR


class ScopeForm(Form):
    """Which controls an audit is about: ticked, or pasted."""

    which = forms.ChoiceField(
        label="This audit is about",
        choices=[("baseline", "The whole baseline"), ("chosen", "Chosen controls")],
        widget=forms.RadioSelect,
    )
    pasted = forms.CharField(
        label="Add controls from a list",
        required=False,
        max_length=MAX_TYPED,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Such as AC-2, AC-2(1), AU-6, or numbers of the regime that controls"
        " answer to, such as CC6.1, A.5.15 or PCI 8.3; separated by commas or lines."
        " Nothing is saved while one of them is neither.",
    )
    reason = forms.CharField(
        label="Why controls are taken out",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed once auditors were let in; they read it, and it stands in"
        " every file of the audit. Controls that they have begun with stay.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class SystemToAddForm(Form):
    """Which system joins an audit, and whether its auditors read there at once."""

    system = forms.ModelChoiceField(
        System.objects.none(),
        label="System",
        to_field_name="slug",
        error_messages={
            "invalid_choice": "Choose a system in which you are an officer, and that"
            " this audit does not cover yet."
        },
        help_text="One in which you are an officer. It keeps its own access, scope and"
        " marks.",
    )
    let_in = forms.BooleanField(
        label="Let the auditors of this engagement in there too, to the same last day",
        required=False,
        initial=True,
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, systems: QuerySet[System], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["system"].queryset = systems  # type: ignore[attr-defined]


class TakeOutForm(Form):
    """Why a system is taken out of an audit."""

    reason = forms.CharField(
        label="Why this system is taken out",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class EndEngagementForm(Form):
    """That an engagement ends now, as it was seen."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    everywhere = forms.BooleanField(
        label="Also in the other systems of this audit", required=False
    )
