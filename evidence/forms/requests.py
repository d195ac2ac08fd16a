"""Asking for evidence, answering, and judging the answer."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.db.models import QuerySet

from controls.base_form import Form
from controls.models import Actor, Role, System, Team, User
from evidence.forms.clocks import DayField
from evidence.forms.reasons import ReasonField
from evidence.forms.upload_fields import DayInput
from evidence.models import Evidence, LinkState
from evidence.models.requests import MAX_NUMBER, EvidenceRequestState
from evidence.requests.requests import RequestDraft

STATES = [
    ("", "Any"),
    ("unsettled", "Not settled"),
    ("overdue", "Overdue"),
    *EvidenceRequestState.choices,
]


def ids_in(text: str) -> list[str]:
    """Control ids as people list them: by comma, semicolon or line."""
    return [part.strip() for part in re.split(r"[,;\n]+", text) if part.strip()]


class RequestDraftForm(Form):
    """What, about which controls, of whom, by when."""

    title = forms.CharField(label="What you want to see", max_length=200)
    number = forms.CharField(
        label="Your number for it",
        required=False,
        max_length=MAX_NUMBER,
        help_text="As it stands in a list of yours, such as PBC-12.",
    )
    what = forms.CharField(
        label="Details",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Which days, which systems, what it should show.",
    )
    control_ids = forms.CharField(
        label="About the controls",
        widget=forms.Textarea(attrs={"rows": 1}),
        help_text=(
            "Ids, separated by commas: AC-2, AC-2(1), SI-2. AC stands for its whole"
            " family, and all for the whole baseline."
        ),
    )
    team = forms.ModelChoiceField(Team.objects.none(), label="Asked of the team")
    person = forms.ModelChoiceField(
        User.objects.none(),
        label="Asked of the person",
        required=False,
        empty_label="Anybody in the team",
    )
    due_on = DayField(label="By", widget=DayInput)

    def __init__(self, *args: Any, system: System, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = system.memberships.active().filter(role=Role.CONTRIBUTOR)
        teams = Team.objects.filter(pk__in=here.values("team"))
        people = User.objects.filter(pk__in=here.values("user"))
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]
        self.fields["person"].queryset = people.order_by(  # type: ignore[attr-defined]
            "name"
        )

    def draft(self) -> RequestDraft:
        """What the valid form says, as `ask_for` takes it."""
        fields = dict(self.cleaned_data)
        return RequestDraft(control_ids=ids_in(fields.pop("control_ids")), **fields)


class AnswerForm(Form):
    """Evidence that is here already, and a word about it."""

    evidence = forms.ModelMultipleChoiceField(
        Evidence.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose the evidence that answers it."},
    )
    note = ReasonField(label="Note", required=False, widget=forms.Textarea({"rows": 2}))
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, answerable: QuerySet[Evidence], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["evidence"].queryset = answerable  # type: ignore[attr-defined]


class OfferedFilter(Form):
    """Which evidence to offer as an answer."""

    q = forms.CharField(label="Title or control", required=False, max_length=200)
    state = forms.ChoiceField(choices=[("", "Any"), *LinkState.choices], required=False)
    day = DayField(label="About the day", widget=DayInput, required=False)

    def narrowing(self) -> dict[str, Any]:
        """What can be read of it, as `offered` takes it."""
        self.is_valid()
        fields = self.cleaned_data
        return {
            "query": fields.get("q", ""),
            "state": fields.get("state", ""),
            "day": fields.get("day"),
        }


class AnswerDecisionForm(Form):
    """A reason, and the version that was on the screen."""

    reason = ReasonField(required=False)
    version = forms.IntegerField(min_value=1)


class RequestFilter(Form):
    """Which requests to list."""

    system = forms.ChoiceField(required=False)
    state = forms.ChoiceField(choices=STATES, required=False)

    def __init__(self, *args: Any, user: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = System.objects.visible_to(user).order_by("name")
        self.fields["system"].choices = [  # type: ignore[attr-defined]
            ("", "All"),
            *mine.values_list("slug", "name"),
        ]

    def filters(self) -> dict[str, str]:
        """What can be read of it."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}
