"""What narrows and groups the acceptances to confirm again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms

from controls.base_form import Form
from evidence.reviews.reconfirm_desk import ReconfirmRow, families_of

GROUPS = [("family", "Control family"), ("ask", "Ask")]


class ReconfirmFilter(Form):
    """By family, and by control, ask or evidence; grouped by family or by ask."""

    family = forms.ChoiceField(required=False)
    q = forms.CharField(
        label="Control, ask or evidence", required=False, max_length=200
    )
    group = forms.ChoiceField(label="Grouped by", choices=GROUPS, required=False)

    def __init__(self, *args: Any, rows: Iterable[ReconfirmRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["family"]
        choices.choices = [
            ("", "All families"),
            *((key, f"{title} ({n})") for key, title, n in families_of(rows)),
        ]
        self.is_valid()

    @property
    def grouped_by_ask(self) -> bool:
        """Whether the asks are the headings, not the families."""
        return self.cleaned_data.get("group") == "ask"

    def fitting(self, rows: Sequence[ReconfirmRow]) -> list[ReconfirmRow]:
        """Those of the rows that the filter lets through."""
        family = self.cleaned_data.get("family", "")
        text = self.cleaned_data.get("q", "").strip()
        return [
            row
            for row in rows
            if (not family or row.family == family)
            and (not text or row.speaks_of(text))
        ]
