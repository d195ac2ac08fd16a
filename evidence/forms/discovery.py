"""What an account uses: the list, and from which day its lines are accepted."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.base_form import Form
from controls.errors import Refused
from controls.grammar import size_in_words
from controls.reference.account_uses import SeenUse, uses_in_file, uses_in_text
from controls.reference.aws_names import MAX_LIST_TEXT
from controls.spreadsheets import MAX_BYTES
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input


class UsesForm(Form):
    """What AWS's own tools say, pasted or as a file; exactly one of the two."""

    text = forms.CharField(
        required=False,
        max_length=MAX_LIST_TEXT,
        strip=False,
        label="Pasted list",
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="Names of services, one a line, or the JSON of AWS Config's"
        " get-discovered-resource-counts.",
    )
    file = forms.FileField(
        required=False,
        label="Or a file",
        help_text="What Resource Explorer found (CSV), a cost and usage report or Cost"
        " Explorer's table (CSV), Config's counts (JSON), a list (CSV, XLSX); at most"
        f" {size_in_words(MAX_BYTES)}.",
    )

    def clean(self) -> dict[str, Any]:
        """With what was seen as `seen`. Raises ValidationError for none and both."""
        fields: dict[str, Any] = super().clean() or {}
        text, file = fields.get("text", ""), fields.get("file")
        if bool(text.strip("\ufeff \t\r\n")) == bool(file):
            if not self.errors:
                self.add_error("text", "Paste a list or choose a file, one of the two.")
            return fields
        try:
            fields["seen"] = (
                uses_in_file(file, file.name) if file else uses_in_text(text)
            )
        except Refused as refusal:
            self.add_error("file" if file else "text", refusal.messages)
        return fields

    @property
    def seen(self) -> list[SeenUse]:
        """What the list says is used."""
        seen: list[SeenUse] = self.cleaned_data["seen"]
        return seen


class AcceptUsesForm(Form):
    """From which day the ticked lines hold."""

    from_day = DayField(
        label="From this day on",
        widget=day_input(),
        help_text="What comes is in use from this day; what ends was in use until the"
        " day before. Days before today are changed on the page Components.",
    )
