"""What waits for a reviewer, by submission: the files and all they would prove.

A submission is one revision with the links of it that this person may decide.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from controls.models import Actor
from evidence.models import (
    EvidenceLink,
    EvidenceRevision,
    Half,
    LinkState,
    Proof,
    RequirementControl,
)
from evidence.models.link_queries import EvidenceLinkQuerySet
from evidence.reviews.counts_as import CountsAs, counts_as


@dataclass(frozen=True)
class WaitingLink:
    """One control that a submission would prove, and what it would count as.

    `line` says what in the evidence proves it. `before` is the link accepted last for
    the same requirement, if any.
    """

    link: EvidenceLink
    counts: CountsAs
    before: EvidenceLink | None = None

    @property
    def line(self) -> str:
        """What in the evidence proves this control; empty where nothing asks."""
        requirement = self.link.requirement
        if requirement is None:
            return ""
        return requirement.what_it_shows or requirement.title


@dataclass(frozen=True)
class WaitingSubmission:
    """One revision and the links of it to decide, in catalog order, at least one."""

    revision: EvidenceRevision
    links: tuple[WaitingLink, ...]

    @property
    def worst(self) -> WaitingLink:
        """The link that counts worst: the most days late."""
        return max(self.links, key=lambda row: row.counts.rank)

    @property
    def late(self) -> WaitingLink | None:
        """A link whose day the reviewer is asked about; None where there is none."""
        return next((row for row in self.links if row.counts.recording), None)

    @property
    def controls(self) -> str:
        """Labels of the controls, one after another."""
        labels = [row.link.implementation.control.label for row in self.links]
        return ", ".join(dict.fromkeys(labels))

    @property
    def submitted_at(self) -> dt.datetime | None:
        """When the first of its links was handed over for review."""
        return self.links[0].link.submitted_at

    @property
    def before(self) -> EvidenceLink | None:
        """What was accepted last for the same requirement; None where nothing was."""
        return next((row.before for row in self.links if row.before), None)


def waiting(
    user: Actor, *, system: str = "", by: str = "", q: str = ""
) -> EvidenceLinkQuerySet:
    """Links that wait for this person's decision, narrowed; empty means any.

    `system` is a slug, `by` the key of who submitted (a number), `q` part of a
    control's label, of an ask's title or of the evidence's.
    """
    links = EvidenceLink.objects.awaiting_review().reviewable_by(user)
    if system:
        links = links.filter(system__slug=system)
    if by:
        links = links.filter(submitted_by__pk=int(by))
    if q:
        links = links.filter(
            Q(implementation__control__label__icontains=q)
            | Q(requirement__title__icontains=q)
            | Q(revision__evidence__title__icontains=q)
        )
    return links


def by_oldest_period(links: EvidenceLinkQuerySet) -> QuerySet[Any, Any]:
    """Rows `revision`, `oldest` (the last day of its oldest period), `first` (when it
    was submitted) and `links`: the oldest period first, then who waits longest."""
    # the day it was performed is that of its revision, and stands in the index
    ends = Coalesce("occurrence_ends", "proves_from")
    return (
        links.order_by()
        .values("revision")
        .annotate(oldest=Min(ends), first=Min("submitted_at"), links=Count("pk"))
        .order_by("oldest", "first", "revision")
    )


def number_of(links: EvidenceLinkQuerySet) -> int:
    """How many submissions the links are of. One statement."""
    return links.order_by().aggregate(n=Count("revision", distinct=True))["n"] or 0


def median_wait(links: EvidenceLinkQuerySet, number: int, now: dt.datetime) -> int:
    """Whole days that half of the `number` submissions of some links (not none) have
    waited at least. One statement."""
    waits = links.order_by().values("revision").annotate(first=Min("submitted_at"))
    middle = waits.order_by("first").values_list("first", flat=True)[number // 2]
    return max(0, (now - middle).days) if middle else 0


def submissions_of(links: EvidenceLinkQuerySet) -> dict[int, WaitingSubmission]:
    """Submissions of these links, by their revision's key. Eight statements at most."""
    rows = list(
        links.for_listing()
        .select_related("revision__collected_by")
        .prefetch_related("revision__files__blob", "revision__files__clearance")
        .order_by("implementation__control__sort_order", "pk")
    )
    counts, before = counts_as(rows), _accepted_before(rows)
    grouped: defaultdict[int, list[WaitingLink]] = defaultdict(list)
    for link in rows:
        earlier = before.get(link.requirement_id) if link.requirement_id else None
        grouped[link.revision_id].append(WaitingLink(link, counts[link.pk], earlier))
    return {
        key: WaitingSubmission(mine[0].link.revision, tuple(mine))
        for key, mine in grouped.items()
    }


def _accepted_before(links: Iterable[EvidenceLink]) -> dict[int, EvidenceLink]:
    """What was accepted last for each requirement of the links, by its key."""
    requirements = {link.requirement_id for link in links if link.requirement_id}
    if not requirements:
        return {}
    # by the index of proof: an ask may have a thousand accepted links
    latest = (
        Proof.objects.filter(
            requirement=OuterRef("pk"),
            half=Half.CUSTOMER,
            state=LinkState.ACCEPTED,
            known_until=None,
        )
        .order_by("-starts", "-link")
        .values("link")[:1]
    )
    newest = RequirementControl.objects.filter(pk__in=requirements)
    links_of_asks = newest.annotate(latest=Subquery(latest)).values("latest")
    accepted = EvidenceLink.objects.filter(pk__in=links_of_asks).select_related(
        "revision__evidence"
    )
    return {link.requirement_id: link for link in accepted if link.requirement_id}
