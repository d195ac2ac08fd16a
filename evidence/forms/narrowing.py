"""What filters of a list by control have in common."""

from __future__ import annotations

from django import forms

from controls.base_form import Form


class NarrowedByControl(Form):
    """A filter by GET that begins with a control; what it lacks narrows nothing."""

    q = forms.CharField(
        label="Control",
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "AC-2(1) or words of its title"}),
    )

    def filters(self) -> dict[str, str]:
        """What was chosen; a word that is no choice narrows nothing."""
        self.is_valid()
        cleaned = getattr(self, "cleaned_data", {})
        return {name: cleaned[name] for name in self.fields if cleaned.get(name)}
