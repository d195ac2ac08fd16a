"""What there is to tell: each source asks a constant number of statements.

A source takes the people and the instant and yields what is so now. To tell something
new, write a source and add it to SOURCES.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from controls.models import System
from controls.models.systems import systems_by_day
from evidence.artifacts.citation_decisions import citations_by_series, waiting_citations
from evidence.artifacts.letters import waiting_letters
from evidence.models import (
    ArtifactVersion,
    EvidenceFile,
    EvidenceLink,
    Population,
    RelianceReview,
    RequirementControl,
    Review,
    ScanState,
    SpillRemoval,
)
from evidence.models.artifacts import ArtifactVersionState
from evidence.models.asks import Cadence
from evidence.models.notices import NoticeKind
from evidence.models.removals import RemovalState
from evidence.notices.approvals import changes_back, to_approve
from evidence.notices.candidates import NoticeCandidate
from evidence.notices.first_asked import Digest, first_due_since, statements
from evidence.notices.people import People
from evidence.notices.requests import requests
from evidence.planning.asks import ask, with_newest_links
from evidence.status.cadence import lead_days

RECENT = dt.timedelta(days=14)  # older decisions are no news
UNSCANNED_TOO_LONG = dt.timedelta(minutes=30)  # a scanner restarts in less


def requirements(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Proof due soon or overdue: its team; long overdue: the officers too.

    Not what is asked per event: it has no due day of its own. What fell due before it
    was stated comes as one digest for each team, and reaches no officer as late (R31).
    """
    digests: Counter[Digest] = Counter()
    rows = RequirementControl.objects.for_listing().filter(
        implementation__responsibility__in=["shared", "customer"]
    )
    rows = rows.exclude(implementation__applicability="not-applicable")
    rows = rows.exclude(cadence=Cadence.PER_EVENT)
    requirement_rows = [
        row
        for today, systems in systems_by_day(System.objects.all(), instant).items()
        for row in with_newest_links(rows.filter(system__in=systems), today)
    ]
    stated_at = statements(requirement_rows)
    for row in requirement_rows:
        today = row.system.day_of(instant)
        if not row.operates_from <= today < (row.operates_until or dt.date.max):
            continue
        state = ask(row, today)
        if state.due is None or state.state in {"waiting", "current"}:
            continue
        stated = row.system.day_of(stated_at[row.pk])
        if state.due < stated:
            team = row.owner_team or row.implementation.owner_team
            digests[Digest(row.system, team, stated)] += 1
            due = first_due_since(row, stated)
            if due is None:
                continue
            state = replace(state, due=due, late=due < today)
        yield from _of_requirement(people, row, state, today)
    for digest, number in digests.items():
        yield digest.notice(people, number)


def _of_requirement(
    people: People, row: Any, state: Any, today: dt.date
) -> Iterator[NoticeCandidate]:
    team = row.owner_team or row.implementation.owner_team
    parameters = {
        "what": f"{row.implementation.control.label} {row.title}",
        "day": str(state.due),
        "team": str(team or "Nobody"),
    }
    path = reverse("evidence:upload", args=[row.system.slug, row.uuid])
    of_team = frozenset(people.team(row.system_id, team.pk if team else None))
    about = f"{row.uuid}:{state.due}"
    if not state.late:
        if state.due - dt.timedelta(lead_days(row.cadence, row.lead_days)) <= today:
            kind = NoticeKind.DUE_SOON
            yield NoticeCandidate(
                kind, f"due:{about}", of_team, row.system_id, path, parameters
            )
        return
    kind = NoticeKind.OVERDUE
    yield NoticeCandidate(
        kind, f"overdue:{about}", of_team, row.system_id, path, parameters
    )
    if (today - state.due).days > settings.ESCALATE_AFTER_DAYS:
        officers = frozenset(people.officers(row.system_id, but=of_team))
        ref_id = row.implementation.control.ref_id
        control = reverse("evidence:control", args=[row.system.slug, ref_id])
        kind = NoticeKind.ESCALATED
        yield NoticeCandidate(
            kind, f"late:{about}", officers, row.system_id, control, parameters
        )


def decisions(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Accepted or rejected: who submitted it."""
    rows = Review.objects.filter(known_from__gte=instant - RECENT).select_related(
        "link__revision__evidence", "link__system"
    )
    for row in rows:
        link = row.link
        kind = NoticeKind.ACCEPTED if row.decision == "accept" else NoticeKind.REJECTED
        evidence = link.revision.evidence
        yield NoticeCandidate(
            kind,
            f"review:{row.uuid}",
            frozenset(people.here(link.system_id, [row.submitter_id])),
            link.system_id,
            reverse("evidence:evidence", args=[evidence.uuid]),
            {"what": evidence.title, "who": row.reviewer_name, "reason": row.reason},
        )


def to_review(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """What waits for review: those who may decide it."""
    waiting = list(EvidenceLink.objects.awaiting_review().for_listing())
    keys = [row.pk for row in waiting]
    authors = EvidenceLink.objects.filter(pk__in=keys).authors_of()
    for row in waiting:
        title = row.revision.evidence.title
        yield NoticeCandidate(
            NoticeKind.TO_REVIEW,
            f"to-review:{row.uuid}",
            frozenset(people.reviewers(row.system_id, but=authors[row.pk])),
            row.system_id,
            reverse("evidence:evidence", args=[row.revision.evidence.uuid]),
            {
                "what": f"{row.implementation.control.label} {title}",
                "who": str(row.submitted_by),
            },
        )


def removals(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Spills to remove: the other officers."""
    rows = SpillRemoval.objects.filter(state=RemovalState.REQUESTED).for_listing()
    for row in rows:
        yield NoticeCandidate(
            NoticeKind.TO_APPROVE,
            f"to-approve:{row.uuid}",
            frozenset(people.officers(row.system_id, but=row.requesters)),
            row.system_id,
            reverse("evidence:removal", args=[row.uuid]),
            {
                "what": f"the removal of {row.name}",
                "who": row.asked_by,
            },
        )


def populations(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Lists of events that wait for review: those who may decide them."""
    waiting = list(Population.objects.awaiting_review().for_listing())
    keys = [row.pk for row in waiting]
    authors = Population.objects.filter(pk__in=keys).authors_of()
    for row in waiting:
        yield NoticeCandidate(
            NoticeKind.TO_REVIEW,
            f"to-review:{row.uuid}",
            frozenset(people.reviewers(row.system_id, but=authors[row.pk])),
            row.system_id,
            reverse("evidence:population", args=[row.uuid]),
            {"what": str(row), "who": str(row.drawn_by)},
        )


def scans(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """A virus, or a file that stays unscanned: its uploader and the officers."""
    infected = Q(
        blob__scan_state=ScanState.INFECTED, blob__scanned_at__gte=instant - RECENT
    )
    given_up = Q(blob__given_up_at__isnull=False) | Q(
        blob__waiting_since__lte=instant - UNSCANNED_TOO_LONG
    )
    shut = Q(given_up, blob__scan_state=ScanState.ERROR, blob__purged_at=None)
    rows = EvidenceFile.objects.filter(infected | shut)
    for row in rows.select_related("revision__evidence", "blob"):
        evidence = row.revision.evidence
        virus = row.blob.scan_state == ScanState.INFECTED
        kind = NoticeKind.INFECTED if virus else NoticeKind.UNSCANNABLE
        recipients = people.officers(evidence.system_id)
        recipients |= people.here(evidence.system_id, [row.revision.uploaded_by_id])
        yield NoticeCandidate(
            kind,
            f"{kind.value}:{row.uuid}",
            frozenset(recipients),
            evidence.system_id,
            reverse("evidence:evidence", args=[evidence.uuid]),
            {"what": row.name},
        )


def to_read(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Reports cited and not read: those who may say whether to rely on them."""
    rows = ArtifactVersion.objects.filter(
        state=ArtifactVersionState.ACTIVE,
        artifact__citations__isnull=False,
    ).values_list(
        "pk",
        "uuid",
        "artifact__title",
        "label",
        "registered_by",
        "registered_by__name",
        "artifact__citations__system",
        "artifact__citations__system__slug",
    )
    read = set(RelianceReview.objects.values_list("artifact_version", "system"))
    for pk, uuid, title, label, by, name, system, slug in rows.distinct():
        if (pk, system) in read:
            continue
        yield NoticeCandidate(
            NoticeKind.TO_READ,
            f"to-read:{uuid}:{system}",
            frozenset(people.reviewers(system, but=[by])),
            system,
            reverse("evidence:reliance", args=[slug, uuid]),
            {"what": f"{title}, {label}", "who": name},
        )


def letters(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Letters registered after the review of their report: who may decide on them."""
    for row in waiting_letters(System.objects.all()):
        letter, report = row.letter, row.letter.artifact_version
        yield NoticeCandidate(
            NoticeKind.TO_REVIEW,
            f"letter:{letter.uuid}:{row.system.pk}",
            frozenset(people.reviewers(row.system.pk, but=letter.registrars)),
            row.system.pk,
            reverse("evidence:artifact", args=[report.artifact.uuid]),
            {
                "what": f"Letter of {letter.issued_on} for {report}",
                "who": str(letter.registered_by or report.registered_by),
            },
        )


def citations(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Citations made after the review of a report: who may decide on them."""
    groups = citations_by_series(waiting_citations(System.objects.all()))
    for (system, artifact), standings in groups.items():
        registrars = {who for row in standings for who in row.citation.registrars}
        newest = standings[-1].citation
        yield NoticeCandidate(
            NoticeKind.TO_REVIEW,
            f"citations:{artifact.uuid}:{system.pk}",
            frozenset(people.reviewers(system.pk, but=registrars)),
            system.pk,
            reverse("evidence:artifact", args=[artifact.uuid]),
            {
                "what": f"Citations of {artifact}",
                "who": str(newest.cited_by),
            },
        )


Source = Callable[[People, dt.datetime], Iterable[NoticeCandidate]]
SOURCES: tuple[Source, ...] = (
    requirements,
    decisions,
    to_review,
    to_approve,
    changes_back,
    removals,
    populations,
    scans,
    to_read,
    letters,
    citations,
    requests,
)
