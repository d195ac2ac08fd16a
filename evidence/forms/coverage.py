"""What a report speaks to, as registrars say it: picked, listed, confirmed."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from controls.base_form import Form
from controls.errors import Refused
from controls.grammar import size_in_words
from controls.models import Control
from controls.spreadsheets import MAX_BYTES
from evidence.artifacts.coverage_targets import CoverageEntry
from evidence.forms.artifacts import OWN_WORDS
from evidence.forms.reasons import ReasonField
from evidence.models.coverage import MAX_NUMBER, MAX_PAGE, MAX_SECTION

BETWEEN = re.compile(r"[;,\n]+")
MAX_TYPED = 10_000  # characters of ids


class CoverageForm(Form):
    """Controls of one family, ticked, and others by id; where the report has them."""

    ticked = forms.MultipleChoiceField(
        label="Controls", required=False, widget=forms.CheckboxSelectMultiple
    )
    controls = forms.CharField(
        label="Others, or parts of a control",
        required=False,
        max_length=MAX_TYPED,
        help_text="Ids apart by commas: AC-2(1), AC-2 (a).",
    )
    section = forms.CharField(
        label="Section", required=False, max_length=MAX_SECTION, help_text=OWN_WORDS
    )
    page = forms.CharField(label="Page", required=False, max_length=MAX_PAGE)
    provider_control = forms.CharField(
        label="The provider's own number of its control",
        required=False,
        max_length=MAX_NUMBER,
    )

    def __init__(self, *args: Any, family: str = "", **kwargs: Any) -> None:
        """`family` is the one whose controls are offered."""
        super().__init__(*args, **kwargs)
        offered = Control.objects.live().filter(family=family) if family else []
        self.fields["ticked"].choices = [  # type: ignore[attr-defined]
            (control.ref_id, str(control)) for control in offered
        ]
        if not offered:
            del self.fields["ticked"]

    def entries(self) -> list[CoverageEntry]:
        """A line for each control that the valid form names."""
        places = {
            name: " ".join(self.cleaned_data[name].split())
            for name in ("section", "page", "provider_control")
        }
        typed = BETWEEN.split(self.cleaned_data["controls"])
        named = [*self.cleaned_data.get("ticked", []), *typed]
        controls = dict.fromkeys(text.strip() for text in named if text.strip())
        return [CoverageEntry(control=control, **places) for control in controls]


class ListFileForm(Form):
    """A CSV or XLSX list."""

    file = forms.FileField(
        label="File",
        help_text=f"CSV or XLSX of one sheet, at most {size_in_words(MAX_BYTES)}."
        " Columns are found by their headings.",
    )

    def clean_file(self) -> Any:
        """Refused by its size before anybody reads it."""
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {size_in_words(MAX_BYTES)}."
            )
        return file


class ConfirmCoverageForm(Form):
    """Why a person stands for the ticked lines."""

    reason = ReasonField(
        label="Why you confirm the ticked lines",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What you read in this report, and where.",
    )


def shown_versions(texts: list[str]) -> dict[str, int]:
    """Lines by uuid with the version that was shown, from `uuid:version`.

    Raises Refused for what is neither.
    """
    versions: dict[str, int] = {}
    for text in texts:
        uuid, _, number = text.partition(":")
        if not re.fullmatch(
            r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid
        ) or not re.fullmatch(r"[0-9]{1,9}", number):
            raise Refused({"lines": "Tick the lines that you mean."})
        versions[uuid] = int(number)
    return versions
