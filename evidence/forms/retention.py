"""How long evidence is kept, and legal holds, as officers type them."""

from __future__ import annotations

from django import forms

from controls.base_form import Form
from evidence.forms.reasons import ReasonField
from evidence.models.retention import MAX_RETENTION_YEARS


class RetentionForm(Form):
    """Another number of years, and why."""

    years = forms.IntegerField(
        label="Years",
        min_value=1,
        max_value=MAX_RETENTION_YEARS,
        help_text="Counted from the last day on which the evidence was of use.",
    )
    reason = ReasonField(
        label="Why it changes", help_text="Such as the law or contract that says so."
    )


class HoldForm(Form):
    """Why something must be kept."""

    reason = ReasonField(
        label="Why it must be kept", help_text="Only officers of the system read it."
    )


class LiftForm(Form):
    """Why it need not be kept any longer."""

    reason = ReasonField(label="Why it need not be kept any longer")
