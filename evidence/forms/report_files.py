"""Forms about the files of providers' reports."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.base_form import Form
from controls.models import Engagement
from evidence.forms.clocks import DayField
from evidence.forms.reasons import ReasonField
from evidence.forms.upload_fields import DayInput
from evidence.held_reports.disclosures import MAX_NAME
from evidence.held_reports.hold import MAX_AGREEMENT, USUAL_TERM
from evidence.models import ReportFile

AGREEMENT = "Its name and day, such as “Confidentiality agreement of 12 January 2026”."


class RightForm(Form):
    """By what right a file is held, and what whoever opens it has to confirm."""

    agreement = forms.CharField(
        label="Agreement with the provider",
        max_length=MAX_AGREEMENT,
        help_text=AGREEMENT,
    )
    term = ReasonField(
        label="What it asks of whoever opens the file",
        initial=USUAL_TERM,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="In your own words. Everybody confirms it before the first opening.",
    )
    confirmed = forms.BooleanField(
        label="I have read the term, and the agreement allows us to keep this file",
    )


class ReportFileForm(RightForm):
    """A file to hold, and by what right."""

    file = forms.FileField(
        label="The file", help_text="As the provider gave it to you, such as a PDF."
    )
    field_order = ("agreement", "term", "confirmed", "file")


class AcceptTermForm(RightForm):
    """AWS's term accepted, and by what right the report is held then."""

    confirmed = forms.BooleanField(
        label="I have read AWS's term above and accept it for this company, and the"
        " agreement allows us to keep the file",
    )


class RecipientForm(Form):
    """Who was given a copy outside of this company."""

    recipient = forms.CharField(label="Who was given a copy", max_length=MAX_NAME)
    firm = forms.CharField(max_length=MAX_NAME)
    given_on = DayField(label="On", widget=DayInput)
    reason = ReasonField(label="Why", widget=forms.Textarea(attrs={"rows": 2}))
    agreement = forms.CharField(
        label="Under which agreement",
        max_length=MAX_NAME,
        help_text="What allows it to be passed on, and binds whoever got it.",
    )
    file = forms.ModelChoiceField(
        queryset=ReportFile.objects.none(),
        to_field_name="uuid",
        required=False,
        empty_label="Another copy, which is not held here",
        help_text="The copy came from this file.",
    )

    def __init__(self, *args: Any, files: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].queryset = files  # type: ignore[attr-defined]


class ReleaseForm(Form):
    """Which auditors may open a held file, and why."""

    engagement = forms.ModelChoiceField(
        queryset=Engagement.objects.none(), to_field_name="uuid", label="Audit"
    )
    reason = ReasonField(label="Why they need it")

    def __init__(self, *args: Any, engagements: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Engagement.objects.filter(pk__in=[row.pk for row in engagements])
        self.fields["engagement"].queryset = rows  # type: ignore[attr-defined]
