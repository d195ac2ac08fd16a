"""Findings and responses as sources of notices (R36).

Whoever has to mend a finding is told once each that it is there, that it is due soon
and that it is overdue; whoever wrote a response is told that it was refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse

from controls.models import System
from controls.models.systems import systems_by_day
from evidence.findings.standing import FindingStanding, finding_standings
from evidence.models import Finding, ResponseDecision
from evidence.models.notices import NoticeKind
from evidence.models.reviews import ReviewDecision
from evidence.notices.candidates import RECENT, NoticeCandidate
from evidence.notices.people import People
from evidence.status.rows import Moment

LEAD = dt.timedelta(days=14)  # before its due day a finding is due soon


def findings(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Findings that are open: the owner team and the officers, but who wrote it.

    A constant number of statements for each day that is today somewhere.
    """
    rows = Finding.objects.select_related("implementation__control", "system")
    for today, systems in systems_by_day(System.objects.all(), instant).items():
        keys = [system.pk for system in systems]
        of_day = list(rows.filter(system__in=keys).order_by("pk"))
        for standing in finding_standings(of_day, Moment(today)):
            if not standing.over:
                yield from _of_finding(people, standing)


def _of_finding(people: People, standing: FindingStanding) -> Iterator[NoticeCandidate]:
    finding, due = standing.finding, standing.due_on
    control = finding.implementation
    team = people.team(finding.system_id, control.owner_team_id)
    menders = frozenset(team | people.officers(finding.system_id))
    parameters = {
        "what": f"{control.control.label} {finding.title}",
        "who": finding.recorder_name,
        "day": str(due or ""),
    }
    path = reverse("evidence:finding", args=[finding.uuid])

    def candidate(
        kind: NoticeKind, stage: str, users: frozenset[int]
    ) -> NoticeCandidate:
        key = f"finding:{finding.uuid}:{stage}"
        return NoticeCandidate(kind, key, users, finding.system_id, path, parameters)

    others = menders - {finding.recorded_by_id}
    yield candidate(NoticeKind.FINDING, "raised", others)
    if due is None:  # accepted as an operational requirement
        return
    if standing.state == "overdue":
        yield candidate(NoticeKind.FINDING_LATE, f"late-{due}", menders)
    elif due - LEAD <= standing.day:
        yield candidate(NoticeKind.FINDING_DUE, f"due-{due}", menders)


def refused_responses(
    people: People, instant: dt.datetime
) -> Iterator[NoticeCandidate]:
    """Responses that a second person refused: who wrote it. One statement."""
    rows = ResponseDecision.objects.filter(
        decision=ReviewDecision.REJECT, known_from__gte=instant - RECENT
    ).select_related("system", "response__implementation__control")
    for row in rows.order_by("pk"):
        response = row.response
        label = response.implementation.control.label
        yield NoticeCandidate(
            NoticeKind.RESPONSE_BACK,
            f"response:{row.uuid}",
            frozenset(people.here(row.system_id, [row.responded_by_id])),
            row.system_id,
            reverse("evidence:responses", args=[row.system.slug]),
            {
                "what": f"{label} {response.title}",
                "who": row.reviewer_name,
                "reason": row.reason,
            },
        )
