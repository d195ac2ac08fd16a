"""Sign-ins, sign-outs and failures go to the instance's audit chain."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.dispatch import receiver

from controls.models import Actor, AuditEvent
from controls.models.audit import about


@receiver(user_logged_in)
def signed_in(user: Actor, **kwargs: Any) -> None:
    """Record who signed in."""
    AuditEvent.objects.append(about(user, "session.started", by=user))


@receiver(user_logged_out)
def signed_out(user: Actor, **kwargs: Any) -> None:
    """Record who signed out."""
    if user is not None:
        AuditEvent.objects.append(about(user, "session.ended", by=user))


@receiver(user_login_failed)
def refused(credentials: dict[str, Any], **kwargs: Any) -> None:
    """Record that somebody failed, without what they typed as a password."""
    from controls.models.audit import Event

    name = str(credentials.get("email") or credentials.get("username") or "")[:120]
    AuditEvent.objects.append(Event("session.refused", subject_label=name))
