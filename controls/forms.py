"""Forms of the account."""

from __future__ import annotations

from django import forms

from controls.base_form import Form


class AddressForm(Form):
    """The address a person wants instead of theirs."""

    email = forms.EmailField(
        label="New e-mail address",
        max_length=254,
        help_text="You confirm that it is you, then follow the link in the mail that is"
        " sent there.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
