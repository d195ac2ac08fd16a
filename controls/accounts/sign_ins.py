"""Sign-ins, sign-outs and failures go to the instance's audit chain."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import user_logged_in as user_logged_in_by_allauth
from django.conf import settings
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.dispatch import receiver

from controls import clock
from controls.accounts.group_roles import follow_groups
from controls.models import Actor, AuditEvent, User
from controls.models.audit import about

# In a session: the identity provider asked for a second factor.
ELSEWHERE = "second_factor_elsewhere"


@receiver(user_logged_in)
def signed_in(user: Actor, **kwargs: Any) -> None:
    """Record who signed in."""
    AuditEvent.objects.append(about(user, "session.started", by=user))


@receiver(user_logged_in_by_allauth)
def signed_on(user: Actor, sociallogin: Any = None, **kwargs: Any) -> None:
    """After single sign-on: hold the roles that the groups of the person give."""
    provider = settings.SIGN_ON_PROVIDER
    if sociallogin is None or provider is None:
        return
    groups = sociallogin.state.get("groups", [])
    person = User.objects.get(pk=user.pk)
    follow_groups(person, groups, provider.roles, now=clock.now())
    second_factor = bool(sociallogin.state.get("second_factor"))
    kwargs["request"].session[ELSEWHERE] = second_factor


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
