"""For how long the demo company keeps evidence, and what a dispute holds longer."""

from __future__ import annotations

import datetime as dt

from controls.models import System
from controls.retrospect import approve
from evidence.demo.clock import DAY, written_on
from evidence.demo.people import People
from evidence.files.legal_holds import lift_hold, place_hold
from evidence.files.retention import change_retention
from evidence.models import Evidence

ASKED, DECIDED = 200, 198  # days ago
HELD, LIFTED, HELD_AGAIN = 90, 30, 20


def keep_evidence(system: System, people: People, today: dt.date) -> None:
    """Six years by two officers; one hold that was lifted and one that stands."""
    with written_on(today - DAY * ASKED, 10):
        change = change_retention(
            system,
            6,
            reason="Our customers' contracts ask for six years.",
            by=people["olivia"],
            today=today - DAY * ASKED,
        )
    with written_on(today - DAY * DECIDED, 9):
        approve(change, by=people["oscar"], today=today - DAY * DECIDED)
    first, second = Evidence.objects.filter(system=system).order_by("pk")[:2]
    with written_on(today - DAY * HELD, 10):
        hold = place_hold(
            system,
            evidence=first,
            reason="A customer disputes an invoice of that month.",
            by=people["oscar"],
        )
    with written_on(today - DAY * LIFTED, 11):
        lift_hold(hold, reason="Settled out of court.", by=people["olivia"])
    with written_on(today - DAY * HELD_AGAIN, 10):
        place_hold(
            system,
            evidence=second,
            reason="Counsel asked for it: the dispute about the payout of August.",
            by=people["oscar"],
        )
