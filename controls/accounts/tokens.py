"""Tokens for scripts and calendars: made, shown once, revoked."""

from __future__ import annotations

import datetime as dt

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.db import transaction
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

from controls.models import Actor, AuditEvent, TokenScope
from controls.models.audit import about
from controls.models.tokens import Scope

MAX_DAYS = 365


@transaction.atomic
def make_token(
    owner: Actor, *, name: str, scope: str, days: int
) -> tuple[TokenScope, str]:
    """A token of 1 to MAX_DAYS days and its secret, which is kept nowhere."""
    token, secret = AuthToken.objects.create(owner, expiry=dt.timedelta(days=days))
    kept = TokenScope.objects.create(token=token, name=name, scope=scope)
    AuditEvent.objects.append(about(kept, "token.made", by=owner, scope=kept.scope))
    return kept, secret


@transaction.atomic
def revoke_token(kept: TokenScope, *, by: Actor) -> None:
    """End a token; it works no more from the next request on."""
    event = about(kept, "token.revoked", by=by)
    kept.token.delete()
    AuditEvent.objects.append(event)


def owner_of_calendar(secret: str) -> TokenScope | None:
    """The calendar token of a secret; None for what is none, or no longer."""
    try:
        owner, token = TokenAuthentication().authenticate_credentials(secret.encode())
    except AuthenticationFailed:
        return None
    if settings.MFA_REQUIRED and not is_mfa_enabled(owner):
        return None  # as with every other token (AZ-07)
    kept = TokenScope.objects.filter(token=token, scope=Scope.CALENDAR)
    return kept.select_related("token__user").first()
