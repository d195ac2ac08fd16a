"""What is said of many rows in one act, and the words its page says it with.

One file: the forms of the acts, short each, share the words around them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from controls.applicability import REVIEW_AFTER
from controls.base_form import Form
from controls.grammar import count_of
from controls.models import ImplementationStatus, Role, System, Team
from controls.models.implementation_statements import STATEABLE
from evidence.bulk_acts.cadences import OFFERED
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input
from evidence.forms.reasons import ReasonField
from evidence.models.asks import Cadence
from evidence.models.reviews import ReviewDecision
from evidence.requests.requests import MAX_DUE_AHEAD

MAX_BUTTONS = 8  # teams offered as buttons; more become a list to choose from
DAYS_TO_ANSWER = dt.timedelta(days=14)


class BulkActForm(Form):
    """What an act says of each row. The sentences take a number of rows."""

    noun: ClassVar[str] = "control"
    heading: ClassVar[str]  # "Assign an owner to": the number follows
    step: ClassVar[str]  # the act alone, as a breadcrumb names it
    hint: ClassVar[str] = ""
    list_name: ClassVar[str] = "Controls"  # of the page they were chosen at
    column: ClassVar[str]  # what the table shows of before and after

    def __init__(
        self, *args: Any, system: System, today: dt.date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.system, self.today = system, today
        self.prepare()

    def prepare(self) -> None:
        """Choices and first values of this system and day."""

    def values(self) -> dict[str, Any]:
        """What the valid form says, as JSON takes it."""
        return {
            name: str(value) if isinstance(value, dt.date) else value
            for name, value in self.cleaned_data.items()
        }

    def quick(self) -> tuple[str, list[tuple[str, str]]] | None:
        """A field that a click on one of a few buttons fills, with its choices."""
        return None

    def title(self, number: int) -> str:
        """The heading before anything is said."""
        return f"{self.heading} {count_of(number, self.noun)}"

    def promise(self, number: int) -> str:
        """What the valid form would do to so many rows, as a button says it."""
        raise NotImplementedError

    def sentence(self, number: int) -> str:
        """What it has done to so many rows."""
        raise NotImplementedError


class OwnerForm(BulkActForm):
    """The team that owns them."""

    heading = "Assign an owner to"
    step = "Assign an owner"
    column = "Owner"

    nobody: ClassVar[str] = "Nobody"

    owner_team = forms.ModelChoiceField(Team.objects.all(), required=False)

    def prepare(self) -> None:
        """The field under the name of what it fills."""
        self.fields["owner_team"].label = self.column
        self.fields["owner_team"].empty_label = (  # type: ignore[attr-defined]
            self.nobody
        )

    def quick(self) -> tuple[str, list[tuple[str, str]]] | None:
        """A button for each team, where they are few."""
        teams = list(Team.objects.order_by("name")[: MAX_BUTTONS + 1])
        if not teams or len(teams) > MAX_BUTTONS:
            return None
        return "owner_team", [(str(team.pk), str(team)) for team in teams]

    def values(self) -> dict[str, Any]:
        """The key of the team."""
        team = self.cleaned_data["owner_team"]
        return {"owner_team": team.pk if team else None}

    def promise(self, number: int) -> str:
        team = self.cleaned_data["owner_team"]
        controls = count_of(number, self.noun)
        return (
            f"Assign {team} to {controls}" if team else f"Take the owner of {controls}"
        )

    def sentence(self, number: int) -> str:
        team = self.cleaned_data["owner_team"]
        if team is None:
            return f"{count_of(number, 'control', 'has')} no owner now."
        return f"{team} owns {count_of(number, 'more control')}."


class StatusForm(BulkActForm):
    """How far they are, and from which day on."""

    heading = "State the implementation of"
    step = "State implementation"
    column = "Status"
    hint = (
        "The record of each control shows the day you state it, and that many were"
        " stated at once."
    )

    implementation_status = forms.ChoiceField(label="Status", choices=STATEABLE)
    stated_from = DayField(
        label="From",
        widget=day_input(),
        help_text="Earlier than today only where nobody has said anything yet.",
    )

    def prepare(self) -> None:
        self.fields["stated_from"].initial = self.today

    def promise(self, number: int) -> str:
        status = ImplementationStatus(self.cleaned_data["implementation_status"])
        return f"State “{status.label}” of {count_of(number, self.noun)}"

    def sentence(self, number: int) -> str:
        status = ImplementationStatus(self.cleaned_data["implementation_status"])
        return f"“{status.label}” is stated of {count_of(number, self.noun)}."


class CadenceForm(BulkActForm):
    """How often they are asked."""

    noun = "ask"
    heading = "Change how often to perform"
    step = "Change how often"
    column = "How often"
    hint = "It holds from today; days before keep their cadence."

    cadence = forms.ChoiceField(label="How often", choices=OFFERED)
    rarer_because = ReasonField(
        label="Why less often than the baseline",
        required=False,
        widget=forms.Textarea(attrs={"rows": 1}),
        help_text="Only where the baseline's own parameter asks more often.",
    )

    def promise(self, number: int) -> str:
        word = str(Cadence(self.cleaned_data["cadence"]).label).lower()
        return f"Ask {count_of(number, self.noun)} {word}"

    def sentence(self, number: int) -> str:
        word = str(Cadence(self.cleaned_data["cadence"]).label).lower()
        changed = count_of(number, "ask", "is")
        return f"{changed} performed {word} from today."


class AskTeamForm(OwnerForm):
    """The team that is asked."""

    noun = "ask"
    heading = "Choose the team for"
    step = "Change the team"
    column = "Team"
    nobody = "The owner of each control"
    hint = "It holds from today; what was brought before stays as it is."

    def promise(self, number: int) -> str:
        team = self.cleaned_data["owner_team"] or "the owner of the control"
        return f"Give {count_of(number, self.noun)} to {team}"

    def sentence(self, number: int) -> str:
        team = self.cleaned_data["owner_team"] or "the owner of the control"
        return f"{count_of(number, 'ask', 'is')} asked of {team} from today."


class RequestForm(BulkActForm):
    """What is to be shown, by whom and by when."""

    heading = "Request evidence of"
    step = "Request evidence"
    column = "Request"
    hint = "Each team gets one request that names its controls."

    title_of_request = forms.CharField(label="What you want to see", max_length=200)
    what = forms.CharField(
        label="Details",
        required=False,
        widget=forms.Textarea(attrs={"rows": 1}),
        help_text="Which days, which systems, what it should show.",
    )
    team = forms.ModelChoiceField(
        Team.objects.none(),
        label="Asked of",
        required=False,
        empty_label="The owner of each control",
    )
    due_on = DayField(label="By", widget=day_input())

    def prepare(self) -> None:
        here = self.system.memberships.active().filter(role=Role.CONTRIBUTOR)
        teams = Team.objects.filter(pk__in=here.values("team"))
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]
        self.fields["due_on"].initial = self.today + DAYS_TO_ANSWER

    def clean_due_on(self) -> dt.date:
        """A day from today to two years ahead, as for one request."""
        day: dt.date = self.cleaned_data["due_on"]
        if day < self.today:
            raise forms.ValidationError(
                "That day has passed: choose today or a later day."
            )
        if day > self.today + MAX_DUE_AHEAD:
            raise forms.ValidationError("Ask for a day within the next two years.")
        return day

    def values(self) -> dict[str, Any]:
        """The title under the name that a request has."""
        fields = self.cleaned_data
        return {
            "title": fields["title_of_request"],
            "what": fields["what"],
            "team": fields["team"].pk if fields["team"] else None,
            "due_on": str(fields["due_on"]),
        }

    def promise(self, number: int) -> str:
        return f"Request evidence of {count_of(number, self.noun)}"

    def sentence(self, number: int) -> str:
        return f"Evidence of {count_of(number, self.noun)} is requested."


class LeaveOutForm(BulkActForm):
    """Why there is nothing here that they could be about."""

    heading = "Mark as not applicable:"
    step = "Mark as not applicable"
    column = "Applies"
    hint = "It is a request: another officer decides on each control."

    justification = ReasonField(
        label="What the requirement is about, and why there is none of it here",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="“AWS does it” is inherited, not “not applicable”.",
    )
    review_by = DayField(label="Look again by", widget=day_input())

    def prepare(self) -> None:
        self.fields["review_by"].initial = self.today + REVIEW_AFTER

    def promise(self, number: int) -> str:
        return f"Ask to leave out {count_of(number, self.noun)}"

    def sentence(self, number: int) -> str:
        return (
            f"{count_of(number, 'control', 'waits')} for a second officer. Nothing"
            " changes until then."
        )


class CitationForm(BulkActForm):
    """Whether the report counts for them."""

    noun = "citation"
    heading = "Decide on"
    step = "Confirm or reject citations"
    column = "Citation"
    hint = "Somebody other than who cited or registered the report decides."

    decision = forms.ChoiceField(label="Decision", choices=ReviewDecision.choices)
    reason = ReasonField(
        label="Reason",
        required=False,
        widget=forms.Textarea(attrs={"rows": 1}),
        help_text="A rejection says why.",
    )

    def clean(self) -> dict[str, Any]:
        """A rejection says why."""
        cleaned = super().clean() or self.cleaned_data
        rejects = cleaned.get("decision") == ReviewDecision.REJECT
        if rejects and not cleaned.get("reason", "").strip():
            self.add_error("reason", "A rejection says why.")
        return cleaned

    def promise(self, number: int) -> str:
        rejects = self.cleaned_data["decision"] == ReviewDecision.REJECT
        return f"{'Reject' if rejects else 'Accept'} {count_of(number, self.noun)}"

    def sentence(self, number: int) -> str:
        rejects = self.cleaned_data["decision"] == ReviewDecision.REJECT
        decided = count_of(number, self.noun, "is")
        return f"{decided} {'rejected' if rejects else 'accepted'}."


class ReconfirmForm(BulkActForm):
    """Why what was accepted under other duties proves those of now."""

    noun = "acceptance"
    heading = "Confirm again"
    step = "Confirm again"
    column = "Acceptance"
    list_name = "To confirm again"
    hint = "One reason stands in the review of each of them."

    reason = ReasonField(
        label="Why it proves the duties of now as well",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What in the evidence shows it: auditors read this sentence.",
    )

    def promise(self, number: int) -> str:
        return f"{self.heading} {count_of(number, self.noun)}"

    def sentence(self, number: int) -> str:
        return f"{count_of(number, self.noun, 'is')} confirmed again."


FORMS: Mapping[str, type[BulkActForm]] = {
    "owner": OwnerForm,
    "status": StatusForm,
    "cadence": CadenceForm,
    "team": AskTeamForm,
    "request": RequestForm,
    "not-applicable": LeaveOutForm,
    "citations": CitationForm,
    "re-confirm": ReconfirmForm,
}
