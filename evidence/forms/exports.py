"""Which system, about which day."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.base_form import Form
from controls.models import Actor, System
from evidence.forms.clocks import DayField
from evidence.forms.upload_fields import DayInput


class ExportForm(Form):
    """A control status workbook as CSV."""

    system = forms.ModelChoiceField(
        queryset=System.objects.none(), to_field_name="slug"
    )
    on = DayField(
        label="About the day",
        required=False,
        widget=DayInput,
        help_text="If empty, today in the time zone of the system.",
    )
    as_known_then = forms.BooleanField(
        required=False,
        label="Only what was known on that day",
        help_text="Otherwise what is recorded now, also about a past day.",
    )

    def __init__(self, *args: Any, user: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["system"]
        field.queryset = System.objects.visible_to(user)  # type: ignore[attr-defined]
