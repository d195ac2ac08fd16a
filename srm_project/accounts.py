"""Who gets an account, and how long a sign-in lasts."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

MFA_STAGE = "allauth.mfa.stages.AuthenticateStage"
WRONG_CODE = (
    "The code is not right. Type the one that your app shows now, or a recovery code"
    " that you have not used yet."
)
TOO_MANY = "Too many attempts. Wait a few minutes, then try again."
WORDS_OF_SIGN_IN = {
    "email_password_mismatch": "This address and password do not belong together.",
    "enter_current_password": "This is not your current password.",
    "incorrect_password": "This is not your password.",
    "incorrect_code": WRONG_CODE,
    "invalid_password_reset": "This link does not work any more. Ask for another.",
    "rate_limited": TOO_MANY,
    "too_many_login_attempts": TOO_MANY,
}
WORDS_OF_SECOND_FACTORS = {
    "cannot_delete_authenticator": "You cannot do without a second factor here.",
    "cannot_generate_recovery_codes": (
        "Recovery codes come with an app or a security key. Set up one of them first."
    ),
    "incorrect_code": WRONG_CODE,
}
WAYS = {
    "reauthenticate": "Type your password",
    "mfa_reauthenticate": "Type a code of your app, or a recovery code",
    "mfa_reauthenticate:webauthn": "Use a security key",
}
MAX_SESSION_SECONDS = 12 * 60 * 60  # seconds; idle time ends a session earlier


class ClosedAccounts(DefaultAccountAdapter):
    """Accounts are made by administrators; nobody signs up by themselves."""

    error_messages = DefaultAccountAdapter.error_messages | WORDS_OF_SIGN_IN

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def get_login_stages(self) -> list[str]:
        """As allauth's, except that a second factor shown elsewhere may count."""
        stages: list[str] = super().get_login_stages()
        ours = "srm_project.sign_on.OursUnlessTheirs"
        return [ours if name == MFA_STAGE else name for name in stages]

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, str]]:
        """The ways to show once more who one is, named as our pages name them."""
        ways: list[dict[str, str]] = super().get_reauthentication_methods(user)
        return [way | {"description": WAYS[way["id"]]} for way in ways]


class SecondFactors(DefaultMFAAdapter):
    """What is said where a second factor is shown, set up or taken away."""

    error_messages = DefaultMFAAdapter.error_messages | WORDS_OF_SECOND_FACTORS

    def generate_authenticator_name(
        self, user: AbstractBaseUser, type: Authenticator.Type
    ) -> str:
        """A name for a key that got none."""
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Key {number + 1}"


def exceeds_lifetime(request: HttpRequest) -> bool:
    """Whether the sign-in behind this request is older than a session may be."""
    records = get_authentication_records(request, request.user)
    return bool(records) and time.time() - records[0]["at"] > MAX_SESSION_SECONDS
