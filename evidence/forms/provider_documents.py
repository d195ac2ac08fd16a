"""A provider's document: its facts and the file; the day on which it ends."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from controls.base_form import Form, ModelForm
from controls.grammar import size_in_words
from controls.models import ProviderDocument
from controls.oscal.plans import MAX_PLAN_BYTES, PlanFile
from controls.provider_documents.rows import PLAN_ENDING
from controls.spreadsheets import MAX_BYTES
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input


class ProviderUploadForm(ModelForm):
    """What the document is, and the file with its statements."""

    file = forms.FileField(
        label="File",
        help_text="CSV or XLSX, at most 5 MB and 5,000 rows: columns for the control,"
        " the responsibility and the description are found by their headings. Or the"
        " provider's security plan as OSCAL in JSON, at most 20 MB.",
    )
    own_plan = forms.FileField(
        label="Your own security plan",
        required=False,
        help_text="Only beside a provider's plan: yours as OSCAL in JSON. You read"
        " which responsibilities it satisfies nowhere, and which of its references lead"
        " to nothing. It states nothing; both together at most 20 MB.",
    )

    reason = forms.CharField(
        label="Why",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For the officer who approves: what you compared it with, and why"
        " from this day.",
    )

    class Meta:
        model = ProviderDocument
        fields = ["title", "reference", "starts_on"]
        widgets = {"starts_on": day_input()}
        labels = {"starts_on": "Document date", "reference": "Version or reference"}
        help_texts = {
            "starts_on": "From this day its classes rule, once a second officer agrees."
        }

    def clean_file(self) -> Any:
        """Refused by its size before anybody reads it."""
        file = self.cleaned_data["file"]
        is_plan = file.name.lower().endswith(PLAN_ENDING)
        limit = MAX_PLAN_BYTES if is_plan else MAX_BYTES
        if file.size > limit:
            raise forms.ValidationError(
                f"The file is larger than {size_in_words(limit)}."
            )
        return file

    def clean_own_plan(self) -> Any:
        """The same, of one's own plan."""
        file = self.cleaned_data["own_plan"]
        if file and file.size > MAX_PLAN_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {size_in_words(MAX_PLAN_BYTES)}."
            )
        return file

    def files_to_read(self) -> tuple[Any, str, PlanFile | None]:
        """What `read_statements` takes."""
        file, own = self.cleaned_data["file"], self.cleaned_data["own_plan"]
        return file, file.name, PlanFile(own.name, own.read()) if own else None

    def facts(self) -> dict[str, Any]:
        """Title, reference, day and reason, as `request_adoption` takes them."""
        return {name: self.cleaned_data[name] for name in (*self.Meta.fields, "reason")}


class EndDocumentForm(Form):
    """From which day a document counts no more, and why."""

    ended_on = DayField(
        label="It no longer counts from",
        widget=day_input(),
        help_text="The template holds again from this day, once a second officer"
        " agrees.",
    )
    reason = forms.CharField(
        label="Why", max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ended_on"].initial = today
