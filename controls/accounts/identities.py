"""Who somebody is at the identity provider (AZ-04, AZ-05): issuer and subject.

An address names nobody by itself: it may be given to somebody else. It links an account
once, where the installation allows it and the provider calls the address verified.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.db import transaction

from controls.errors import NotPermitted
from controls.models import AuditEvent, User
from controls.models.audit import Event, about

UNKNOWN = (
    "Nobody with this sign-in has an account in SRM. Ask an officer of your system to"
    " invite you, or an administrator to link your account."
)
HOUR = 3600  # seconds
MAX_REFUSED = 100  # events
CLOSED = "Your account in SRM is closed. Ask an administrator to open it again."


@dataclass(frozen=True)
class PersonElsewhere:
    """Somebody as the provider describes them, once its word was verified.

    `subject` names them there for good, `label` in the log. `verified_email` is empty
    where the provider does not vouch for it.
    """

    subject: str
    label: str
    verified_email: str
    groups: list[str]
    second_factor: bool


class SignOnRefused(NotPermitted):
    """The provider knows the person, and we let them in no further; says why."""


@transaction.atomic
def account_for(issuer: str, subject: str, *, verified_email: str) -> SocialAccount:
    """The identity of an account that may sign in.

    A first sign-in links the account with `verified_email`, if there is one and it has
    no identity of this issuer yet. Raises SignOnRefused.
    """
    identity = (
        SocialAccount.objects.select_related("user")
        .filter(provider=issuer, uid=subject)
        .first()
    )
    if identity is None:
        identity = _link(issuer, subject, verified_email)
    if not identity.user.is_active:
        raise SignOnRefused(CLOSED)
    return identity


def _link(issuer: str, subject: str, verified_email: str) -> SocialAccount:
    rows = User.objects.select_for_update(of=("self",))
    user = rows.filter(email__iexact=verified_email).first() if verified_email else None
    if user is None or not user.is_active:
        raise SignOnRefused(UNKNOWN)
    if SocialAccount.objects.filter(user=user, provider=issuer).exists():
        raise SignOnRefused(UNKNOWN)  # somebody else has the address now
    identity = SocialAccount.objects.create(user=user, provider=issuer, uid=subject)
    AuditEvent.objects.append(
        about(user, "sign-on.linked", by=user, issuer=issuer, known_as=subject)
    )
    return identity


def record_refused_sign_on(label: str) -> None:
    """Record that somebody was not let in, as for a wrong password.

    At most MAX_REFUSED an hour of one label: whoever sends answers of their own making,
    which costs them nothing, fills no log.
    """
    hour = int(time.time()) // HOUR
    digest = hashlib.sha256(label.encode()).hexdigest()
    key = f"sign-on-refused:{digest}:{hour}"
    cache.add(key, 0, HOUR)
    try:
        before = cache.incr(key)
    except ValueError:  # nothing is counted: the cache is away, or just forgot
        before = 1
    if before <= MAX_REFUSED:
        AuditEvent.objects.append(Event("session.refused", subject_label=label[:120]))
