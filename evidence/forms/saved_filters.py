"""The name of a saved filter."""

from __future__ import annotations

from django import forms

from controls.base_form import Form
from evidence.models.saved_filters import MAX_NAME


class SavedFilterForm(Form):
    """What a filter is saved as."""

    name = forms.CharField(
        label="Name",
        max_length=MAX_NAME,
        help_text="Such as “AC without an owner”. Only you see your saved filters.",
    )


class RenameFilterForm(SavedFilterForm):
    """Another name for one that is there."""

    version = forms.IntegerField(widget=forms.HiddenInput)
