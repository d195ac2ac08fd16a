"""Fields that the forms of several nouns share: a day, codes of regions."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from evidence.systems.describe import REGION


def day_input() -> forms.DateInput:
    """A date field as browsers offer it, in ISO spelling."""
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class RegionsField(forms.CharField):
    """Region codes separated by commas or spaces; a sorted list."""

    def clean(self, value: Any) -> list[str]:
        """The codes. Raises ValidationError naming the first that is none."""
        codes_typed = super().clean(value)
        codes = sorted(
            {code for code in re.split(r"[,;\s]+", codes_typed or "") if code}
        )
        wrong = [code for code in codes if not REGION.match(code)]
        if wrong:
            raise forms.ValidationError(
                f"“{wrong[0]}” is not a region code such as us-east-1."
            )
        return codes
