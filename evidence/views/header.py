"""The numbers in every page's header."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q
from django.utils.functional import SimpleLazyObject

from controls import clock
from controls.models import Actor, Engagement, Role
from controls.models.held_roles import roles_now
from evidence.models import Notice
from evidence.models.notices import INFORMATION, WORK
from evidence.notices.lines import lines_counted
from evidence.notices.reading import counts_key
from evidence.planning.board import AskBoard, board_of
from srm_project.requests import SignedInRequest

SECONDS = 60  # how old a number may be; reading a notice forgets it at once


def counts(request: SignedInRequest) -> dict[str, Any]:
    """`header.work`, `header.unread`, `header.audits` (engagements that the person
    audits) and `header.inside` (roles in the company), counted at most once a minute,
    when a page shows them.

    Work is what the person has to do, told or not: asks of their teams that need
    something brought, and what waits for their decision or answer, each thing once.
    Unread are lines as the page of notices shows them, one for an ask or an act, but of
    what waits for the person only: information is not counted.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"header": SimpleLazyObject(lambda: _counts(user))}


def _counts(user: Actor) -> dict[str, int]:
    counts: dict[str, int] | None = cache.get(counts_key(user.pk))
    if counts is None:
        counts = _kept(user, board_of(user, clock.now()))
    return counts


def count_anew(user: Actor, board: AskBoard) -> None:
    """Let the next header say the same as a page that just counted all asks."""
    _kept(user, board)


def _kept(user: Actor, board: AskBoard) -> dict[str, int]:
    mine = Notice.objects.visible_to(user).filter(ended_at=None)
    counts: dict[str, int] = mine.aggregate(
        work=Count("path", filter=Q(kind__in=WORK), distinct=True),
        unread=lines_counted(Q(read_at=None) & ~Q(kind__in=INFORMATION)),
    )
    counts["work"] += board.to_do
    counts["audits"] = Engagement.objects.audited_by(user).count()
    inside = [one for one in roles_now(user) if one.role != Role.AUDITOR]
    counts["inside"] = len(inside) + user.is_superuser
    cache.set(counts_key(user.pk), counts, SECONDS)
    return counts
