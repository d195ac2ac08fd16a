"""My work: what waits for one person to decide, answer or finish.

Each list is a constant number of statements, however many systems a person has.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from controls.models import (
    Actor,
    Applicability,
    ApplicabilityDecision,
    ControlImplementation,
    EndRequest,
    ImplementationStatus,
    ResponsibilityOverride,
    RetrospectiveChange,
    Role,
    System,
)
from controls.models.systems import systems_by_day
from evidence.artifacts.second_person import reports_with_a_hand_of
from evidence.artifacts.withdrawn import withdrawn_and_expecting
from evidence.models import (
    ArtifactVersion,
    Citation,
    Evidence,
    EvidenceLink,
    EvidenceRequest,
    LinkState,
    Population,
    RelianceReview,
    RequirementControl,
)
from evidence.models.artifacts import ArtifactVersionState

LISTED = 200


def brings_to(user: Actor) -> list[System]:
    """Systems to which the person brings evidence, by name."""
    held = System.objects.held_as(user, [Role.CONTRIBUTOR])
    return list(held.order_by("name", "pk"))


def teams_of(user: Actor) -> list[str]:
    """Names of the teams for which the person brings evidence, in their order."""
    mine = user.memberships.active(None).filter(role=Role.CONTRIBUTOR)
    names = mine.values_list("team__name", flat=True)
    return list(names.order_by("team__name").distinct())


def decides(user: Actor) -> bool:
    """Whether something may wait for the person to review, approve or read: nothing
    does for who holds neither of these roles anywhere. One statement at most."""
    held = System.objects.held_as(user, [Role.REVIEWER, Role.OFFICER])
    return user.is_superuser or held.exists()


def populations_to_judge(user: Actor) -> QuerySet[Population]:
    """Populations that wait for this person's decision, oldest first."""
    waiting = Population.objects.awaiting_review().reviewable_by(user)
    return waiting.for_listing()


def requests_of(user: Actor) -> dict[str, QuerySet[EvidenceRequest]]:
    """Requests that wait for the person: to answer, and answers to decide on."""
    return {
        "requests_to_answer": EvidenceRequest.objects.to_answer(user)[:LISTED],
        "requests_to_decide": EvidenceRequest.objects.to_decide(user)[:LISTED],
    }


def drafts_of(user: Actor) -> list[EvidenceLink]:
    """Links of the person's own evidence that nobody has submitted yet, with files."""
    own = EvidenceLink.objects.filter(state=LinkState.DRAFT, revision__uploaded_by=user)
    if not own.exists():  # as for most: what they may revise is not asked then
        return []
    drafts = own.filter(revision__evidence__in=Evidence.objects.revisable_by(user))
    listed = drafts.for_listing().prefetch_related("revision__files")
    return list(listed.order_by("pk")[:LISTED])


def overrides_to_decide(user: Actor) -> QuerySet[ResponsibilityOverride]:
    """Overrides that wait for the person as another officer, oldest first."""
    return ResponsibilityOverride.objects.to_decide(user)


def exclusions_to_decide(user: Actor) -> QuerySet[ApplicabilityDecision]:
    """Requests to leave a control out that wait for the person as another officer."""
    return ApplicabilityDecision.objects.to_decide(user)


def ends_to_decide(user: Actor) -> QuerySet[EndRequest]:
    """Early ends that wait for the person as another officer, oldest first."""
    return EndRequest.objects.to_decide(user)


def changes_to_decide(user: Actor) -> QuerySet[RetrospectiveChange]:
    """Changes in retrospect that wait for the person as another officer."""
    return RetrospectiveChange.objects.to_decide(user)


def unstated_of(user: Actor, now: dt.datetime) -> list[dict[str, Any]]:
    """Systems with controls of which nobody has said how far they are and this person
    may: one row for each, with how many `controls` (R28).

    Only of halves that are ours, an inherited one by what a report expects (R26)."""
    mine = ControlImplementation.objects.describable_by(user)
    unstated = mine.filter(implementation_status=ImplementationStatus.NOT_STATED)
    nobodys = Q(responsibility__in=["inherited", "none"])
    expected = Q(pk__in=[])
    held = System.objects.filter(pk__in=unstated.filter(nobodys).values("system"))
    for today, systems in systems_by_day(held, now).items():
        expecting_rows = RequirementControl.objects.expected_of_us(systems, today)
        expected |= Q(pk__in=expecting_rows.values("implementation"))
    ours = unstated.filter(~nobodys | expected)
    applicable = ours.exclude(applicability=Applicability.NOT_APPLICABLE)
    rows = applicable.order_by("system__name").values("system__slug", "system__name")
    return [dict(row) for row in rows.annotate(controls=Count("pk"))]


@dataclass(frozen=True)
class Unread:
    """A report that somebody has to review for a system: nobody has, or its auditor
    withdrew it since. `registered_by_me`: the person had a hand in it, and may not."""

    version: ArtifactVersion
    system: System
    registered_by_me: bool


def unread_reports(user: Actor) -> list[Unread]:
    """Reports to read before a system of the person's relies on them, oldest first;
    then those that were withdrawn and still expect something of us there."""
    systems = list(System.objects.held_as(user, [Role.OFFICER, Role.REVIEWER]))
    versions = list(
        ArtifactVersion.objects.filter(state=ArtifactVersionState.ACTIVE)
        .filter(artifact__citations__system__in=systems)
        .distinct()
        .select_related("artifact", "registered_by")
        .order_by("known_from")
    )
    read = set(
        RelianceReview.objects.filter(system__in=systems).values_list(
            "artifact_version_id", "system_id"
        )
    )
    cited = set(
        Citation.objects.filter(system__in=systems)
        .order_by()
        .values_list("artifact_id", "system_id")
        .distinct()
    )
    mine = reports_with_a_hand_of(user)
    by_key = {system.pk: system for system in systems}
    to_read = [
        (version, system)
        for version in versions
        for system in systems
        if (version.artifact_id, system.pk) in cited
        and (version.pk, system.pk) not in read
    ] + [(version, by_key[key]) for version, key in withdrawn_and_expecting(systems)]
    return [Unread(version, system, version.pk in mine) for version, system in to_read]
