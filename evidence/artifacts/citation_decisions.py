"""Where citations stand, and the second person on those that came late (R24, R32).

A citation made after somebody reviewed a report of the series waits in its system for a
second person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import connection, transaction
from django.db.models import QuerySet

from controls.errors import Refused
from controls.models import Actor, AuditEvent, System
from controls.models.audit import about
from evidence.artifacts.coverage import unnamed_by_coverage
from evidence.artifacts.second_person import (
    REVIEWING,
    StandingState,
    deciding_review,
    record_decisions,
    require_reviewer,
    require_waiting,
)
from evidence.models import (
    Artifact,
    Citation,
    LetterAcceptance,
    RelianceConclusion,
    RelianceReview,
)

CITED_BEFORE = """
SELECT DISTINCT now.id, before.cited_by_id
  FROM evidence_citation now
  JOIN evidence_citation_history before USING (system_id, artifact_id, control_id)
 WHERE now.id = ANY(%s) AND now.id <> before.id
"""


@dataclass(frozen=True)
class CitationStanding:
    """Where one citation stands, and what put it there.

    `decision` is a second person's own; `review` the first review of a report of the
    series that decided on it. At most one is set; none where it counts as it did before
    citations waited. `unnamed`: what is recorded that the series speaks to names other
    controls and not this one; the second person decides whether the report proves it.
    `registrars` are keys of who cited, or registered the series: none of them decides
    on it, nor does who cited the same before and took it back (R32).
    """

    citation: Citation
    state: StandingState
    decision: LetterAcceptance | None = None
    review: RelianceReview | None = None
    unnamed: bool = False
    registrars: frozenset[int] = frozenset()


def citation_standings(citations: QuerySet[Citation]) -> list[CitationStanding]:
    """Each citation in the order of its system and catalog. Five statements.

    The same rule as `gather_sql.COVERAGE`; a test compares the two.
    """
    rows = list(citations.for_listing())  # type: ignore[attr-defined]
    if not rows:
        return []
    decisions = {
        row.citation_id: row
        for row in LetterAcceptance.objects.filter(citation__in=rows)
    }
    reviews = _reviews(
        {row.artifact_id for row in rows}, {row.system_id for row in rows}
    )
    unnamed = unnamed_by_coverage([(row.artifact_id, row.control) for row in rows])
    cited_before = _cited_before([row.pk for row in rows])
    return [
        replace(
            _standing(
                row,
                decisions.get(row.pk),
                reviews[row.artifact_id, row.system_id],
                {row.cited_by_id} | cited_before[row.pk],
            ),
            unnamed=(row.artifact_id, row.control_id) in unnamed,
            registrars=row.registrars | cited_before[row.pk],
        )
        for row in rows
    ]


def _cited_before(pks: Sequence[int]) -> defaultdict[int, set[int]]:
    """By citation, who cited the same for the same control of the same system before
    it was taken back."""
    people: defaultdict[int, set[int]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(CITED_BEFORE, [list(pks)])
        for pk, person in cursor.fetchall():
            people[pk].add(person)
    return people


def _reviews(
    series: Collection[int], systems: Collection[int]
) -> defaultdict[tuple[int, int], list[RelianceReview]]:
    """Reviews of these series in these systems, by both keys, the oldest first."""
    reviews: defaultdict[tuple[int, int], list[RelianceReview]] = defaultdict(list)
    for review in (
        RelianceReview.objects.filter(
            artifact_version__artifact__in=series, system__in=systems
        )
        .select_related("artifact_version")
        .order_by("known_from", "pk")
    ):
        key = (review.artifact_version.artifact_id, review.system_id)
        reviews[key].append(review)
    return reviews


def _standing(
    citation: Citation,
    decision: LetterAcceptance | None,
    reviews: Sequence[RelianceReview],
    citers: Collection[int],
) -> CitationStanding:
    if decision is not None:
        return CitationStanding(citation, decision.past_tense, decision=decision)
    if citation.counts_at_once:
        return CitationStanding(citation, "accepted")
    review = deciding_review(reviews, citation.known_from, citers)
    if review:
        return CitationStanding(citation, "accepted", review=review)
    relied_on = any(r.conclusion != RelianceConclusion.DO_NOT_RELY for r in reviews)
    return CitationStanding(citation, "waiting" if relied_on else "with-report")


def is_relied_on(artifact: Artifact, system: System) -> bool:
    """Whether a review relied on a report of the series here: what is cited since
    waits for a second person."""
    reviews = RelianceReview.objects.filter(
        artifact_version__artifact=artifact, system=system
    )
    return reviews.exclude(conclusion=RelianceConclusion.DO_NOT_RELY).exists()


def waiting_citations(systems: Iterable[System]) -> list[CitationStanding]:
    """Citations of these systems that wait for a second person."""
    systems = list(systems)
    reviewed = RelianceReview.objects.filter(system__in=systems).exclude(
        conclusion=RelianceConclusion.DO_NOT_RELY
    )
    citations = Citation.objects.filter(
        system__in=systems,
        counts_at_once=False,
        artifact__versions__in=reviewed.values("artifact_version"),
    ).exclude(pk__in=_decided())
    waiting = _undecided(citations.distinct())
    if not waiting:
        return []
    return [
        standing
        for standing in citation_standings(Citation.objects.filter(pk__in=waiting))
        if standing.state == "waiting"
    ]


def _undecided(citations: QuerySet[Citation]) -> list[int]:
    """Keys of those that no review decided on, without making objects of the others:
    a system that lives long has thousands."""
    rows = list(
        citations.values_list(
            "pk", "artifact_id", "system_id", "known_from", "cited_by_id"
        )
    )
    reviews = _reviews({row[1] for row in rows}, {row[2] for row in rows})
    cited_before = _cited_before([row[0] for row in rows])
    return [
        pk
        for pk, series, system, known_from, cited_by in rows
        if not deciding_review(
            reviews[series, system], known_from, {cited_by} | cited_before[pk]
        )
    ]


def _decided() -> QuerySet[LetterAcceptance, int | None]:
    """Keys of the citations that a second person decided on."""
    rows = LetterAcceptance.objects.filter(citation__isnull=False)
    return rows.values_list("citation_id", flat=True)


def citations_to_decide(user: Actor) -> list[CitationStanding]:
    """Citations that wait for this person: reviewer or officer, who neither cited nor
    registered the series."""
    systems = System.objects.held_as(user, REVIEWING)
    return [
        standing
        for standing in waiting_citations(systems)
        if user.pk not in standing.registrars
    ]


def citations_by_series(
    standings: Iterable[CitationStanding],
) -> Mapping[tuple[System, Artifact], list[CitationStanding]]:
    """The citations of each system and series together, as one act decides on them."""
    groups: dict[tuple[System, Artifact], list[CitationStanding]] = {}
    for standing in standings:
        key = (standing.citation.system, standing.citation.artifact)
        groups.setdefault(key, []).append(standing)
    return groups


@transaction.atomic
def decide_citations(
    citations: Collection[Citation],
    system: System,
    *,
    decision: str,
    reason: str = "",
    by: Actor,
) -> list[LetterAcceptance]:
    """Accept or reject citations of one system in one act, as known from now on.

    Nothing is decided when one of them cannot be. Raises NotPermitted for whoever cited
    or registered one and for others than reviewers, TransitionNotAllowed when one does
    not wait, Refused for a rejection without a reason or where nothing is named.
    """
    mine = Citation.objects.filter(
        pk__in=[citation.pk for citation in citations], system=system
    )
    # Locked in the order of their keys, as every act on many rows does.
    list(mine.order_by("pk").select_for_update(of=("self",)))
    standings = citation_standings(mine)
    if not standings:
        raise Refused({"citations": "Name at least one citation of this system."})
    for standing in standings:
        require_citation_reviewer(standing, by=by)
        require_waiting(standing.state, "citation")
    acceptances = record_decisions(
        [
            {
                "citation": standing.citation,
                "registered_by_id": standing.citation.cited_by_id,
                "report_registered_by_id": standing.citation.artifact.registered_by_id,
            }
            for standing in standings
        ],
        system,
        decision=decision,
        reason=reason,
        by=by,
    )
    AuditEvent.objects.append_all(
        about(
            acceptance,
            f"citation.{acceptance.past_tense}",
            by=by,
            citation=str(standing.citation.uuid),
            artifact=str(standing.citation.artifact.uuid),
            control=standing.citation.control.ref_id,
            reason=acceptance.reason,
        )
        for acceptance, standing in zip(acceptances, standings, strict=True)
    )
    return acceptances


def require_decider(system: System, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` reviews for the system."""
    require_reviewer(system, (), by=by, sentence="")


def require_citation_reviewer(standing: CitationStanding, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` may decide on the citation."""
    require_reviewer(
        standing.citation.system,
        standing.registrars,
        by=by,
        sentence=(
            "You cited or registered this report; somebody else must decide on the"
            " citation."
        ),
    )
