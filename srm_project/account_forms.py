"""The forms of an account, under the words that SRM uses everywhere."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account import forms as account
from allauth.mfa.base import forms as second_factor
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn import forms as security_key
from django import forms

ADDRESS = "E-mail address"
AGAIN = "New password, again"
CODE_HINT = "Six digits of the app, or a recovery code."


class Worded(forms.Form):
    """A form whose labels and hints are ours; a placeholder repeats no label."""

    labels: ClassVar[dict[str, str]] = {}
    hints: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = self.labels.get(name, field.label)
            field.help_text = self.hints.get(name, field.help_text)
            field.widget.attrs.pop("placeholder", None)


class SignInForm(Worded, account.LoginForm):
    """Address and password."""

    labels: ClassVar = {
        "login": ADDRESS,
        "remember": "Stay signed in when the browser is closed",
    }
    hints: ClassVar = {
        "remember": "Half an hour without use signs you out in any case."
    }


class ForgottenPasswordForm(Worded, account.ResetPasswordForm):
    """Where the link to a new password is mailed."""

    labels: ClassVar = {"email": ADDRESS}


class ChangePasswordForm(Worded, account.ChangePasswordForm):
    """The password as it is, and the new one twice."""

    labels: ClassVar = {
        "oldpassword": "Current password",
        "password1": "New password",
        "password2": AGAIN,
    }


class SetPasswordForm(Worded, account.SetPasswordForm):
    """A first password, for whoever came by single sign-on."""

    labels: ClassVar = {"password1": "New password", "password2": AGAIN}


class NewPasswordForm(Worded, account.ResetPasswordKeyForm):
    """What the link of a forgotten password leads to."""

    labels: ClassVar = {"password1": "New password", "password2": AGAIN}


class ConfirmPasswordForm(Worded, account.ReauthenticateForm):
    """The password once more, before what reaches far."""

    labels: ClassVar = {"password": "Your password"}


class SecondFactorForm(Worded, second_factor.AuthenticateForm):
    """A code while signing in."""

    hints: ClassVar = {"code": CODE_HINT}


class ConfirmCodeForm(Worded, second_factor.ReauthenticateForm):
    """A code once more, before what reaches far."""

    hints: ClassVar = {"code": CODE_HINT}


class SetUpAppForm(Worded, ActivateTOTPForm):
    """The first code of an app."""

    labels: ClassVar = {"code": "Code that the app shows"}


class AddKeyForm(Worded, security_key.AddWebAuthnForm):
    """A security key under a name."""

    labels: ClassVar = {"name": "Name of the key"}
    hints: ClassVar = {"name": "For example: the blue key on my ring."}


class RenameKeyForm(Worded, security_key.EditWebAuthnForm):
    """Another name for a security key."""

    labels: ClassVar = {"name": "Name of the key"}
