"""What the demo company asked otherwise in the middle of the year."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from controls.models import System
from controls.retrospect import approve
from evidence.demo.clock import DAY, written_on
from evidence.demo.people import People
from evidence.models import RequirementControl
from evidence.requirements.changes import NewTerms, change_requirement
from evidence.requirements.from_templates import stated_for
from evidence.requirements.join_offers import join_all, offers_among, standing_alone
from evidence.status.cadence import default_grace

ASKED, DECIDED, HELD_FROM = 34, 31, 150  # days ago
NOT_JOINED = {"continuous-monitoring", "patches"}  # of the shipped list


def change_terms(system: System, people: People, today: dt.date) -> None:
    """A monthly ask becomes quarterly as of five months ago, by two officers; the next
    one from next month on, by one."""
    monthly = RequirementControl.objects.for_listing().filter(
        system=system, cadence="monthly"
    )
    first, second = monthly.order_by("implementation__control__sort_order", "pk")[:2]
    with written_on(today - DAY * ASKED, 10):
        change = change_requirement(
            first,
            _quarterly(first),
            version=first.version,
            by=people["olivia"],
            today=today - DAY * ASKED,
            from_day=today - DAY * HELD_FROM,
            reason="The steering group decided so then; nobody entered it.",
        )
    if change is None:
        raise RuntimeError("A change of days that lie back waits for a second officer.")
    with written_on(today - DAY * DECIDED, 9):
        approve(change, by=people["oscar"], today=today - DAY * DECIDED)
    with written_on(today - DAY * 5, 11):
        change_requirement(
            second,
            _quarterly(second),
            version=second.version,
            by=people["oscar"],
            today=today - DAY * 5,
            from_day=today + DAY * 25,
        )


def join_asks(system: System, people: People, today: dt.date) -> None:
    """What the shipped list joins becomes one ask each from yesterday on; not what was
    changed above, nor the control of the tour, which stands alone."""
    yesterday = today - DAY
    with written_on(yesterday, 9):
        offers = offers_among(standing_alone(system, yesterday), stated_for(system))
        join_all(
            system,
            [offer for offer in offers if offer.shipped.slug not in NOT_JOINED],
            from_day=yesterday,
            by=people["olivia"],
            today=yesterday,
        )


def _quarterly(row: RequirementControl) -> NewTerms:
    return replace(
        NewTerms.stated_by(row),
        cadence="quarterly",
        grace_days=default_grace("quarterly"),
        rarer_because="A handful of accounts, and every change of them has a ticket.",
    )
