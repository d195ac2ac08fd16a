"""What the rows of My work go on with: drafts, and what was rejected or waits.

Each list is a constant number of statements, however many rows are shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from controls.grammar import day_in_words
from evidence.models import (
    EvidenceLink,
    EvidenceRevision,
    LinkState,
    Review,
)
from evidence.planning.by_ask import AskRow


@dataclass(frozen=True)
class BroughtTogether:
    """Links of one revision that stand alike; `links` is never empty."""

    links: Sequence[EvidenceLink]

    @property
    def revision(self) -> EvidenceRevision:
        """What was brought, with its files and its evidence."""
        revision: EvidenceRevision = self.links[0].revision
        return revision

    @property
    def labels(self) -> list[str]:
        """The controls it was brought for."""
        return list(
            dict.fromkeys(link.implementation.control.label for link in self.links)
        )

    @cached_property
    def review(self) -> Review | None:
        """The newest review of the first link; None where there is none."""
        return max(self.links[0].reviews.all(), key=lambda row: row.pk, default=None)

    @property
    def submitted(self) -> str:
        """`by Paul Platform on 12 October 2026 at 15:04`, in the days of its system;
        empty for a draft."""
        link = self.links[0]
        if link.submitted_at is None:
            return ""
        at = link.submitted_at.astimezone(link.system.zone)
        return f"by {link.submitted_by} on {day_in_words(at.date())} at {at:%H:%M}"

    @property
    def by_whom(self) -> str:
        """`by Rita Reviewer on 24 November 2026`; empty where nobody reviewed it."""
        if self.review is None:
            return ""
        at = self.review.known_from.astimezone(self.links[0].system.zone)
        return f"by {self.review.reviewer_name} on {day_in_words(at.date())}"


def of_one_revision(links: Iterable[EvidenceLink]) -> list[BroughtTogether]:
    """The links by revision, in their order."""
    groups: defaultdict[int, list[EvidenceLink]] = defaultdict(list)
    for link in links:
        groups[link.revision_id].append(link)
    return [BroughtTogether(group) for group in groups.values()]


def with_last_brought(
    rows: Sequence[AskRow], drafts: Sequence[EvidenceLink]
) -> tuple[list[AskRow], list[BroughtTogether]]:
    """The rows with their drafts, rejections, what waits; and drafts of no row shown.

    A rejection or what waits is shown only while it is the state of its control. At
    most three statements.
    """
    newest = _newest(rows)
    shown = [
        replace(
            row,
            drafts=of_one_revision(_of_row(drafts, row)),
            rejections=of_one_revision(_of_row(newest[LinkState.REJECTED], row)),
            waiting=of_one_revision(_of_row(newest[LinkState.SUBMITTED], row)),
        )
        for row in rows
    ]
    named = {link.pk for row in shown for group in row.drafts for link in group.links}
    return shown, of_one_revision(link for link in drafts if link.pk not in named)


def _of_row(links: Iterable[EvidenceLink], row: AskRow) -> list[EvidenceLink]:
    keys = {control.requirement.pk for control in row.controls}
    return [link for link in links if link.requirement_id in keys]


def _newest(rows: Iterable[AskRow]) -> dict[str, list[EvidenceLink]]:
    """The newest link of each control by the state that it makes the control's, with
    its files and reviews."""
    states = {"rejected": LinkState.REJECTED, "waiting": LinkState.SUBMITTED}
    of_controls = {
        control.requirement.pk: states[control.state]
        for row in rows
        for control in row.controls
        if control.state in states
    }
    by_state: dict[str, list[EvidenceLink]] = {state: [] for state in states.values()}
    if of_controls:
        links = (
            EvidenceLink.objects.filter(
                requirement__in=of_controls, state__in=states.values()
            )
            .for_listing()
            .order_by("requirement", "state", "-submitted_at", "-pk")
            .distinct("requirement", "state")
        )
        for link in links.prefetch_related("revision__files", "reviews"):
            if link.state == of_controls.get(link.requirement_id or 0):
                by_state[link.state].append(link)
    return by_state
