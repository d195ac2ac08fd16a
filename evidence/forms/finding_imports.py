"""A file with findings of AWS, and whose account they may be of."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.base_form import Form
from controls.grammar import size_in_words
from evidence.findings.source_files import MAX_BYTES, MAX_RESULTS

MAX_ACCOUNTS_TEXT = 1_000  # characters


class FindingImportForm(Form):
    """What is imported, and of which accounts."""

    file = forms.FileField(
        label="File",
        help_text=f"JSON of AWS Security Hub (ASFF) or in OCSF, or CSV; at most"
        f" {size_in_words(MAX_BYTES)} and {MAX_RESULTS:,} findings.",
    )
    accounts = forms.CharField(
        label="AWS accounts of this system",
        max_length=MAX_ACCOUNTS_TEXT,
        help_text="Their ids of 12 digits, with blanks between them. Findings of other"
        " accounts are not taken.",
    )
    control = forms.CharField(
        label="Control for findings that name none",
        required=False,
        max_length=20,
        help_text="Such as CM-6. Left empty, these findings are not taken. A finding"
        " that names controls of NIST SP 800-53 Rev. 5 counts for those.",
    )

    def clean_file(self) -> Any:
        """Refused by its size before anybody reads it."""
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            limit = size_in_words(MAX_BYTES)
            raise forms.ValidationError(
                f"The file is larger than {limit}: export the findings by account or"
                " by region."
            )
        return file
