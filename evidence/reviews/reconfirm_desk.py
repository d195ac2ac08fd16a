"""What waits to be confirmed again in one system, by control family or by ask (R17)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from controls.models import Actor, System
from evidence.models import EvidenceLink, Review
from evidence.models.reviews import ReviewDecision
from evidence.reviews.reconfirm import ReconfirmationMark, to_reconfirm


@dataclass(frozen=True)
class ReconfirmRow:
    """One acceptance to confirm again: what changed since, and who accepted it last."""

    mark: ReconfirmationMark
    link: EvidenceLink
    review: Review | None

    @property
    def family(self) -> str:
        """Of its control: `ac`."""
        return self.link.implementation.control.family

    @property
    def ask(self) -> str:
        """What was asked for; the evidence itself where nothing was."""
        requirement = self.link.requirement
        return requirement.title if requirement else self.link.revision.evidence.title

    def speaks_of(self, text: str) -> bool:
        """Whether the control, the ask or the evidence bears the text in its name."""
        control = self.link.implementation.control
        named = (control.label, self.ask, self.link.revision.evidence.title)
        return any(text.lower() in name.lower() for name in named)


@dataclass(frozen=True)
class ReconfirmGroup:
    """Acceptances under one heading, in catalog order, at least one."""

    heading: str
    rows: tuple[ReconfirmRow, ...]


def rows_to_reconfirm(
    system: System, user: Actor, now: dt.datetime
) -> list[ReconfirmRow]:
    """All that waits there for this person, in catalog order. Constant statements."""
    pairs = to_reconfirm(user, now, system=system)
    accepted = Review.objects.filter(
        link__in=[link.pk for _, link in pairs], decision=ReviewDecision.ACCEPT
    )
    latest = accepted.order_by("link", "-pk").distinct("link")
    reviews = {review.link_id: review for review in latest}
    rows = [ReconfirmRow(mark, link, reviews.get(link.pk)) for mark, link in pairs]
    return sorted(rows, key=_in_catalog_order)


def _in_catalog_order(row: ReconfirmRow) -> tuple[int, int]:
    return row.link.implementation.control.sort_order, row.link.pk


def families_of(rows: Iterable[ReconfirmRow]) -> list[tuple[str, str, int]]:
    """Each family with its title and how many acceptances wait, in catalog order."""
    rows = list(rows)
    numbers = Counter(row.family for row in rows)
    titles = {row.family: _family_heading(row) for row in rows}
    return [(family, titles[family], numbers[family]) for family in titles]


def by_family(rows: Sequence[ReconfirmRow]) -> list[ReconfirmGroup]:
    """Grouped by the family of the control."""
    return [
        ReconfirmGroup(heading, tuple(group))
        for heading, group in groupby(rows, key=_family_heading)
    ]


def by_ask(rows: Sequence[ReconfirmRow]) -> list[ReconfirmGroup]:
    """Grouped by what was asked for, in the order of the first control of each."""
    groups: dict[str, list[ReconfirmRow]] = {}
    for row in rows:
        groups.setdefault(row.ask, []).append(row)
    return [ReconfirmGroup(ask, tuple(of_ask)) for ask, of_ask in groups.items()]


def _family_heading(row: ReconfirmRow) -> str:
    """`AC: Access Control`."""
    control = row.link.implementation.control
    return f"{control.family.upper()}: {control.family_title}"
