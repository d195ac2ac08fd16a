"""Forms of the account."""

from __future__ import annotations

from typing import Any

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


class NewAccountForm(Form):
    """The name and the password of somebody who was invited."""

    name = forms.CharField(
        label="Your name",
        max_length=150,
        help_text="As others see it beside what you do.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        help_text="At least 12 characters; a sentence is good.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="The same password again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Both passwords are the same."""
        cleaned = super().clean() or self.cleaned_data
        one, two = cleaned.get("password"), cleaned.get("again")
        if one and two and one != two:
            self.add_error("again", "The two passwords differ.")
        return cleaned
