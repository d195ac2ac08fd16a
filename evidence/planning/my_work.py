"""My work: what is due, rejected, running out or waiting, for one person.

Each list is a constant number of statements, however many systems a person has.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from controls.models import Actor, ApplicabilityDecision, Role, System
from controls.models.decisions import ResponsibilityOverride
from evidence.models import (
    ArtifactVersion,
    Evidence,
    EvidenceLink,
    EvidenceRequest,
    EvidenceRequirement,
    LinkState,
    Population,
    RelianceReview,
    SampleItem,
)
from evidence.models.artifacts import ArtifactVersionState
from evidence.models.requirements import Cadence
from evidence.status.cadence import (
    DAY,
    add_months,
    due_on,
    last_day,
    lead_days,
    occurrence_of,
)
from evidence.submissions.same_again import period_name

LISTED = 200
URGENCY = ("rejected", "overdue", "never", "expiring", "waiting", "current")
WORDS = {
    "rejected": "Rejected",
    "overdue": "Overdue",
    "never": "Never shown",
    "expiring": "Due soon",
    "waiting": "Waiting for review",
    "current": "Up to date",
}

MARKS = {
    "rejected": "rejected",
    "overdue": "lapsed",
    "never": "missing",
    "expiring": "expiring",
    "waiting": "pending",
    "current": "proven",
}


@dataclass(frozen=True)
class DuePeriod:
    """Days that evidence is about; both are inclusive."""

    first: dt.date
    last: dt.date


@dataclass(frozen=True)
class Ask:
    """One requirement of mine, where it stands today, and by when it is due.

    `due` is None where nothing runs out (performed once); `late` says it has passed.
    """

    requirement: EvidenceRequirement
    state: str
    due: dt.date | None
    period: DuePeriod
    rejection: str = ""
    late: bool = False

    @property
    def mark(self) -> str:
        """The half state this amounts to, for the shape and colour beside the word."""
        return MARKS[self.state]

    @property
    def word(self) -> str:
        """The state in plain words."""
        return WORDS[self.state]

    @property
    def again(self) -> str:
        """What a link to repeat the last proof says: `Same again for October 2026`."""
        name = period_name(self.requirement.cadence, self.period.first)
        return f"Same again for {name}" if name else "Same again"


def period_due(
    requirement: EvidenceRequirement, latest: dt.date | None, today: dt.date
) -> DuePeriod:
    """The days the next evidence should be about.

    `latest` is the first day of the newest accepted period. Calendar cadences: the
    newest period that has ended, unless it is done: then the running one. Others: the
    year up to today, or today alone.
    """
    cadence = requirement.cadence
    running = occurrence_of(cadence, today)
    if running is None:
        first = add_months(today, -12) + DAY if cadence == "yearly" else today
        return DuePeriod(first, today)
    ended = occurrence_of(cadence, running - DAY)
    started = occurrence_of(cadence, requirement.operates_from)
    if ended is None or (latest and latest >= ended) or (started and started > ended):
        return DuePeriod(running, last_day(cadence, running))
    return DuePeriod(ended, last_day(cadence, ended))


def with_newest_links(
    requirements: QuerySet[EvidenceRequirement],
) -> QuerySet[EvidenceRequirement]:
    """Each with its best accepted link, what waits, and its newest rejection."""
    links = EvidenceLink.objects.filter(requirement=OuterRef("pk"))
    accepted = links.filter(state=LinkState.ACCEPTED).order_by(
        "-proves_to", "-proves_from"
    )
    rejected = links.filter(state=LinkState.REJECTED).order_by("-submitted_at")
    return requirements.annotate(
        proven_link=Subquery(accepted.values("pk")[:1]),
        proven_evidence=Subquery(accepted.values("revision__evidence__uuid")[:1]),
        proven_to=Subquery(accepted.values("proves_to")[:1]),
        proven_occurrence=Subquery(accepted.values("occurrence")[:1]),
        proven_submitted=Subquery(accepted.values("submitted_at")[:1]),
        waiting=Exists(links.filter(state=LinkState.SUBMITTED)),
        rejected_at=Subquery(rejected.values("submitted_at")[:1]),
        rejection=Subquery(rejected.values("reviews__reason")[:1]),
    )


def _of_my_teams(user: Actor, today: dt.date) -> QuerySet[EvidenceRequirement]:
    """What is asked of the person's own teams on a day."""
    mine = user.memberships.active(None).filter(role=Role.CONTRIBUTOR)
    wanted = Q(pk__in=[])
    for membership in mine:
        team = Q(owner_team=membership.team_id) | Q(
            owner_team=None, implementation__owner_team=membership.team_id
        )
        wanted |= team & Q(system=membership.system_id)
    return (
        EvidenceRequirement.objects.for_listing()
        .filter(wanted, operates_from__lte=today)
        .filter(Q(operates_until=None) | Q(operates_until__gt=today))
        .filter(implementation__responsibility__in=["shared", "customer"])
        .exclude(implementation__applicability="not-applicable")
    )


def asked_of(user: Actor, today: dt.date) -> list[Ask]:
    """What the person's own teams are to prove, most urgent first.

    Only halves that are ours, of applicable controls, in operation today.
    """
    found = _of_my_teams(user, today).exclude(cadence=Cadence.PER_EVENT)
    asks = [ask(each, today) for each in with_newest_links(found)]
    return sorted(
        asks, key=lambda each: (URGENCY.index(each.state), each.due or dt.date.max)
    )


def ask(requirement: EvidenceRequirement, today: dt.date) -> Ask:
    """Where one requirement stands; it must come from `with_newest_links`."""
    row: Any = requirement
    due = row.proven_to if row.proven_link else _first_due(requirement)
    rejected = row.rejected_at and (
        not row.proven_submitted or row.rejected_at > row.proven_submitted
    )
    return Ask(
        requirement=requirement,
        state=_state(row, due, today, rejected=bool(rejected)),
        due=due,
        period=period_due(requirement, row.proven_occurrence, today),
        rejection=(row.rejection or "") if rejected else "",
        late=due is not None and due < today,
    )


def _state(row: Any, due: dt.date | None, today: dt.date, *, rejected: bool) -> str:
    if row.waiting:
        return "waiting"
    if rejected:
        return "rejected"
    if not row.proven_link:
        return "never"
    if due is None:
        return "current"
    if due < today:
        return "overdue"
    lead = dt.timedelta(days=lead_days(row.cadence, row.lead_days))
    return "expiring" if due - lead <= today else "current"


def _first_due(requirement: EvidenceRequirement) -> dt.date | None:
    cadence = requirement.cadence
    first = occurrence_of(cadence, requirement.operates_from)
    if first is None:
        return None
    return due_on(cadence, first, requirement.grace_days)


def per_event_of(user: Actor, today: dt.date) -> QuerySet[EvidenceRequirement]:
    """What the person's teams show per event, each with how far it is.

    `known_to` is the last day that a standing population speaks of, `open_items` the
    number of sampled items with neither proof, nor a submission, nor a deviation.
    """
    standing = Population.objects.standing()
    theirs = standing.filter(requirement=OuterRef("pk")).order_by("-ends", "-pk")
    items = SampleItem.objects.with_state().filter(
        sample__population__in=standing.values("pk"),
        sample__population__requirement=OuterRef("pk"),
        state__in=["open", "rejected"],
        deviation_note=None,
    )
    counted_items = items.order_by().values("sample__population__requirement")
    number = counted_items.annotate(n=Count("item", distinct=True)).values("n")
    return (
        _of_my_teams(user, today)
        .filter(cadence=Cadence.PER_EVENT)
        .annotate(
            known_to=Subquery(theirs.values("ends")[:1]),
            open_items=Coalesce(Subquery(number), 0),
        )
        .order_by("implementation__control__sort_order", "pk")
    )


def populations_to_judge(user: Actor) -> QuerySet[Population]:
    """Populations that wait for this person's decision, oldest first."""
    waiting = Population.objects.awaiting_review().reviewable_by(user)
    return waiting.for_listing()


def counted(asks: Iterable[Ask]) -> dict[str, int]:
    """How many asks are in each state, for the heading."""
    found = dict.fromkeys(URGENCY, 0)
    for each in asks:
        found[each.state] += 1
    return {WORDS[state]: number for state, number in found.items() if number}


def requests_of(user: Actor) -> dict[str, list[EvidenceRequest]]:
    """Requests that wait for the person: to answer, and answers to decide on."""
    return {
        "to_answer": list(EvidenceRequest.objects.to_answer(user)[:LISTED]),
        "to_decide": list(EvidenceRequest.objects.to_decide(user)[:LISTED]),
    }


def drafts_of(user: Actor) -> list[EvidenceLink]:
    """Links of the person's own evidence that nobody has submitted yet."""
    drafts = EvidenceLink.objects.filter(
        state=LinkState.DRAFT,
        revision__uploaded_by=user,
        revision__evidence__in=Evidence.objects.revisable_by(user),
    )
    return list(drafts.for_listing().order_by("pk")[:LISTED])


def waiting_for(user: Actor) -> int:
    """How many links wait for this person's decision."""
    return EvidenceLink.objects.awaiting_review().reviewable_by(user).count()


def to_review(user: Actor) -> QuerySet[EvidenceLink]:
    """Links that wait for this person's decision, oldest first, with their files."""
    waiting = EvidenceLink.objects.awaiting_review().reviewable_by(user)
    return waiting.for_listing().prefetch_related(
        "revision__files__blob", "revision__files__clearance"
    )


def overrides_to_decide(user: Actor) -> QuerySet[ResponsibilityOverride]:
    """Overrides that wait for the person as another officer, oldest first."""
    return ResponsibilityOverride.objects.to_decide(user)


def exclusions_to_decide(user: Actor) -> QuerySet[ApplicabilityDecision]:
    """Requests to leave a control out that wait for the person as another officer."""
    return ApplicabilityDecision.objects.to_decide(user)


@dataclass(frozen=True)
class Unread:
    """A report nobody has reviewed for a system; `mine` says who may not."""

    version: ArtifactVersion
    system: System
    registered_by_me: bool


def unread_reports(user: Actor) -> list[Unread]:
    """Reports to read before a system of the person's relies on them, oldest first."""
    systems = list(System.objects.held_as(user, [Role.OFFICER, Role.REVIEWER]))
    versions = list(
        ArtifactVersion.objects.filter(state=ArtifactVersionState.ACTIVE)
        .annotate(citations=Count("artifact__coverage"))
        .filter(citations__gt=0)
        .select_related("artifact", "registered_by")
        .order_by("known_from")
    )
    read = set(
        RelianceReview.objects.filter(system__in=systems).values_list(
            "artifact_version_id", "system_id"
        )
    )
    return [
        Unread(version, system, version.registered_by_id == user.pk)
        for version in versions
        for system in systems
        if (version.pk, system.pk) not in read
    ]
