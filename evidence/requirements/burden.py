"""How much work a year the asks of a system are, before and after joining.

Source: rule R11.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce

from controls.models import System
from evidence.models import RequirementControl
from evidence.models.asks import Cadence
from evidence.models.requirements import RequirementControlQuerySet
from evidence.requirements.baseline_frequency import stated_for
from evidence.requirements.join_offers import Offer, offers_among

# Performances of a year; what is asked per event draws populations so often.
A_YEAR = {
    "weekly": 52,
    "monthly": 12,
    "quarterly": 4,
    "half-yearly": 2,
    "yearly": 1,
    "once": 0,
}
HOW_OFTEN = Case(
    When(cadence=Cadence.PER_EVENT, then=F("population_cadence")), default=F("cadence")
)


@dataclass(frozen=True)
class Burden:
    """Asks in operation and the controls they prove, and what they cost in a year.

    `uploads` is one for each performance of an ask; `reviews` counts acts of review,
    each of which decides all controls of one upload; `links` what those decide on.
    """

    asks: int
    controls: int
    uploads: int
    links: int

    @property
    def reviews(self) -> int:
        """Acts of review in a year: one for each upload."""
        return self.uploads


@dataclass(frozen=True)
class BurdenOfSystem:
    """The burden as it is on a day, and with everything joined that is offered."""

    now: Burden
    joined: Burden
    offers: tuple[Offer, ...]


def burden_of(asks: Iterable[tuple[object, int, str]]) -> Burden:
    """Of rows given as (key of their ask, key of their control, cadence); per event
    the cadence is that of populations."""
    rows = list(asks)
    performances = {ask: A_YEAR[cadence] for ask, _, cadence in rows}
    return Burden(
        asks=len(performances),
        controls=len({control for _, control, _ in rows}),
        uploads=sum(performances.values()),
        links=sum(A_YEAR[cadence] for _, _, cadence in rows),
    )


def burden_now(system: System, day: dt.date) -> Burden:
    """What the asks of a system cost as they are. One statement."""
    return burden_of(_rows_now(system, day))


def burden_if(
    system: System, day: dt.date, *, no_longer_ours: set[int], newly_ours: int
) -> tuple[Burden, Burden]:
    """What the asks cost as they are, and what they would without those of some
    controls (by their keys) and with one yearly ask for each control that becomes ours
    (R11). One statement."""
    current_rows = _rows_now(system, day)
    kept_rows = [row for row in current_rows if row[1] not in no_longer_ours]
    new_rows = [(f"new {n}", -n - 1, "yearly") for n in range(newly_ours)]
    return burden_of(current_rows), burden_of([*kept_rows, *new_rows])


@dataclass(frozen=True)
class FreedAsk:
    """An ask that nothing would need any more: its title, its uploads of a year, and
    the controls it proves."""

    title: str
    uploads: int
    controls: tuple[str, ...]


def asks_freed(system: System, day: dt.date, gone: set[int]) -> list[FreedAsk]:
    """Asks all of whose controls (by their keys) stop being ours, what is uploaded most
    often first. One statement."""
    if not gone:
        return []
    by_ask: dict[object, list[RequirementControl]] = {}
    rows = of_our_halves(system, day).for_listing()
    for row in rows.order_by("implementation__control__sort_order", "pk"):
        by_ask.setdefault(row.joined_id or row.ask_id, []).append(row)
    freed = [
        FreedAsk(
            of_ask[0].title,
            A_YEAR[how_often(of_ask[0])],
            tuple(row.implementation.control.label for row in of_ask),
        )
        for of_ask in by_ask.values()
        if all(row.implementation_id in gone for row in of_ask)
    ]
    return sorted(freed, key=lambda ask: -ask.uploads)


def _rows_now(system: System, day: dt.date) -> list[tuple[object, int, str]]:
    rows = (
        of_our_halves(system, day).annotate(of_ask=Coalesce("joined", "ask")).order_by()
    )
    return list(rows.values_list("of_ask", "implementation", HOW_OFTEN))


def of_our_halves(system: System, day: dt.date) -> RequirementControlQuerySet:
    """What is asked on a day of halves that are ours, of applicable controls."""
    running = Q(operates_until=None) | Q(operates_until__gt=day)
    return RequirementControl.objects.filter(
        running,
        system=system,
        operates_from__lte=day,
    ).of_our_half()


def burden_on(system: System, day: dt.date) -> BurdenOfSystem:
    """The burden of a system on a day by today's terms. Two statements."""
    rows = list(
        of_our_halves(system, day)
        .for_listing()
        .order_by("implementation__control__sort_order", "pk")
    )
    now = {
        row.pk: (row.joined_id or row.ask_id, row.implementation_id, how_often(row))
        for row in rows
    }
    alone = [row for row in rows if not row.joined_id and row.cadence != "per-event"]
    offers = offers_among(alone, stated_for(system))
    then: dict[int, tuple[object, int, str]] = dict(now)
    for offer in offers:
        for row, _ in offer.rows:
            then[row.pk] = (offer.key, row.implementation_id, offer.shipped.cadence)
    return BurdenOfSystem(
        burden_of(now.values()), burden_of(then.values()), tuple(offers)
    )


def how_often(row: RequirementControl) -> str:
    """The cadence of what is asked; per event that of populations."""
    per_event = row.cadence == Cadence.PER_EVENT
    return row.population_cadence if per_event else row.cadence
