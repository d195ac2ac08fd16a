"""What somebody looks for in My work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from controls.base_form import Form
from controls.models import System
from evidence.planning.asks import WORDS
from evidence.planning.narrowed_asks import AskFilter


class WorkFilter(Form):
    """By system, state, due day, and control or title."""

    system = forms.ChoiceField(required=False)
    control = forms.CharField(label="Control or ask", required=False, max_length=200)
    due = forms.ChoiceField(
        choices=[("", "Any time"), ("overdue", "Overdue"), ("soon", "In 14 days")],
        required=False,
    )
    # chosen by the numbers above the form, kept by it
    state = forms.ChoiceField(
        choices=[("", "Any"), *WORDS.items()],
        required=False,
        widget=forms.HiddenInput,
    )

    def __init__(self, *args: Any, systems: Iterable[System], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(system.slug, system.name) for system in systems]
        choices: Any = self.fields["system"]
        choices.choices = [("", "All systems"), *names]

    def chosen(self) -> AskFilter:
        """What can be read of it."""
        self.is_valid()
        fields = self.cleaned_data
        return AskFilter(
            state=fields.get("state", ""),
            due=fields.get("due", ""),
            system=fields.get("system", ""),
            query=fields.get("control", ""),
        )
