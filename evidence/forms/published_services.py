"""The ZIP file of AWS's component definitions."""

from __future__ import annotations

from django import forms

from controls.base_form import Form
from controls.grammar import size_in_words
from controls.oscal.components import MAX_ARCHIVE_BYTES


class ComponentsForm(Form):
    """OSCAL component definitions in JSON, packed as one ZIP file."""

    file = forms.FileField(
        label="ZIP file",
        help_text="The folder “component-definitions” that AWS publishes, as one ZIP"
        f" file of at most {size_in_words(MAX_ARCHIVE_BYTES)}.",
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
    )
