"""A token for a script or a calendar."""

from __future__ import annotations

from django import forms

from controls.accounts.tokens import MAX_DAYS
from controls.base_form import Form
from controls.models.tokens import Scope


class TokenForm(Form):
    """What a new token is called, may do, and how long."""

    name = forms.CharField(
        label="What it is for",
        max_length=80,
        help_text="Such as “log export of the nightly job”.",
    )
    scope = forms.ChoiceField(
        label="What it may do",
        choices=Scope.choices,
        initial=Scope.READ,
        help_text="Never more than you may. Only “Read and export” asks for exports;"
        " it changes nothing. A calendar feed opens nothing else.",
    )
    days = forms.IntegerField(
        label="Ends after so many days",
        min_value=1,
        max_value=MAX_DAYS,
        initial=90,
    )
