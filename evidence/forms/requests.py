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
from evidence.models import Evidence, EvidenceRequest
from evidence.models.requests import EvidenceRequestState
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
    what = forms.CharField(
        label="In more words",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Which days, which systems, what it should show.",
    )
    control_ids = forms.CharField(
        label="About the controls",
        help_text="Ids, separated by commas: AC-2, AC-2(1), SI-2.",
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


class EvidenceChoices(forms.ModelMultipleChoiceField):
    """Evidence by title, team and newest day."""

    def label_from_instance(self, obj: Any) -> str:
        """As the tick box reads."""
        return f"{obj.title} ({obj.team}, {obj.known_from:%Y-%m-%d})"


class AnswerForm(Form):
    """Evidence that is here already, and a word about it."""

    evidence = EvidenceChoices(
        Evidence.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    note = ReasonField(
        label="A word about it", required=False, widget=forms.Textarea({"rows": 2})
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, offered: QuerySet[Evidence], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["evidence"].queryset = offered  # type: ignore[attr-defined]


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


def offered(request: EvidenceRequest, mine: QuerySet[Evidence]) -> QuerySet[Evidence]:
    """The newest evidence of the controls asked about, then of the team; 50 at most."""
    about = mine.filter(
        revisions__links__implementation__in=request.controls.all()
    ).values("pk")
    of_team = mine.filter(team=request.team_id).values("pk")
    newest = mine.filter(pk__in=about.union(of_team).values("pk")).order_by("-pk")[:50]
    return mine.filter(pk__in=list(newest.values_list("pk", flat=True)))
