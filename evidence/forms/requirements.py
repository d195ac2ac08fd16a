"""What is asked of one half, as officers type it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms

from controls.base_form import Form
from controls.models import Actor, ControlImplementation, Team
from evidence.artifacts.remarks import user_controls_of
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input
from evidence.forms.reasons import ReasonField
from evidence.models import ReportRemark, RequirementControl
from evidence.models.asks import Cadence, PopulationCadence, Purpose
from evidence.requirements.changes import NewTerms
from evidence.status.cadence import EXPIRING_DAYS


class RequirementForm(Form):
    """One requirement; `version` is what the form was opened on."""

    title = forms.CharField(max_length=200)
    guidance = forms.CharField(
        label="What to do",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="In plain words, for people who have never read the catalog.",
    )
    good_proof = forms.CharField(
        label="What a good proof shows",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    cadence = forms.ChoiceField(label="How often", choices=Cadence.choices)
    population_cadence = forms.ChoiceField(
        label="Populations are drawn",
        required=False,
        choices=PopulationCadence.choices,
        initial=PopulationCadence.QUARTERLY,
        help_text="Only of what is asked per event: which days one population covers.",
    )
    rarer_because = ReasonField(
        label="Why less often than the baseline",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Only where the baseline's own parameter asks more often.",
    )
    purpose = forms.ChoiceField(
        label="It shows", choices=Purpose.choices, initial=Purpose.OPERATION
    )
    owner_team = forms.ModelChoiceField(
        Team.objects.all(),
        label="Team",
        required=False,
        empty_label="The team that owns the control",
    )
    grace_days = forms.IntegerField(
        label="Days of grace",
        required=False,
        min_value=1,
        max_value=180,
        help_text="After the last day of a period. Empty: 15 % of the period.",
    )
    lead_days = forms.IntegerField(
        label="Remind so many days before",
        required=False,
        min_value=1,
        max_value=180,
        help_text=f"Empty: {EXPIRING_DAYS} days, or a third of the period"
        " if that is less.",
    )
    what_it_shows = forms.CharField(
        label="What in it proves this control",
        required=False,
        max_length=200,
        help_text="One line, for whoever uploads and reviews.",
    )
    operates_from = DayField(
        label="Asked from",
        widget=day_input(),
        help_text="Another day than before, where either lies back, changes the past:"
        " a second officer decides.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean_population_cadence(self) -> str:
        """As it is where nobody says otherwise: quarterly."""
        stated: str = self.cleaned_data["population_cadence"]
        return stated or PopulationCadence.QUARTERLY

    def terms(self) -> NewTerms:
        """What the valid form says."""
        names = {field.name for field in dataclasses.fields(NewTerms)}
        return NewTerms(**{n: v for n, v in self.cleaned_data.items() if n in names})


class NewRequirementForm(RequirementForm):
    """One more requirement of a control, which a provider's report may expect."""

    user_control = forms.ModelChoiceField(
        ReportRemark.objects.none(),
        label="Expected by a provider's report",
        required=False,
        to_field_name="uuid",
        empty_label="No report expects it",
        help_text="Our half is then required, whatever the class of the control.",
        error_messages={
            "invalid_choice": "No report that stands expects this of us here."
        },
    )

    def __init__(
        self,
        *args: Any,
        implementation: ControlImplementation,
        user: Actor,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        ref_id, system = implementation.control.ref_id, implementation.system
        expected = user_controls_of(ref_id, user, system)
        self.fields["user_control"].queryset = expected  # type: ignore[attr-defined]
        if not (expected.exists() or self.data.get("user_control")):
            del self.fields["user_control"]


class ChangeForm(RequirementForm):
    """Other terms of a requirement, from a day on."""

    from_day = DayField(
        label="These terms hold from",
        required=False,
        widget=day_input(),
        help_text="Empty: today. From today or a later day your word is enough. An"
        " earlier day changes the past: a second officer decides, and answers know of"
        " it from then on.",
    )
    reason = ReasonField(
        label="Why the past is to be changed, or the grace so long",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Only where a second officer decides.",
    )

    @classmethod
    def about(cls, stored: RequirementControl, today: dt.date) -> ChangeForm:
        """The form as it is opened on a requirement."""
        names = {field.name for field in dataclasses.fields(NewTerms)} | {"version"}
        initial: dict[str, Any] = {
            name: getattr(stored, name) for name in names - {"owner_team"}
        }
        of_today = {"owner_team": stored.owner_team_id, "from_day": today}
        return cls(initial=initial | of_today)


class RetireForm(Form):
    """From when something is no longer asked, and why."""

    until = DayField(label="No longer asked from", widget=day_input())
    reason = ReasonField(label="Why", widget=forms.Textarea(attrs={"rows": 2}))


class RequirementFilter(Form):
    """Narrow the list of requirements."""

    q = forms.CharField(
        label="Control or title",
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "AC-2 or words of its title"}),
    )
    cadence = forms.ChoiceField(
        label="How often", required=False, choices=[("", "Any"), *Cadence.choices]
    )
    team = forms.ChoiceField(label="Team", required=False)

    def __init__(self, *args: Any, teams: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pairs = [("", "Any"), *((team, team) for team in sorted(set(teams)))]
        self.fields["team"].choices = pairs  # type: ignore[attr-defined]

    def filters(self) -> dict[str, str]:
        """The filters that make sense."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}
