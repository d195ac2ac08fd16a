"""The scope of a report by a list."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.base_form import Form
from controls.errors import Refused
from controls.grammar import size_in_words
from controls.reference.aws_names import (
    MAX_LIST_TEXT,
    NamesOfLine,
    lines_of_file,
    lines_of_text,
)
from controls.spreadsheets import MAX_BYTES

HOWS = [
    ("add", "Comes to the scope"),
    ("replace", "Is the whole scope of what it names: services, regions or sites"),
]


class NameListForm(Form):
    """Names, pasted or as a file; exactly one of the two."""

    text = forms.CharField(
        required=False,
        max_length=MAX_LIST_TEXT,
        strip=False,
        label="Pasted list",
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="One name a line, as AWS writes it: names, ids or prefixes of"
        " services, names or codes of regions. Paste only what is in scope.",
    )
    file = forms.FileField(
        required=False,
        label="Or a file",
        help_text="CSV or XLSX of one sheet, at most"
        f" {size_in_words(MAX_BYTES)}. Where its first line is “Service”, “Region” or"
        " “In scope”, other columns are left aside.",
    )

    def clean(self) -> dict[str, Any]:
        """With the lines as `lines`. Raises ValidationError for none and for both."""
        fields: dict[str, Any] = super().clean() or {}
        text, file = fields.get("text", ""), fields.get("file")
        if bool(text.strip("\ufeff \t\r\n")) == bool(file):
            if not self.errors:
                self.add_error("text", "Paste a list or choose a file, one of the two.")
            return fields
        try:
            fields["lines"] = (
                lines_of_file(file, file.name) if file else lines_of_text(text)
            )
        except Refused as refusal:
            self.add_error("file" if file else "text", refusal.messages)
        return fields

    @property
    def lines(self) -> list[NamesOfLine]:
        """The lines of the list."""
        lines: list[NamesOfLine] = self.cleaned_data["lines"]
        return lines


class ScopeListForm(NameListForm):
    """What is in scope of a report, and whether it is all."""

    how = forms.ChoiceField(
        choices=HOWS, initial="add", label="The list", widget=forms.RadioSelect
    )
