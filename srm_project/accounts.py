"""Who gets an account, and how long a sign-in lasts."""

from __future__ import annotations

import time

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest

MFA_STAGE = "allauth.mfa.stages.AuthenticateStage"
MAX_SESSION_SECONDS = 12 * 60 * 60  # seconds; idle time ends a session earlier


class ClosedAccounts(DefaultAccountAdapter):
    """Accounts are made by administrators; nobody signs up by themselves."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def get_login_stages(self) -> list[str]:
        """As allauth's, except that a second factor shown elsewhere may count."""
        stages: list[str] = super().get_login_stages()
        ours = "srm_project.sign_on.OursUnlessTheirs"
        return [ours if name == MFA_STAGE else name for name in stages]


def exceeds_lifetime(request: HttpRequest) -> bool:
    """Whether the sign-in behind this request is older than a session may be."""
    records = get_authentication_records(request, request.user)
    return bool(records) and time.time() - records[0]["at"] > MAX_SESSION_SECONDS
