"""What there is to tell: each source asks a constant number of statements.

A source takes the people and the instant and yields what is so now. To tell something
new, write a source and add it to SOURCES. One file: sources are read beside each other.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from django.db.models import Q
from django.urls import reverse

from controls.models import System
from evidence.artifacts.citation_decisions import citations_by_series, waiting_citations
from evidence.artifacts.letters import waiting_letters
from evidence.artifacts.withdrawn import withdrawn_and_expecting
from evidence.models import (
    ArtifactVersion,
    EvidenceFile,
    EvidenceLink,
    Population,
    RelianceReview,
    Review,
    ScanState,
    ScopeSetting,
)
from evidence.models.artifacts import ArtifactVersionState
from evidence.models.notices import NoticeKind
from evidence.notices.acts import Acts
from evidence.notices.alarms import audit_log
from evidence.notices.approvals import changes_back, closings, to_approve
from evidence.notices.candidates import RECENT, NoticeCandidate, path_to
from evidence.notices.due import MAX_NAMED, requirements
from evidence.notices.duties import duties_changed
from evidence.notices.findings import findings, refused_responses
from evidence.notices.people import People
from evidence.notices.removals import removals
from evidence.notices.requests import requests
from evidence.status.rows import among

UNSCANNED_TOO_LONG = dt.timedelta(minutes=30)  # a scanner restarts in less


def decisions(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Accepted or rejected: who submitted it, once for what was decided in one act."""
    # single columns: tens of thousands are decided in two weeks
    rows = (
        Review.objects.filter(known_from__gte=instant - RECENT)
        .order_by("pk")
        .values_list(
            "uuid",
            "submitter_id",
            "reviewer_name",
            "decision",
            "reason",
            "known_from",
            "link__revision_id",
            "link__system_id",
            "link__revision__evidence__uuid",
            "link__revision__evidence__title",
        )
    )
    acts = Acts()
    decided_before: set[tuple[object, ...]] = set()
    for row in rows:
        uuid, submitter, reviewer, decision, reason, at = row[:6]
        revision, system, evidence, title = row[6:]
        who = (submitter, reviewer, decision, reason)
        act = acts.begun(who, at)
        decided = (revision, *who, act)
        if decided in decided_before:
            continue
        decided_before.add(decided)
        kind = NoticeKind.ACCEPTED if decision == "accept" else NoticeKind.REJECTED
        yield NoticeCandidate(
            kind,
            f"review:{uuid}",
            frozenset(people.here(system, [submitter])),
            system,
            path_to("evidence:evidence", evidence),
            {
                "what": title,
                "who": reviewer,
                "reason": reason,
                "act": f"{reviewer} {act}",
            },
        )


def to_review(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """What waits for review: those who may decide some of it (R17), once for each
    submission.

    Its key is that of the first link of the submission, whether that waits or not.
    """
    # single columns: tens of thousands may wait
    waiting = list(
        EvidenceLink.objects.awaiting_review().values_list(
            "pk",
            "revision",
            "system_id",
            "revision__evidence__uuid",
            "revision__evidence__title",
            "implementation__control__label",
            "submitted_by__name",
            "submitted_by__email",
            "submitted_at",
        )
    )
    revisions = {row[1] for row in waiting}
    first_links = (
        EvidenceLink.objects.filter(revision__in=among(revisions))
        .order_by("revision", "pk")
        .distinct("revision")
    )
    keys = dict(first_links.values_list("revision", "uuid"))
    labels: defaultdict[int, list[str]] = defaultdict(list)
    authors = EvidenceLink.objects.filter(pk__in=among(row[0] for row in waiting))
    hands = authors.authors_of()
    # who attached it to one control may decide another
    reviewers: defaultdict[int, frozenset[int]] = defaultdict(frozenset)
    for row in waiting:
        labels[row[1]].append(row[5])
        reviewers[row[1]] |= frozenset(people.reviewers(row[2], but=hands[row[0]]))
    acts = Acts()
    revisions_named: set[int] = set()
    for _, revision, system, evidence, title, _, name, email, at in waiting:
        if revision in revisions_named:
            continue
        revisions_named.add(revision)
        controls = ", ".join(labels[revision][:MAX_NAMED])
        if (more := len(labels[revision]) - MAX_NAMED) > 0:
            controls += f" and {more} more"
        yield NoticeCandidate(
            NoticeKind.TO_REVIEW,
            f"to-review:{keys[revision]}",
            reviewers[revision],
            system,
            path_to("evidence:evidence", evidence),
            {
                "what": f"{controls} {title}",
                "who": name or email,
                "act": f"{email} {acts.begun((system, email), at)}",
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
        "artifact__registered_by",
        "registered_by__name",
        "artifact__citations__system",
        "artifact__citations__system__slug",
    )
    read = set(RelianceReview.objects.values_list("artifact_version", "system"))
    scoped: defaultdict[int, set[int]] = defaultdict(set)
    for pk, person in ScopeSetting.objects.values_list("artifact_version", "set_by"):
        scoped[pk].add(person)
    for pk, uuid, title, label, by, series_by, name, system, slug in rows.distinct():
        if (pk, system) in read:
            continue
        yield NoticeCandidate(
            NoticeKind.TO_READ,
            f"to-read:{uuid}:{system}",
            frozenset(people.reviewers(system, but={by, series_by, *scoped[pk]})),
            system,
            reverse("evidence:reliance", args=[slug, uuid]),
            {"what": f"{title}, {label}", "who": name},
        )


def to_let_go(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Reports that were withdrawn and still expect something of us: those who may say
    that a system does not rely on them (R26)."""
    pairs = withdrawn_and_expecting()
    systems = System.objects.in_bulk([key for _, key in pairs])
    scoped: defaultdict[int, set[int]] = defaultdict(set)
    for pk, person in ScopeSetting.objects.values_list("artifact_version", "set_by"):
        scoped[pk].add(person)
    for report, key in pairs:
        hands = {
            report.registered_by_id,
            report.artifact.registered_by_id,
            *scoped[report.pk],
        }
        if report.ended_by_id:
            hands.add(report.ended_by_id)
        yield NoticeCandidate(
            NoticeKind.TO_APPROVE,
            f"to-let-go:{report.uuid}:{key}",
            frozenset(people.reviewers(key, but=hands)),
            key,
            reverse("evidence:reliance", args=[systems[key].slug, report.uuid]),
            {
                "who": str(report.ended_by or "A registrar"),
                "what": f"{systems[key].name} does not rely on {report}, which its"
                " auditor withdrew",
            },
        )


def letters(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Letters registered after the review of their report: who may decide on them."""
    for row in waiting_letters(System.objects.all()):
        letter, report = row.letter, row.letter.artifact_version
        yield NoticeCandidate(
            NoticeKind.TO_REVIEW,
            f"letter:{letter.uuid}:{row.system.pk}",
            frozenset(people.reviewers(row.system.pk, but=row.registrars)),
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
        registrars = {who for row in standings for who in row.registrars}
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
    closings,
    removals,
    populations,
    scans,
    to_read,
    to_let_go,
    letters,
    citations,
    requests,
    audit_log,
    duties_changed,
    findings,
    refused_responses,
)
