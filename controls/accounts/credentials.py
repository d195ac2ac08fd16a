"""Changes of passwords and second factors go to the instance's audit chain (AU-01).

A changed password ends the person's tokens; Django ends their sessions.
"""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
    authenticator_used,
)
from django.db import transaction
from django.dispatch import receiver
from knox.models import AuthToken

from controls.models import Actor, AuditEvent, TokenScope
from controls.models.audit import Event, about


def end_tokens(person: Actor, *, by: Actor) -> list[Event]:
    """Revoke all tokens of a person; the events are returned, to be written last."""
    tokens = TokenScope.objects.filter(token__user=person.pk).order_by("pk")
    events = [about(token, "token.revoked", by=by) for token in tokens]
    AuthToken.objects.filter(user=person.pk).delete()
    return events


@receiver([password_changed, password_set, password_reset])
@transaction.atomic
def record_password(user: Actor, **kwargs: Any) -> None:
    """Record that a person has another password; their tokens end."""
    events = [*end_tokens(user, by=user), about(user, "password.changed", by=user)]
    AuditEvent.objects.append_all(events)


@receiver(authenticator_added)
def record_added(user: Actor, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record a new second factor, or the recovery codes made with it."""
    _record(user, "second-factor.added", authenticator)


@receiver(authenticator_removed)
def record_removed(user: Actor, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record that a person took a second factor of their own away."""
    _record(user, "second-factor.removed", authenticator)


@receiver(authenticator_reset)
def record_reset(user: Actor, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record new recovery codes; the ones before count no more."""
    _record(user, "recovery-codes.made", authenticator)


@receiver(authenticator_used)
def record_used(user: Actor, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record that a recovery code was used up; other factors show in the sign-in."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        _record(user, "recovery-codes.used", authenticator)


@receiver(authentication_failed)
def record_wrong_code(user: Actor, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record a wrong code: whoever types it knows the password."""
    _record(user, "second-factor.refused", authenticator)


def _record(user: Actor, verb: str, authenticator: Authenticator) -> None:
    kind = str(authenticator.get_type_display())
    AuditEvent.objects.append(about(user, verb, by=user, kind=kind))
