"""A reason, as people type it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import normalize_newlines

from controls.reasons import MAX_REASON


class ReasonField(forms.CharField):
    """At most MAX_REASON characters, a line break being one, as browsers count it."""

    takes_lines = True

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_REASON, **options)

    def to_python(self, value: Any) -> str:
        """The text with its line breaks as `\\n`, stripped."""
        return normalize_newlines(super().to_python(value) or "")
