"""What an officer says when several controls are put under one ask, or taken out."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from controls.base_form import Form
from controls.models import Team
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input
from evidence.forms.reasons import ReasonField
from evidence.models import RequirementControl
from evidence.models.asks import Cadence, Purpose
from evidence.requirements.join_checks import MAX_LINE, AskTerms, NamedControl
from evidence.requirements.join_offers import Offer
from evidence.requirements.joined import team_of

CADENCES = [row for row in Cadence.choices if row[0] != Cadence.PER_EVENT]
FROM_DAY = "Days before stay as they are. An earlier day waits for a second officer."


@dataclass(frozen=True)
class NamedRow:
    """One row of the form: whether it is joined, and its line."""

    row: RequirementControl
    joins: forms.BoundField
    line: forms.BoundField
    seen: forms.BoundField


class JoinForm(Form):
    """One ask and the controls it names, each with its line."""

    title = forms.CharField(max_length=200)
    guidance = forms.CharField(
        label="What to do", required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    good_proof = forms.CharField(
        label="What a good proof shows",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    cadence = forms.ChoiceField(label="How often", choices=CADENCES)
    purpose = forms.ChoiceField(label="It shows", choices=Purpose.choices)
    owner_team = forms.ModelChoiceField(
        Team.objects.all(),
        label="Team",
        required=False,
        empty_label="The team that all its controls have",
    )
    grace_days = forms.IntegerField(
        label="Days of grace",
        required=False,
        min_value=1,
        max_value=180,
        help_text="After the last day of a period. Empty: 15 % of the period.",
    )
    from_day = DayField(label="From", widget=day_input(), help_text=FROM_DAY)
    reason = ReasonField(
        label="Reason",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Only where the day lies back.",
    )

    def __init__(
        self, *args: Any, rows: Sequence[RequirementControl], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows
        for row in rows:
            label = row.implementation.control.label
            self.fields[f"joins_{row.uuid}"] = forms.BooleanField(
                label=label, required=False
            )
            self.fields[f"line_{row.uuid}"] = forms.CharField(
                label=f"What in it proves {label}", required=False, max_length=MAX_LINE
            )
            self.fields[f"seen_{row.uuid}"] = forms.IntegerField(
                required=False, widget=forms.HiddenInput
            )

    @classmethod
    def of_offer(cls, offer: Offer, from_day: dt.date) -> JoinForm:
        """As the shipped list says it."""
        terms = offer.terms
        return cls(
            rows=[row for row, _ in offer.rows],
            initial={
                "title": terms.title,
                "guidance": terms.guidance,
                "good_proof": terms.good_proof,
                "cadence": terms.cadence,
                "purpose": terms.purpose,
                "owner_team": terms.owner_team,
                "from_day": from_day,
            }
            | _of_rows(offer.rows),
        )

    @classmethod
    def of_rows(cls, rows: Sequence[RequirementControl], from_day: dt.date) -> JoinForm:
        """Of an officer's own choice: with the words of the first row."""
        first = rows[0]
        return cls(
            rows=rows,
            initial={
                "title": first.title,
                "guidance": first.guidance,
                "good_proof": first.good_proof,
                "cadence": first.cadence,
                "purpose": first.purpose,
                "owner_team": team_of(first),
                "from_day": from_day,
            }
            | _of_rows([(row, row.what_it_shows) for row in rows]),
        )

    def about_ask(self) -> Iterable[forms.BoundField]:
        """The fields that say what is asked, in their order."""
        return [self[name] for name in self.base_fields]

    def named_rows(self) -> list[NamedRow]:
        """The rows with their fields."""
        return [
            NamedRow(
                row,
                self[f"joins_{row.uuid}"],
                self[f"line_{row.uuid}"],
                self[f"seen_{row.uuid}"],
            )
            for row in self.rows
        ]

    def terms(self) -> AskTerms:
        """What the ask is to say, of a valid form."""
        names = ("title", "cadence", "purpose", "guidance", "good_proof")
        return AskTerms(
            **{name: self.cleaned_data[name] for name in names},
            owner_team=self.cleaned_data["owner_team"],
            grace_days=self.cleaned_data["grace_days"],
        )

    def named(self) -> list[NamedControl]:
        """The rows that are ticked, of a valid form."""
        return [
            NamedControl(
                row.uuid,
                self.cleaned_data[f"line_{row.uuid}"],
                self.cleaned_data[f"seen_{row.uuid}"],
            )
            for row in self.rows
            if self.cleaned_data[f"joins_{row.uuid}"]
        ]


def _of_rows(rows: Iterable[tuple[RequirementControl, str]]) -> dict[str, Any]:
    initial: dict[str, Any] = {}
    for row, line in rows:
        initial[f"joins_{row.uuid}"] = True
        initial[f"line_{row.uuid}"] = line
        initial[f"seen_{row.uuid}"] = row.version
    return initial


class SplitForm(Form):
    """Which controls stand alone again, from when."""

    from_day = DayField(label="From", widget=day_input(), help_text=FROM_DAY)
    reason = ReasonField(
        label="Reason",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Only where the day lies back.",
    )

    def __init__(self, *args: Any, rows: Sequence[RequirementControl], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["rows"] = forms.MultipleChoiceField(
            label="Controls to take out",
            choices=[(str(row.uuid), row.implementation.control.label) for row in rows],
            widget=forms.CheckboxSelectMultiple,
            error_messages={
                "required": "Tick at least one control.",
                "invalid_choice": "One of these controls does not stand under this ask"
                " any more. Look again.",
            },
        )

    def named(self) -> list[uuid.UUID]:
        """The rows that are ticked, of a valid form."""
        return [uuid.UUID(text) for text in self.cleaned_data["rows"]]


class SeenRowField(forms.ModelChoiceField):
    """What is asked, by its uuid and the version that was on the page."""

    def prepare_value(self, value: Any) -> Any:
        """What the page sends for a row."""
        if isinstance(value, RequirementControl):
            return f"{value.uuid}.{value.version}"
        return value

    def to_python(self, value: Any) -> tuple[RequirementControl, int | None] | None:  # type: ignore[override]
        """The row, and the version that was seen; None for a row that was named
        without one."""
        named, _, seen = str(value or "").partition(".")
        row = super().to_python(named)
        if row is None:
            return None
        return row, int(seen) if seen.isdecimal() and len(seen) < 10 else None

    def validate(self, value: Any) -> None:
        """The row is one of the choices; `to_python` has seen to that."""
        forms.Field.validate(self, value)


class AddForm(Form):
    """One more control of an ask: an ask that stands alone, or a control that nothing
    was asked of by it."""

    row = SeenRowField(
        RequirementControl.objects.none(),
        label="An ask that stands alone",
        required=False,
        to_field_name="uuid",
        empty_label="None of these: name a control below",
        help_text="It stands under this ask from that day on; its days before stay as"
        " they are.",
        error_messages={
            "invalid_choice": "This does not stand alone any more: somebody joined or"
            " ended it. Choose another."
        },
    )
    control = forms.CharField(
        label="Or a control",
        max_length=40,
        required=False,
        help_text="Such as AU-10 or au-10.",
    )
    what_it_shows = forms.CharField(
        label="What in it proves this control", max_length=MAX_LINE
    )
    from_day = DayField(
        label="Expected from",
        widget=day_input(),
        help_text="What was brought before may be attached to it and reviewed.",
    )

    def __init__(
        self, *args: Any, alone: Sequence[RequirementControl] = (), **kwargs: Any
    ) -> None:
        """`alone` are the asks that stand alone in the system."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["row"]
        field.queryset = RequirementControl.objects.for_listing().filter(
            pk__in=[row.pk for row in alone]
        )
        field.label_from_instance = _label_with_title

    def clean(self) -> dict[str, Any]:
        """One of both is needed, and not both."""
        fields = super().clean() or self.cleaned_data
        if bool(fields.get("row")) == bool(fields.get("control")):
            sentence = "Choose an ask that stands alone, or name a control."
            if "row" not in self.errors and "control" not in self.errors:
                self.add_error("control", sentence)
        return fields


def _label_with_title(row: Any) -> str:
    return f"{row.implementation.control.label}: {row.title}"
