"""Reading notices and choosing how often mail comes."""

from __future__ import annotations

from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from controls.errors import Refused
from controls.models import Actor, AuditEvent
from controls.models.audit import Event
from evidence.models import Notice, NoticePreference
from evidence.models.notices import Frequency


def counts_key(user: int) -> str:
    """Where the numbers of a person's header are kept for a moment."""
    return f"header-{user}"


def mark_read(notices: QuerySet[Notice], *, by: Actor) -> int:
    """Mark the unread of a person's own as read; returns how many."""
    cache.delete(counts_key(by.pk))
    unread = notices.filter(user=by, read_at=None)
    return unread.update(read_at=timezone.now())


def frequency_of(user: Actor) -> str:
    """How often a person gets mail; daily unless they said otherwise."""
    chosen = NoticePreference.objects.filter(user=user).values_list(
        "frequency", flat=True
    )
    return str(chosen.first() or Frequency.DAILY)


@transaction.atomic
def choose(user: Actor, frequency: str) -> None:
    """Record how often a person wants mail. Raises Refused for another word."""
    if frequency not in Frequency.values:
        known = ", ".join(Frequency.values)
        raise Refused({"frequency": f"Choose one of {known}."})
    NoticePreference.objects.update_or_create(
        user=user, defaults={"frequency": frequency}
    )
    event = Event(
        "notices.chosen",
        actor=user,
        subject_type="controls.user",
        subject_label=str(user),
        body={"frequency": frequency},
    )
    AuditEvent.objects.append(event)
