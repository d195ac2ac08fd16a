"""Saying how far a control is, asking for another class, leaving a control out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms

from controls.alternatives import AlternativeDraft
from controls.applicability import REVIEW_AFTER
from controls.base_form import Form
from controls.control_parts import Part, parts_of
from controls.display_names import layer_name
from controls.implementation_days import NOT_STATED
from controls.models import ControlImplementation, System, Team
from controls.models.implementation_statements import STATEABLE
from controls.provider_names import AWS
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input
from evidence.forms.reasons import ReasonField
from evidence.models import Artifact, RequirementControl

CLASSES = [
    ("", "Choose one"),
    ("inherited", "Inherited: AWS carries it"),
    ("shared", "Shared: AWS carries one half, we the other"),
    ("customer", "Customer: we carry it"),
]


class DescribeForm(Form):
    """Our half in our words. `version` is what the form was opened on."""

    implementation_status = forms.ChoiceField(
        label="Implementation status",
        choices=[("", "As it stands"), *STATEABLE],
        required=False,
    )
    stated_from = DayField(
        label="From",
        required=False,
        widget=day_input(),
        help_text=(
            "Today or a later day. What nobody has said before may begin earlier;"
            " the day on which you say it is shown beside it."
        ),
    )
    owner_team = forms.ModelChoiceField(
        Team.objects.all(), label="Owner team", required=False, empty_label="Nobody yet"
    )
    customer_statement = forms.CharField(
        label="How we do it",
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="In your own words; it goes into exports.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, today: dt.date, parts: Sequence[Part] = (), **kwargs: Any
    ) -> None:
        """`parts` of the control get a field each; empty means: as the control."""
        super().__init__(*args, **kwargs)
        self.fields["stated_from"].initial = today
        self.parts = {f"part_{part.statement_id}": part for part in parts}
        for name, part in self.parts.items():
            self.fields[name] = forms.ChoiceField(
                label=f"Part {part.label}",
                choices=[("", "As the control"), *STATEABLE],
                required=False,
            )

    def clean(self) -> dict[str, Any]:
        """The parts' fields made one: status by statement id."""
        cleaned = super().clean() or self.cleaned_data
        statuses = {
            part.statement_id: cleaned.pop(name, "")
            for name, part in self.parts.items()
        }
        cleaned["part_statuses"] = {
            key: value for key, value in statuses.items() if value
        }
        return cleaned

    def explain_parts(self, words: Mapping[str, str]) -> None:
        """Say at each part's field what it asks, by statement id."""
        for name, part in self.parts.items():
            self.fields[name].help_text = words.get(part.statement_id, "")

    def whole_fields(self) -> list[forms.BoundField]:
        """What is said of the control as a whole."""
        return [field for field in self if field.name not in self.parts]

    def part_fields(self) -> list[forms.BoundField]:
        """What is said of single parts."""
        return [self[name] for name in self.parts]

    def parts_open(self) -> bool:
        """Whether some part says something, or is wrong."""
        return any(field.value() or field.errors for field in self.part_fields())

    @classmethod
    def about(
        cls,
        implementation: ControlImplementation,
        *,
        today: dt.date,
        names_owner: bool = True,
    ) -> DescribeForm:
        """The form as it is opened; without `names_owner` the team is not a choice."""
        parts = parts_of(implementation.control)
        statuses = implementation.part_statuses
        stated = implementation.implementation_status
        form = cls(
            parts=parts,
            today=today,
            initial={
                "implementation_status": "" if stated == NOT_STATED else stated,
                "owner_team": implementation.owner_team_id,
                "customer_statement": implementation.customer_statement,
                "version": implementation.version,
                **{f"part_{key}": value for key, value in statuses.items()},
            },
        )
        unsaid = [("", "Not stated: choose one")] if stated == NOT_STATED else []
        choices = [*unsaid, *STATEABLE]
        form.fields["implementation_status"].choices = choices  # type: ignore[attr-defined]
        if not names_owner:
            form.fields["owner_team"].widget = forms.HiddenInput()
        return form


class EarlierStatusForm(Form):
    """How far a control was on days before today; another officer approves."""

    implementation_status = forms.ChoiceField(label="It was", choices=STATEABLE)
    first_day = DayField(
        label="From",
        widget=day_input(),
        help_text="Before today. It holds to the next day of which something is said.",
    )
    reason = ReasonField(
        label="Why the past is to be changed", widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["auto_id"] = "id_earlier_%s"
        super().__init__(*args, **kwargs)


class AlternativeForm(Form):
    """Another way to meet the control than it says; another officer approves."""

    constraint = ReasonField(
        label="What keeps the control from being met as it is written",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    objective = ReasonField(
        label="What the control is for, and how the other way does it",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    residual_risk = ReasonField(
        label="What risk remains", widget=forms.Textarea(attrs={"rows": 2})
    )
    requirements = forms.MultipleChoiceField(
        label="What is asked of the other way",
        widget=forms.CheckboxSelectMultiple,
        help_text="Nothing fits? Add a requirement to this control first.",
    )
    starts_on = DayField(label="First day", widget=day_input())
    review_by = DayField(
        label="Last day, look again by",
        widget=day_input(),
        help_text="After it the control counts as not finished until it is approved"
        " again.",
    )

    def __init__(
        self,
        *args: Any,
        today: dt.date,
        requirements: Sequence[RequirementControl],
        **kwargs: Any,
    ) -> None:
        kwargs["auto_id"] = "id_alternative_%s"
        super().__init__(*args, **kwargs)
        self.fields["starts_on"].initial = today
        self.fields["review_by"].initial = today + REVIEW_AFTER
        choices = [(str(row.uuid), row.title) for row in requirements]
        self.fields["requirements"].choices = choices  # type: ignore[attr-defined]

    def draft(self) -> AlternativeDraft:
        """What was filled in."""
        fields = dict(self.cleaned_data)
        return AlternativeDraft(
            requirement_uuids=[UUID(text) for text in fields.pop("requirements")],
            **fields,
        )


def sources_of_aws(system: System) -> list[tuple[str, str]]:
    """What AWS's half may be needed from in a system: services, then reports."""
    services = system.components.filter(variant__service__provider=AWS).order_by(
        "variant__service__name"
    )
    in_use = services.values_list("variant__service__slug", "variant__service__name")
    series = Artifact.objects.filter(provider_slug=AWS).order_by("title")
    return [
        *((f"service:{slug}", name) for slug, name in dict(in_use).items()),
        *(
            (f"report:{name}", title)
            for name, title in series.values_list("series", "title")
        ),
    ]


class OverrideForm(Form):
    """Another class for a control, until a day."""

    responsibility = forms.ChoiceField(label="Class", choices=CLASSES)
    starts_on = DayField(label="From", widget=day_input())
    ends_on = DayField(
        label="Last day",
        widget=day_input(),
        help_text="After it both sides count until a person decides.",
    )
    reason = ReasonField(label="Reason", widget=forms.Textarea(attrs={"rows": 2}))
    citation = forms.CharField(
        label="AWS document",
        required=False,
        max_length=300,
        help_text="Title and section, in your words; needed to move a duty to AWS.",
    )
    needed_from = forms.ChoiceField(
        label="AWS's half is needed from",
        required=False,
        help_text="The service in use, or the series of reports, that has to prove it;"
        " needed to move a duty to AWS.",
    )

    def __init__(
        self, *args: Any, today: dt.date, system: System, **kwargs: Any
    ) -> None:
        kwargs["auto_id"] = "id_override_%s"
        super().__init__(*args, **kwargs)
        choices = [("", "Nothing in particular"), *sources_of_aws(system)]
        self.fields["needed_from"].choices = choices  # type: ignore[attr-defined]
        self.fields["starts_on"].initial = today


class NotApplicableForm(Form):
    """Leave a control out because it has no object in this system."""

    justification = ReasonField(
        label="What the requirement is about, and why there is none of it here",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="“AWS does it” is inherited, not “not applicable”.",
    )
    starts_on = DayField(
        label="First day",
        required=False,
        widget=day_input(),
        help_text="A day before today makes it a change in retrospect.",
    )
    absent_layers = forms.MultipleChoiceField(
        label="It rests on the absence of",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=(
            "A component that brings one of them lets the control apply again."
            " None ticked: all of them."
        ),
    )
    review_by = DayField(label="Look again by", widget=day_input())

    def __init__(
        self, *args: Any, today: dt.date, layers: Sequence[str], **kwargs: Any
    ) -> None:
        """`layers` are those that the control governs and nothing in use brings."""
        kwargs["auto_id"] = "id_na_%s"
        super().__init__(*args, **kwargs)
        self.fields["starts_on"].initial = today
        self.fields["review_by"].initial = today + REVIEW_AFTER
        if not layers:
            del self.fields["absent_layers"]
            return
        choices = [(layer, layer_name(layer)) for layer in layers]
        self.fields["absent_layers"].choices = choices  # type: ignore[attr-defined]
        self.fields["absent_layers"].initial = list(layers)

    def clean(self) -> dict[str, Any]:
        """No layer ticked is None: all that are absent on the first day."""
        cleaned = super().clean() or self.cleaned_data
        cleaned["absent_layers"] = cleaned.get("absent_layers") or None
        return cleaned
