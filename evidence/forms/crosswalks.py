"""A crosswalk: whose numbers, from which day, and the file with them."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.base_form import ModelForm
from controls.grammar import size_in_words
from controls.models import Crosswalk
from controls.spreadsheets import MAX_BYTES
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input


class CrosswalkForm(ModelForm):
    """What the numbers are, and the file with them."""

    file = forms.FileField(
        label="File",
        help_text="CSV or XLSX of one sheet, at most 5 MB. Columns for the control and"
        " the number are found by their headings.",
    )

    class Meta:
        model = Crosswalk
        fields = ["title", "starts_on"]
        field_classes = {"starts_on": DayField}
        widgets = {"starts_on": day_input()}
        labels = {"title": "Whose numbers", "starts_on": "They stand from"}
        help_texts = {
            "title": "Such as “SOC 2 criteria 2022”. A new version has the same title.",
            "starts_on": "Pages about earlier days show the version before.",
        }

    def clean_file(self) -> Any:
        """Refused by its size before anybody reads it."""
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {size_in_words(MAX_BYTES)}."
            )
        return file

    def facts(self) -> dict[str, Any]:
        """Title and day, as `adopt` takes them."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}
