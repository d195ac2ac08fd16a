"""Which notices to list; how often mail comes."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.base_form import Form
from evidence.models.notices import Frequency, NoticeKind


class NoticeFilter(Form):
    """Unread only, or of one kind."""

    show = forms.ChoiceField(
        choices=[("", "All"), ("unread", "Unread")], required=False, label="Show"
    )
    kind = forms.ChoiceField(
        choices=[("", "Any"), *NoticeKind.choices], required=False, label="Kind"
    )

    def narrow(self, notices: Any) -> Any:
        """What fits; what cannot be read narrows nothing."""
        self.is_valid()
        filters = self.cleaned_data
        if filters.get("show") == "unread":
            notices = notices.unread()
        return notices.filter(kind=filters["kind"]) if filters.get("kind") else notices


class PreferenceForm(Form):
    """How often."""

    frequency = forms.ChoiceField(
        choices=Frequency.choices,
        widget=forms.RadioSelect,
        label="Mail about new notices",
        help_text="Daily and weekly mails leave at 07:00 UTC. The list here is always"
        " complete.",
    )
