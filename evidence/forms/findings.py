"""What failed, what was found, and what is to be made of it, as people type it."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.base_form import Form
from controls.control_parts import parts_of
from controls.models import Control
from evidence.findings.dispositions import Subject, closing_links, kinds_for
from evidence.forms.clocks import DayField
from evidence.forms.reasons import ReasonField
from evidence.forms.upload_fields import DayInput
from evidence.models import EvidenceLink, Finding, Severity
from evidence.models.findings import MAX_TITLE
from evidence.models.observations import MAX_SOURCE
from evidence.models.reviews import ReviewDecision

TEXT = {"attrs": {"rows": 4}}
WHERE = "Such as the test, the scan or the walk-through, with its number."


class _OfControl(Form):
    """Which part of the control it is about."""

    part = forms.ChoiceField(label="Part", required=False)

    def __init__(self, *args: Any, control: Control, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parts = [(part.statement_id, part.label) for part in parts_of(control)]
        whole = ("", "The control as a whole")
        self.fields["part"].choices = [whole, *parts]  # type: ignore[attr-defined]
        if not parts:
            del self.fields["part"]


class ObservationForm(_OfControl):
    """A control that was seen to fail."""

    observed_on = DayField(label="Seen on", widget=DayInput)
    source = forms.CharField(
        label="Where it was seen", max_length=MAX_SOURCE, help_text=WHERE
    )
    text = ReasonField(label="What failed", widget=forms.Textarea(**TEXT))
    field_order = ("observed_on", "source", "part", "text")


class FindingForm(_OfControl):
    """A weakness that somebody has to mend."""

    title = forms.CharField(label="Title", max_length=MAX_TITLE)
    severity = forms.ChoiceField(
        label="Severity",
        choices=Severity,
        widget=forms.RadioSelect,
        help_text=(
            "High is to be closed within 30 days of the day it was found, moderate"
            " within 90, low within 180."
        ),
    )
    found_on = DayField(label="Found on", widget=DayInput)
    source = forms.CharField(
        label="Where it was found", max_length=MAX_SOURCE, help_text=WHERE
    )
    text = ReasonField(label="What was found", widget=forms.Textarea(**TEXT))
    field_order = ("title", "severity", "found_on", "source", "part", "text")

    def __init__(self, *args: Any, observed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if observed:  # the observation says them
            del self.fields["found_on"]


class DispositionForm(Form):
    """What is asked for; a second person decides."""

    kind = forms.ChoiceField(label="What is asked for", widget=forms.RadioSelect)
    link = forms.ModelChoiceField(
        label="To close it: the evidence",
        queryset=EvidenceLink.objects.none(),
        required=False,
        to_field_name="uuid",
        help_text=(
            "Evidence of this control, performed on the day it was found or later. It"
            " has to be accepted before the finding can be closed."
        ),
    )
    severity = forms.ChoiceField(
        label="For a risk adjustment: the severity",
        choices=[("", "None"), *Severity.choices],
        required=False,
    )
    text = ReasonField(label="Why", widget=forms.Textarea(**TEXT))

    def __init__(self, *args: Any, subject: Subject, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = kinds_for(subject)
        kind: Any = self.fields["kind"]
        kind.choices = [(one.value, one.label) for one in kinds]
        if len(kinds) == 1:
            kind.initial = kinds[0].value
        if isinstance(subject, Finding):
            links = [link.pk for link in closing_links(subject)]
            choices: Any = self.fields["link"]
            choices.queryset = EvidenceLink.objects.filter(pk__in=links).select_related(
                "revision__evidence"
            )
            choices.label_from_instance = link_label
        else:
            del self.fields["link"], self.fields["severity"]


def link_label(link: EvidenceLink) -> str:
    """How a choice of evidence reads."""
    revision = link.revision
    state = link.get_state_display().lower()  # type: ignore[attr-defined]
    return f"{revision.evidence.title}, performed on {revision.performed_on} ({state})"


class DispositionDecisionForm(Form):
    """Whether it counts."""

    decision = forms.ChoiceField(choices=ReviewDecision)
    reason = ReasonField(required=False)
    official = forms.CharField(required=False, max_length=MAX_SOURCE)
