"""What a system cites a series for, and the second person on what came late.

A citation belongs to one system and moves nothing in another. Its officers cite; one
made after somebody reviewed a report of the series waits for a second person (R24).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from controls.access import is_officer, require_officer
from controls.errors import NotPermitted, Refused
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent, Control, ControlImplementation, System
from controls.models.audit import about
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
    ArtifactCoverage,
    Citation,
    LetterAcceptance,
    RelianceConclusion,
    RelianceReview,
)
from evidence.models.artifacts import AWS
from evidence.status.gather import Moment, gather

OF_PROVIDERS = ("inherited", "shared")


@dataclass(frozen=True)
class CitationStanding:
    """Where one citation stands, and what put it there.

    `decision` is a second person's own; `review` the first review of a report of the
    series that decided on it. At most one is set; none where it counts as it did before
    citations waited.
    """

    citation: Citation
    state: StandingState
    decision: LetterAcceptance | None = None
    review: RelianceReview | None = None


def systems_to_cite_in(user: Actor) -> QuerySet[System]:
    """Systems whose citations a person may change: those they are an officer of."""
    if user.is_superuser:
        return System.objects.visible_to(user)
    return System.objects.officered_by(user)


def require_citer(by: Actor) -> None:
    """Raise NotPermitted unless `by` may cite in some system."""
    if not (by.is_active and systems_to_cite_in(by).exists()):
        raise NotPermitted("Only a compliance officer cites a report for a system.")


def controls_of_provider(
    artifact: Artifact,
    system: System,
    family: str = "",
    ref_ids: Sequence[str] | None = None,
) -> list[Control]:
    """The controls of a system in which the artifact's provider has a half.

    Of one family, those of `ref_ids`, or all. Raises Refused naming those of `ref_ids`
    that are not in the system or not the provider's, and for a provider that provides
    nothing there.
    """
    if family and not Control.objects.filter(family=family).exists():
        raise Refused({"family": f"There is no family “{family}” of controls."})
    implementations = ControlImplementation.objects.matching(family=family).filter(
        system=system, responsibility__in=OF_PROVIDERS
    )
    if artifact.provider_slug != AWS:
        implementations = implementations.filter(
            pk__in=_of_third_party(artifact, system, implementations)
        )
    if ref_ids is not None:
        implementations = implementations.filter(control__ref_id__in=ref_ids)
    controls = Control.objects.filter(implementations__in=implementations).order_by(
        "sort_order"
    )
    wrong = sorted(set(ref_ids or ()) - {control.ref_id for control in controls})
    if wrong:
        sentence = (
            f"{artifact.provider} has no half of these here: {', '.join(wrong[:20])}."
        )
        raise Refused({"control_ids": sentence})
    return list(controls)


def _of_third_party(
    artifact: Artifact,
    system: System,
    implementations: QuerySet[ControlImplementation],
) -> list[int]:
    """Keys of those in which a provider other than AWS is a party."""
    pks = list(implementations.values_list("pk", flat=True))
    facts = gather(system, pks, Moment(system.day_of(knowledge_now()))).facts
    providers = {
        pk: {need.provider: need.provider_name for need in row.aws.needed}
        for pk, row in facts.items()
        if row.aws
    }
    mine = [pk for pk, of in providers.items() if artifact.provider_slug in of]
    if not mine:
        named = {name for of in providers.values() for name in of.values()} - {"AWS"}
        known = f" Providers beside AWS: {', '.join(sorted(named))}." if named else ""
        raise Refused(f"{artifact.provider} provides nothing in {system}.{known}")
    return mine


def proposed_controls(artifact: Artifact, system: System) -> list[Control]:
    """Controls of the provider here that the series speaks to, or that other systems
    cite it for, and this one does not yet (R24). Raises Refused as the one above."""
    controls = controls_of_provider(artifact, system)
    elsewhere = Citation.objects.filter(artifact=artifact).exclude(system=system)
    spoken_to = set(elsewhere.values_list("control", flat=True)) | set(
        ArtifactCoverage.objects.filter(artifact=artifact).values_list(
            "control", flat=True
        )
    )
    here = set(
        Citation.objects.filter(artifact=artifact, system=system).values_list(
            "control", flat=True
        )
    )
    return [c for c in controls if c.pk in spoken_to and c.pk not in here]


@transaction.atomic
def cite(
    artifact: Artifact,
    system: System,
    controls: Iterable[Control],
    *,
    citation: str = "",
    by: Actor,
) -> int:
    """Offer a series as proof of its provider's half of many controls of one system.

    Returns how many were added; controls that cite it already stay as they are. Raises
    NotPermitted for others than officers of the system.
    """
    require_officer(system, by)
    Artifact.objects.select_for_update(of=("self",)).get(pk=artifact.pk)
    cited = Citation.objects.filter(artifact=artifact, system=system)
    known = set(cited.values_list("control_id", flat=True))
    added = [control for control in controls if control.pk not in known]
    if not added:
        return 0
    Citation.objects.bulk_create(
        Citation(
            system=system,
            artifact=artifact,
            control=control,
            cited_by=by,
            citation=citation.strip(),
        )
        for control in added
    )
    AuditEvent.objects.append(
        about(
            artifact,
            "artifact.cited",
            by=by,
            system=system.slug,
            citation=citation.strip(),
            controls=[control.ref_id for control in added],
        )
    )
    return len(added)


@transaction.atomic
def remove_citation(citation: Citation, *, by: Actor) -> None:
    """Stop offering a series for a control of a system; what was so stays on record."""
    stored = (
        Citation.objects.select_for_update(of=("self",))
        .select_related("artifact", "control", "system")
        .get(pk=citation.pk)
    )
    require_officer(stored.system, by)
    event = about(
        stored.artifact,
        "citation.removed",
        by=by,
        system=stored.system.slug,
        control=stored.control.ref_id,
    )
    stored.delete()
    AuditEvent.objects.append(event)


def citation_standings(citations: QuerySet[Citation]) -> list[CitationStanding]:
    """Each citation in the order of its system and catalog. Three statements.

    The same rule as `gather_sql.COVERAGE`; a test compares the two.
    """
    rows = list(citations.for_listing())  # type: ignore[attr-defined]
    if not rows:
        return []
    decisions = {
        row.citation_id: row
        for row in LetterAcceptance.objects.filter(citation__in=rows)
    }
    reviews: defaultdict[tuple[int, int], list[RelianceReview]] = defaultdict(list)
    for review in (
        RelianceReview.objects.filter(
            artifact_version__artifact__in={row.artifact_id for row in rows},
            system__in={row.system_id for row in rows},
        )
        .select_related("artifact_version")
        .order_by("known_from", "pk")
    ):
        key = (review.artifact_version.artifact_id, review.system_id)
        reviews[key].append(review)
    return [
        _standing(row, decisions.get(row.pk), reviews[row.artifact_id, row.system_id])
        for row in rows
    ]


def _standing(
    citation: Citation,
    decision: LetterAcceptance | None,
    reviews: Sequence[RelianceReview],
) -> CitationStanding:
    if decision is not None:
        return CitationStanding(citation, decision.past_tense, decision=decision)
    if citation.counts_at_once:
        return CitationStanding(citation, "accepted")
    review = deciding_review(reviews, citation.known_from, {citation.cited_by_id})
    if review:
        return CitationStanding(citation, "accepted", review=review)
    relied_on = any(r.conclusion != RelianceConclusion.DO_NOT_RELY for r in reviews)
    return CitationStanding(citation, "waiting" if relied_on else "with-report")


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
    return [
        standing
        for standing in citation_standings(citations.distinct())
        if standing.state == "waiting"
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
        if user.pk not in standing.citation.registrars
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


def may_change_citations(user: Actor, system: System) -> bool:
    """Whether a person may cite in a system, and take citations back."""
    return is_officer(user, system)


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
        require_citation_reviewer(standing.citation, by=by)
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


def require_citation_reviewer(citation: Citation, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` may decide on the citation."""
    require_reviewer(
        citation.system,
        citation.registrars,
        by=by,
        sentence=(
            "You cited or registered this report; somebody else must decide on the"
            " citation."
        ),
    )
