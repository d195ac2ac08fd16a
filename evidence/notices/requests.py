"""Requests for evidence as a source of notices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from evidence.models import EvidenceRequest
from evidence.models.notices import NoticeKind
from evidence.models.requests import EvidenceRequestState
from evidence.notices.candidates import NoticeCandidate
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
        yield from _of_request(people, row, frozenset(_answerers(people, row)), instant)


def _answerers(people: People, row: EvidenceRequest) -> set[int]:
    """The person asked, while contributing here; else the team."""
    person = people.contributors(row.system_id) & {row.person_id}
    return set(filter(None, person)) or people.team(row.system_id, row.team_id)


def _deciders(people: People, row: EvidenceRequest) -> set[int]:
    """Whoever asked, while that person may decide; else all who may."""
    if row.engagement_id:
        asking = people.auditors(row.engagement_id)
    else:
        asking = people.officers(row.system_id)
    deciders = asking - {answer.answered_by_id for answer in row.answers.all()}
    return deciders & {row.asked_by_id} or deciders


def _of_request(
    people: People, row: Any, addressees: frozenset[int], instant: dt.datetime
) -> Iterator[NoticeCandidate]:
    path = reverse("evidence:request", args=[row.uuid])
    parameters = {
        "what": row.title,
        "who": str(row.asked_by),
        "day": str(row.due_on),
        "reason": "",
    }
    asker = frozenset(people.here(row.system_id, [row.asked_by_id]))

    def candidate(
        kind: NoticeKind, stage: str, users: frozenset[int]
    ) -> NoticeCandidate:
        key = f"request:{row.uuid}:{stage}"
        return NoticeCandidate(kind, key, users, row.system_id, path, dict(parameters))

    if row.state == EvidenceRequestState.ANSWERED:
        last = list(row.answers.all())[-1]
        parameters["who"] = str(last.answered_by)
        deciders = frozenset(_deciders(people, row))
        yield candidate(NoticeKind.ANSWERED, f"answer-{last.pk}", deciders)
        return
    yield candidate(NoticeKind.ASKED, "asked", addressees)
    if row.state == EvidenceRequestState.RETURNED:
        last = list(row.judgements.all())[-1]
        parameters |= {"who": str(last.judged_by), "reason": last.reason}
        yield candidate(NoticeKind.RETURNED, f"returned-{last.pk}", addressees)
        parameters["who"] = str(row.asked_by)
    if row.overdue_on(row.system.day_of(instant)):
        late = addressees | asker | frozenset(people.officers(row.system_id))
        yield candidate(NoticeKind.ASKED_OVERDUE, f"overdue-{row.due_on}", late)
