"""What a reviewer says about one link."""

from __future__ import annotations

from django import forms


class DecisionForm(forms.Form):
    """A reason, and which version of the link was on the screen."""

    reason = forms.CharField(required=False, max_length=2000)
    version = forms.IntegerField(required=False, min_value=1)

    def seen(self) -> tuple[str, int | None]:
        """Reason and version; what cannot be read counts as not given."""
        self.is_valid()
        return (
            self.cleaned_data.get("reason", ""),
            self.cleaned_data.get("version"),
        )
