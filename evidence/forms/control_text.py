"""The file with the official text of the controls."""

from __future__ import annotations

from django import forms

from controls.base_form import Form
from controls.grammar import size_in_words
from controls.oscal.texts import MAX_CATALOG_BYTES


class ControlTextForm(Form):
    """An OSCAL catalog in JSON."""

    file = forms.FileField(
        label="Catalog file",
        help_text="NIST SP 800-53 rev 5 as OSCAL catalog in JSON, at most"
        f" {size_in_words(MAX_CATALOG_BYTES)}.",
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
