"""What is new for an auditor since they were here last, and when that was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from controls.models import Actor, AuditEvent, Engagement, System
from evidence.models import (
    EvidenceRequest,
    LetterAcceptance,
    PopulationReview,
    RelianceReview,
    RequestAnswer,
    Review,
)
from evidence.models.populations import PopulationState
from evidence.models.requests import UNANSWERED, EvidenceRequestState

MAX_SHOWN = 100  # rows of each kind on the page of what is new


def last_visit(
    engagement: Engagement, reader: Actor, *, now: dt.datetime
) -> dt.datetime | None:
    """When a person read a page of the engagement last, before today; None: never.

    Today is the system's day, so that what is new stays new until its end.
    """
    system = engagement.system
    today = system.end_of_day(system.day_of(now) - dt.timedelta(days=1))
    readings = AuditEvent.objects.filter(
        subject_uuid=engagement.uuid, verb="auditor.read", actor=reader.pk, at__lt=today
    )
    visit: dt.datetime | None = (
        readings.order_by("-at").values_list("at", flat=True).first()
    )
    return visit


@dataclass(frozen=True)
class News:
    """What was recorded after an instant, the newest first, MAX_SHOWN of each kind."""

    since: dt.datetime
    accepted: Sequence[Review]
    populations: Sequence[PopulationReview]
    reliance: Sequence[RelianceReview]
    letters: Sequence[LetterAcceptance]
    answers: Sequence[RequestAnswer]
    # how many of each there are, by the same names
    counts: dict[str, int]

    def __bool__(self) -> bool:
        return any(self.counts.values())


def news_of(
    engagement: Engagement, since: dt.datetime, keys: Collection[int] | None = None
) -> News:
    """What happened in the system after an instant that an auditor should look at; of
    controls only those with these keys (None: all).

    A constant number of statements.
    """
    of_kind: dict[str, Any] = {
        "accepted": Review.objects.filter(
            link__implementation__system=engagement.system_id, decision="accept"
        ).select_related(
            "link__implementation__control", "link__revision__evidence__team"
        ),
        "populations": PopulationReview.objects.filter(
            population__system=engagement.system_id, decision=PopulationState.ACCEPTED
        ).select_related("population__requirement__implementation__control"),
        "reliance": RelianceReview.objects.filter(
            system=engagement.system_id
        ).select_related("artifact_version__artifact"),
        "letters": LetterAcceptance.objects.filter(
            system=engagement.system_id, decision="accept"
        ).select_related("letter__artifact_version__artifact"),
        "answers": RequestAnswer.objects.filter(
            request__engagement=engagement
        ).select_related("request", "answered_by"),
    }
    if keys is not None:
        accepted, populations = of_kind["accepted"], of_kind["populations"]
        of_kind["accepted"] = accepted.filter(link__implementation__in=keys)
        of_kind["populations"] = populations.filter(
            population__requirement__implementation__in=keys
        )
    newer = {
        kind: rows.filter(known_from__gt=since).order_by("-known_from", "-pk")
        for kind, rows in of_kind.items()
    }
    shown = {kind: list(rows[: MAX_SHOWN + 1]) for kind, rows in newer.items()}
    counts = {
        kind: len(rows) if len(rows) <= MAX_SHOWN else newer[kind].count()
        for kind, rows in shown.items()
    }
    return News(
        since, **{kind: rows[:MAX_SHOWN] for kind, rows in shown.items()}, counts=counts
    )


@dataclass(frozen=True)
class Requests:
    """The engagement's requests that are not settled, by whose turn it is."""

    overdue: Sequence[EvidenceRequest]
    answered: Sequence[EvidenceRequest]
    waiting: Sequence[EvidenceRequest]


def requests_of(engagement: Engagement, *, today: dt.date) -> Requests:
    """What its auditors asked for and have not settled, the most urgent first."""
    rows = list(engagement.requests.order_by("due_on", "pk"))
    open_ones = [row for row in rows if row.state in UNANSWERED]
    return Requests(
        overdue=[row for row in open_ones if row.overdue_on(today)],
        answered=[row for row in rows if row.state == EvidenceRequestState.ANSWERED],
        waiting=[row for row in open_ones if not row.overdue_on(today)],
    )


def people_of(system: System, now: dt.datetime) -> list[str]:
    """The officers of the company whom an auditor may turn to, by name."""
    officers = system.memberships.active(now).filter(role="officer")
    return sorted({str(row.user) for row in officers.select_related("user")})
