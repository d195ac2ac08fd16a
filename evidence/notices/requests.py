"""Requests for evidence as a source of notices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from evidence.models import EvidenceRequest
from evidence.models.notices import NoticeKind
from evidence.models.requests import EvidenceRequestState
from evidence.notices.found import NoticeCandidate
from evidence.notices.people import People


def requests(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Requests for evidence: asked, overdue, answered, returned."""
    rows = EvidenceRequest.objects.filter(
        state__in=[
            EvidenceRequestState.OPEN,
            EvidenceRequestState.ANSWERED,
            EvidenceRequestState.RETURNED,
        ]
    ).select_related("system", "team", "asked_by")
    for row in rows.prefetch_related("answers__answered_by", "judgements__judged_by"):
        wanted = [row.person_id] if row.person_id else None
        team = people.team(row.system_id, row.team_id)
        told = people.here(row.system_id, wanted) if wanted else team
        yield from _of_request(people, row, frozenset(told), instant)


def _of_request(
    people: People, row: Any, told: frozenset[int], instant: dt.datetime
) -> Iterator[NoticeCandidate]:
    path = reverse("evidence:request", args=[row.uuid])
    said = {
        "what": row.title,
        "who": str(row.asked_by),
        "day": str(row.due_on),
        "reason": "",
    }
    asker = frozenset(people.here(row.system_id, [row.asked_by_id]))

    def found(kind: NoticeKind, stage: str, users: frozenset[int]) -> NoticeCandidate:
        key = f"request:{row.uuid}:{stage}"
        return NoticeCandidate(kind, key, users, row.system_id, path, dict(said))

    if row.state == EvidenceRequestState.ANSWERED:
        last = list(row.answers.all())[-1]
        said["who"] = str(last.answered_by)
        yield found(NoticeKind.ANSWERED, f"answer-{last.pk}", asker)
        return
    yield found(NoticeKind.ASKED, "asked", told)
    if row.state == EvidenceRequestState.RETURNED:
        last = list(row.judgements.all())[-1]
        said |= {"who": str(last.judged_by), "reason": last.reason}
        yield found(NoticeKind.RETURNED, f"returned-{last.pk}", told)
        said["who"] = str(row.asked_by)
    if row.overdue_on(row.system.day_of(instant)):
        late = told | asker | frozenset(people.officers(row.system_id))
        yield found(NoticeKind.ASKED_OVERDUE, f"overdue-{row.due_on}", late)
